// Installs what package-lock.json names, once, before any `npm start`, `npm test` or `npm run …`.
//
// It is plain JavaScript because it runs on whatever Node started npm (20 or newer), and brings
// the Node that everything else runs on. It speaks on standard error only: standard output belongs
// to the command that follows, so `npm run cmd -- list --json` stays readable by a machine.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const nodeMajorMin = 26
const lockWaitMs = 300_000
const lockPollMs = 200

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.gatehouse-lock')
const installing = join(root, '.gatehouse', 'installing')
const platform = `${process.platform}-${process.arch}`
const nodePackage = `${platform === 'darwin-arm64' ? 'node-bin' : 'node'}-${platform}`
const nodeLink = join(modules, '.bin', 'node')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')

if (!isInstalled()) {
  const release = takeTurn()
  try {
    // Somebody else may have installed while we waited for our turn.
    if (!isInstalled()) install()
  } finally {
    release()
  }
}

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && existsSync(nodeLink)
}

function install() {
  const startedAt = Date.now()
  say('Installing what Gatehouse needs (once; usually 15 to 60 seconds) …')
  npmCi()
  linkNode()
  checkNode()
  writeFileSync(stamp, wanted)
  say(`Installed in ${Math.max(1, Math.round((Date.now() - startedAt) / 1000))} s.`)
}

function npmCi() {
  // No install script is needed, so none may run. Engine warnings speak of the Node that runs npm,
  // not of the one we install, hence the log level.
  const options = '--ignore-scripts --include=dev --include=optional --no-audit --no-fund'
  const args = ['ci', ...options.split(' '), '--loglevel=error']
  const npm = process.env.npm_execpath
  const [command, first] = npm ? [process.execPath, [npm]] : ['npm', []]
  // npm's own standard output goes to our standard error (file descriptor 2).
  const result = spawnSync(command, [...first, ...args], { cwd: root, stdio: ['ignore', 2, 2] })
  if (result.error) fail(`npm could not be started: ${result.error.message}.`)
  if (result.status !== 0) {
    fail(`Installing failed: "npm ci" ended with ${result.status ?? result.signal}, see above.`)
  }
}

/** npm 10 forgets this link when several platform packages offer the same name, so we make it. */
function linkNode() {
  const binary = join('..', nodePackage, 'bin', 'node')
  if (!existsSync(join(modules, '.bin', binary))) return
  mkdirSync(dirname(nodeLink), { recursive: true })
  rmSync(nodeLink, { force: true })
  symlinkSync(binary, nodeLink)
}

function checkNode() {
  if (!existsSync(nodeLink)) {
    // Without a package for this platform, a recent enough Node of the machine's own will do.
    if (Number(process.versions.node.split('.')[0]) < nodeMajorMin) {
      fail(`There is no Node package for ${platform}: install Node ${nodeMajorMin} or newer first.`)
    }
    mkdirSync(dirname(nodeLink), { recursive: true })
    symlinkSync(process.execPath, nodeLink)
    return
  }
  const { stdout, error } = spawnSync(nodeLink, ['-p', 'process.versions.node'])
  const major = Number(String(stdout ?? '').split('.')[0])
  if (error || !(major >= nodeMajorMin)) {
    fail(
      `The Node that comes with Gatehouse does not run on this machine (${platform}). ` +
        'It needs glibc, so use Debian, Ubuntu or Fedora rather than Alpine.',
    )
  }
}

/** One installation at a time: two `npm ci` in one folder would delete each other's work. */
function takeTurn() {
  mkdirSync(dirname(installing), { recursive: true })
  const giveUpAt = Date.now() + lockWaitMs
  let told = false
  for (;;) {
    try {
      mkdirSync(installing)
      writeFileSync(join(installing, 'pid'), String(process.pid))
      const release = () => rmSync(installing, { recursive: true, force: true })
      process.once('exit', release)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
        process.once(signal, () => process.exit(130))
      }
      return release
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    if (isAbandoned()) {
      rmSync(installing, { recursive: true, force: true })
      continue
    }
    if (Date.now() > giveUpAt) {
      fail(`Another installation is still running after ${lockWaitMs / 1000} s (${installing}).`)
    }
    if (!told) say('Another installation is running here; waiting for it …')
    told = true
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lockPollMs)
  }
}

/** The holder of the turn is gone when its process is, or when it never wrote who it was. */
function isAbandoned() {
  try {
    process.kill(Number(readFileSync(join(installing, 'pid'), 'utf8')), 0)
    return false
  } catch (error) {
    if (error.code === 'EPERM') return false
    if (error.code === 'ESRCH') return true
  }
  try {
    return Date.now() - statSync(installing).mtimeMs > 5_000
  } catch {
    return false
  }
}

function say(sentence) {
  process.stderr.write(`${sentence}\n`)
}

function fail(sentence) {
  say(sentence)
  process.exit(1)
}
