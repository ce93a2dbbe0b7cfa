/**
 * A private Redis server that keeps what it acknowledged: every write is on disk before the answer,
 * nothing is evicted, and it listens on a socket that only this user can open.
 *
 * The server outlives a parent that is killed. The next start finds it by asking on the socket and
 * goes on with it, so two servers never write to one data directory.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { RedisBinary } from './redis-binary.ts'
import { askRedis, type RedisAnswer } from './redis-question.ts'

export { findRedisServer, type MissingRedis, type RedisBinary } from './redis-binary.ts'

/** The longest path that a Unix socket can have on every system (macOS: 104 with its end mark). */
const socketPathBytesMax = 103
const readyWithinMs = 60_000
const stopWithinMs = 10_000
const turnWithinMs = 60_000
const pollMs = 20
const logTailBytes = 2_000

export interface RedisServerOptions {
  readonly binary: RedisBinary
  /** Where the server listens; its folder is made readable for this user alone. */
  readonly socketPath: string
  /** The append-only file and the server's log live here. */
  readonly dataDir: string
  /** Also listen on 127.0.0.1 at this port. Without it there is no TCP listener at all. */
  readonly port?: number
}

export interface RedisServer {
  /** `unix://…`, as GATEHOUSE_REDIS_URL takes it. */
  readonly url: string
  /** True when a server already ran on this socket, so somebody else may be using it too. */
  readonly reused: boolean
  /** The process that this call started; absent when `reused`. */
  readonly pid?: number
  /** Resolves when the process that this call started has ended; never when `reused`. */
  readonly ended: Promise<void>
  /** Writes everything out and ends the server, a reused one too. Safe to call twice. */
  readonly stop: () => Promise<void>
}

/** A short socket path for a data directory, the same one at every start. */
export function redisSocketPath(dataDir: string): string {
  const owner = userInfo({ encoding: 'utf8' }).uid
  const hash = createHash('sha256').update(`${owner}:${dataDir}`).digest('hex').slice(0, 12)
  return join(tmpdir(), `gatehouse-${hash}`, 'redis.sock')
}

/**
 * Starts a server, or goes on with the one that already answers on the socket.
 * Throws when it cannot be started or is not ready within a minute; the message has the reason.
 */
export async function startRedisServer(options: RedisServerOptions): Promise<RedisServer> {
  const { socketPath, dataDir } = options
  if (Buffer.byteLength(socketPath) > socketPathBytesMax) {
    throw new Error(
      `The socket path ${socketPath} is too long: at most ${socketPathBytesMax} bytes work.`,
    )
  }
  await makePrivateFolder(dirname(socketPath))
  await mkdir(dataDir, { recursive: true, mode: 0o700 })

  const passTurn = await takeTurn(join(dataDir, 'starting'))
  try {
    const found = await askRedis(socketPath, 'PING')
    if (found.kind === 'silent') {
      throw new Error(`A process holds ${socketPath} but does not answer as Redis would.`)
    }
    const child = found.kind === 'absent' ? launch(options) : undefined
    await untilReady(options, child)
    return running(options, child)
  } finally {
    await passTurn()
  }
}

async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
  const { uid } = await stat(path)
  const own = userInfo().uid
  // In a shared temporary folder another user may have taken the name first.
  if (own !== -1 && uid !== own) throw new Error(`The folder ${path} belongs to another user.`)
}

/** One start at a time per data directory. The holder's process id tells when it was abandoned. */
async function takeTurn(path: string): Promise<() => Promise<void>> {
  const giveUpAt = Date.now() + turnWithinMs
  while (Date.now() < giveUpAt) {
    const taken = await writeFile(path, String(process.pid), { flag: 'wx' }).then(
      () => true,
      (cause: unknown) => {
        if (hasCode(cause, 'EEXIST')) return false
        throw new Error(`The data directory cannot be written: ${path}.`, { cause })
      },
    )
    if (taken) return () => rm(path, { force: true })
    const holder = Number(await readFile(path, 'utf8').catch(() => ''))
    if (holder > 0 && !isAlive(holder)) await rm(path, { force: true })
    else await wait(pollMs)
  }
  throw new Error(
    `Another start of Redis has been going on for ${turnWithinMs / 1000} s; remove ${path} if not.`,
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

function launch({ binary, socketPath, dataDir, port }: RedisServerOptions): ChildProcess {
  const settings = {
    port: String(port ?? 0),
    bind: '127.0.0.1',
    unixsocket: socketPath,
    unixsocketperm: '700',
    dir: dataDir,
    logfile: join(dataDir, 'redis.log'),
    appendonly: 'yes',
    appendfsync: 'always',
    save: '',
    'maxmemory-policy': 'noeviction',
  }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value])
  // A group of its own: Ctrl-C in the terminal must not end Redis before those who write to it.
  const child = spawn(binary.path, args, { env: binary.env, stdio: 'ignore', detached: true })
  child.unref()
  return child
}

async function untilReady(
  { binary, socketPath, dataDir }: RedisServerOptions,
  child: ChildProcess | undefined,
): Promise<void> {
  const failure: { reason?: string } = {}
  child?.once('error', (error) => (failure.reason = error.message))
  child?.once('exit', (code, signal) => (failure.reason ??= `it ended with ${code ?? signal}`))
  const giveUpAt = Date.now() + readyWithinMs
  let answer: RedisAnswer = { kind: 'absent' }
  while (failure.reason === undefined && Date.now() < giveUpAt) {
    answer = await askRedis(socketPath, 'PING')
    if (answer.kind === 'answer' && answer.line === '+PONG') return
    // Any other answer is "-LOADING …": a long log is still being read back.
    await wait(pollMs)
  }
  child?.kill('SIGKILL')
  const last = answer.kind === 'answer' ? answer.line : answer.kind
  const reason = failure.reason ?? `not ready after ${readyWithinMs / 1000} s (${last})`
  throw new Error(
    `Redis (${binary.path}) did not start: ${reason}.\n${await logTail(dataDir)}`.trimEnd(),
  )
}

async function logTail(dataDir: string): Promise<string> {
  const log = await readFile(join(dataDir, 'redis.log'), 'utf8').catch(() => '')
  return log.slice(-logTailBytes)
}

function running({ socketPath }: RedisServerOptions, child: ChildProcess | undefined): RedisServer {
  const ended = new Promise<void>((resolve) => {
    if (child === undefined) return
    if (child.exitCode === null && child.signalCode === null) child.once('exit', () => resolve())
    else resolve()
  })
  return {
    url: `unix://${socketPath}`,
    reused: child === undefined,
    ...(child?.pid === undefined ? {} : { pid: child.pid }),
    ended,
    stop: () => stop(socketPath, child),
  }
}

async function stop(socketPath: string, child: ChildProcess | undefined): Promise<void> {
  // The server closes the connection instead of answering.
  await askRedis(socketPath, 'SHUTDOWN')
  const giveUpAt = Date.now() + stopWithinMs
  while (Date.now() < giveUpAt) {
    const gone = child === undefined || child.exitCode !== null || child.signalCode !== null
    if (gone && (await askRedis(socketPath, 'PING')).kind === 'absent') return
    await wait(pollMs)
  }
  child?.kill('SIGKILL')
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
