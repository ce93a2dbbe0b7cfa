/**
 * The programs of others that the data path is measured with: what is on the PATH, else a private copy
 * from the packages of Debian or Ubuntu, as `npm start` gets its Redis. Nothing is installed.
 */
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import {
  fetchPrivateCopy,
  findPrivateCopy,
  type Packaged,
} from '../../../apps/cmd/src/up/private-copy.ts'

export type ToolName = keyof typeof TOOLS

export interface Tool {
  readonly path: string
  /** The whole environment to run it in: it has nothing of ours. */
  readonly env: Readonly<Record<string, string>>
  readonly version: string
}

/** There is none, and what to do about it, in one sentence. */
export interface Missing {
  readonly missing: string
}

export interface FindToolOptions {
  /** Where private copies are kept, such as `.gatehouse/cache`. */
  readonly cacheDir: string
  /** PATH is searched, and fetching needs its proxy settings. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Told in a short sentence what takes long. */
  readonly say: (sentence: string) => void
}

interface Known extends Packaged {
  /** How it is asked for its version, and where that stands in its answer. */
  readonly asked: string
  readonly answer: RegExp
}

const TOOLS = {
  nginx: {
    package: 'nginx',
    program: 'usr/sbin/nginx',
    bareNeeds: ['nginx', 'nginx-common'],
    asked: '-v',
    answer: /nginx\/(\S+)/,
  },
  haproxy: {
    package: 'haproxy',
    program: 'usr/sbin/haproxy',
    bareNeeds: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
    asked: '-v',
    answer: /version (\d+(?:\.\d+)*)/,
  },
  caddy: {
    package: 'caddy',
    program: 'usr/bin/caddy',
    bareNeeds: ['caddy'],
    asked: 'version',
    answer: /v?(\d+(?:\.\d+)+)/,
  },
  wrk: {
    package: 'wrk',
    program: 'usr/bin/wrk',
    bareNeeds: ['wrk', 'libluajit-5.1-2', 'libluajit-5.1-common'],
    asked: '-v',
    answer: /^wrk (?:debian\/)?(\d+(?:\.\d+)*)/,
  },
  h2load: {
    package: 'nghttp2-client',
    program: 'usr/bin/h2load',
    bareNeeds: ['nghttp2-client', 'libnghttp2-14', 'libev4', 'libjemalloc2'],
    asked: '--version',
    answer: /nghttp2\/(\d+(?:\.\d+)*)/,
  },
} satisfies Record<string, Known>

/** Servers are often where ordinary users do not look. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin']
const VERSION_MS_MAX = 5_000
const run = promisify(execFile)

/** Finds a program that runs here, fetching it if need be (some seconds, once). */
export const findTool = async (
  name: ToolName,
  { cacheDir, environment, say }: FindToolOptions,
): Promise<Tool | Missing> => {
  const path = environment['PATH'] ?? ''
  const known: Known = TOOLS[name]
  for (const folder of [...path.split(delimiter), ...SERVER_FOLDERS]) {
    const tool = folder === '' ? undefined : await ask(join(folder, name), known, { PATH: path })
    if (tool !== undefined) return tool
  }
  const copyDir = join(cacheDir, name)
  const found = await findPrivateCopy(copyDir, known)
  const kept = found && (await askCopy(found, known, path))
  if (kept) return kept
  say(`Fetching a private copy of ${name} (once, some seconds) …`)
  const fetched = await fetchPrivateCopy({ copyDir, packaged: known, environment })
  const copy = fetched.kind === 'fetched' ? await askCopy(fetched, known, path) : undefined
  if (copy) return copy
  const reason = fetched.kind === 'failed' ? fetched.reason : `The copy in ${copyDir} does not run.`
  return {
    missing: `There is no ${name} on the PATH. ${reason} Install it (Debian and Ubuntu: apt-get install ${known.package}).`,
  }
}

const askCopy = (
  { path, libraryPath }: { readonly path: string; readonly libraryPath: string },
  known: Known,
  searched: string,
): Promise<Tool | undefined> => ask(path, known, { PATH: searched, LD_LIBRARY_PATH: libraryPath })

const ask = async (
  path: string,
  { asked, answer }: Known,
  more: Readonly<Record<string, string>>,
): Promise<Tool | undefined> => {
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!executable) return undefined
  const env = { ...more, LC_ALL: 'C' }
  // Some say their version on standard error, and some count the question as a failure.
  const said = await run(path, [asked], { env, timeout: VERSION_MS_MAX }).then(
    ({ stdout, stderr }) => stdout + stderr,
    (error: unknown) => outputOf(error),
  )
  const version = answer.exec(said)?.[1]
  return version === undefined ? undefined : { path, env, version }
}

const outputOf = (error: unknown): string =>
  error instanceof Error && 'stdout' in error && 'stderr' in error
    ? `${String(error.stdout)}${String(error.stderr)}`
    : ''
