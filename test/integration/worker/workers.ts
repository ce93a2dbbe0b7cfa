/** Workers that a test starts: in its own process, or in one that can be killed. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { pino } from 'pino'
import { readWorkerSettings, type WorkerSettings } from '../../../apps/worker/src/config.ts'
import { main } from '../../../apps/worker/src/main.ts'

const WORKER_MAIN = join(import.meta.dirname, '../../../apps/worker/src/main.ts')

export interface WorkerDiffers extends Partial<WorkerSettings> {
  readonly environment?: Readonly<Record<string, string>>
}

export interface TestWorker extends AsyncDisposable {
  readonly stop: () => Promise<void>
}

export interface SpawnedWorker extends AsyncDisposable {
  /** Resolves when the process has caught up with the log. */
  readonly ready: Promise<void>
  readonly end: (signal: 'SIGKILL' | 'SIGTERM') => Promise<number | null>
}

export const workerSettings = (
  redisUrl: string,
  fleet: string,
  environment: Readonly<Record<string, string>>,
): WorkerSettings =>
  readWorkerSettings({
    GATEHOUSE_REDIS_URL: redisUrl,
    GATEHOUSE_FLEET: fleet,
    GATEHOUSE_DATA: '/nonexistent',
    ...environment,
  })

export const startWorker = (
  redisUrl: string,
  fleet: string,
  { environment = {}, ...differs }: WorkerDiffers = {},
): TestWorker => {
  const stop = new AbortController()
  const settings = {
    ...workerSettings(redisUrl, fleet, environment),
    id: `worker-${randomUUID().slice(0, 8)}`,
    ...differs,
  }
  const ended = main(settings, pino({ level: 'silent' }), stop.signal)
  const end = async (): Promise<void> => {
    stop.abort()
    await ended
  }
  return { stop: end, [Symbol.asyncDispose]: end }
}

export const spawnWorker = (
  redisUrl: string,
  fleet: string,
  environment: Readonly<Record<string, string>> = {},
): SpawnedWorker => {
  const own = { GATEHOUSE_REDIS_URL: redisUrl, GATEHOUSE_FLEET: fleet, ...environment }
  const child = spawn(process.execPath, [WORKER_MAIN], {
    env: { ...process.env, ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const ready = new Promise<void>((resolve) => {
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('caught up with the log')) resolve()
    })
  })
  const end = async (signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await exited
    return child.exitCode
  }
  return { ready, end, [Symbol.asyncDispose]: async () => void (await end('SIGKILL')) }
}
