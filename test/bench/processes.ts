/** The processes that the bench starts. None of them outlives it. */
import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import manifest from '../../package.json' with { type: 'json' }
import { pidsOfTree } from './data-path/process-tree.ts'

export interface Processes extends AsyncDisposable {
  /**
   * Starts a program of the project, such as `apps/worker/src/main.ts`, with the Node that runs us;
   * behind a command such as `taskset -c 0` when one is given.
   */
  readonly start: (
    program: string,
    environment: Readonly<Record<string, string>>,
    before?: readonly string[],
  ) => Process
  /** Starts a proxy as `npm run proxy` does, likewise. */
  readonly startProxy: (
    environment: Readonly<Record<string, string>>,
    before?: readonly string[],
  ) => Process
  /** Starts a program of others, with nothing in its environment but what is given. */
  readonly launch: (command: readonly string[], environment: NodeJS.ProcessEnv) => Process
  /**
   * Starts one of `programs/` here, which is told `task` and answers over a channel; behind a command
   * such as `taskset -c 0` when one is given.
   */
  readonly talkTo: (program: string, task: object, before?: readonly string[]) => Talk
  /** Ends all of them at once. */
  readonly kill: () => void
}

export interface Process {
  readonly pid: number
  readonly isRunning: () => boolean
  /** The last of what it has said, for those who want to know why it ended. */
  readonly lastWords: () => string
  /** Waits until it ends by itself, and returns how. */
  readonly ended: Promise<number | NodeJS.Signals>
  /** Asks it to end and waits until it has. */
  readonly stop: () => Promise<void>
}

export interface Talk extends Process {
  /** Says something and waits for the answer. Throws when the process ends instead. */
  readonly ask: (question: object) => Promise<unknown>
  /** The first word, which comes without a question. */
  readonly first: Promise<unknown>
}

const ROOT = resolve(import.meta.dirname, '../..')
// `exec node …`, with what V8 is told, which a proxy cannot tell it itself.
const PROXY_ARGUMENTS = manifest.scripts.proxy.split(' ').slice(2)
const LAST_WORDS_CHARACTERS = 2_000
const STOP_MS_MAX = 10_000

export const createProcesses = (): Processes => {
  const running = new Set<ChildProcess>()
  const keep = (child: ChildProcess): Process => {
    running.add(child)
    child.once('exit', () => running.delete(child))
    return processOf(child)
  }
  const kill = (): void => {
    // A server that is killed leaves its workers behind.
    const pids = [...running].flatMap(({ pid }) => (pid === undefined ? [] : pidsOfTree(pid)))
    for (const pid of pids) killQuietly(pid)
  }
  const launch: Processes['launch'] = ([program = '', ...args], env) =>
    keep(spawn(program, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] }))
  return {
    start: (program, environment, before = []) =>
      launch([...before, process.execPath, resolve(ROOT, program)], {
        ...process.env,
        ...environment,
      }),
    startProxy: (environment, before = []) =>
      launch([...before, process.execPath, ...PROXY_ARGUMENTS], {
        ...process.env,
        ...environment,
      }),
    launch,
    talkTo: (program, task, before = []) => {
      const [execPath = '', ...execArgv]: readonly string[] = [...before, process.execPath]
      const child = fork(
        resolve(import.meta.dirname, 'programs', program),
        [JSON.stringify(task)],
        { cwd: ROOT, execPath, execArgv, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
      )
      const known = keep(child)
      const nextWord = async (): Promise<unknown> => {
        const over = new AbortController()
        const { signal } = over
        const ended = once(child, 'exit', { signal }).then(() => {
          throw new Error(`${program} ended before it answered: ${known.lastWords()}`)
        })
        const word = once(child, 'message', { signal }).then(([first]) => first as unknown)
        try {
          return await Promise.race([word, ended])
        } finally {
          // It may be asked for hours: whoever still listens is told that it is over.
          over.abort()
        }
      }
      return {
        ...known,
        first: nextWord(),
        ask: (question) => {
          const answer = nextWord()
          child.send(question)
          return answer
        },
      }
    },
    kill,
    [Symbol.asyncDispose]: async () => {
      const ended = [...running].map((child) => once(child, 'exit'))
      kill()
      await Promise.all(ended)
    },
  }
}

const killQuietly = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}

const processOf = (child: ChildProcess): Process => {
  let words = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      words = `${words}${text}`.slice(-LAST_WORDS_CHARACTERS)
    })
  }
  child.on('error', (error) => (words += error.message))
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    pid: child.pid ?? 0,
    isRunning,
    lastWords: () => words,
    ended: new Promise((settle) => {
      child.once('close', (code, signal) => settle(code ?? signal ?? 0))
    }),
    stop: async () => {
      if (!isRunning()) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
      await ended
      clearTimeout(force)
    },
  }
}
