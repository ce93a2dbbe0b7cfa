/** The proxy as a process: settings from its environment, an end by signal, an exit code. */
import { InvalidSetting } from '@gatehouse/events'
import { pino } from 'pino'
import { readProxySettings } from './config.ts'
import { runProxy } from './proxy.ts'

/** npm passes a Ctrl-C on that the terminal has sent already: signals this close together are one. */
const ONE_PRESS_MS = 1_000

/** What whoever started us over a channel is told. */
export type ProxyWord =
  { readonly type: 'serving' } | { readonly type: 'stopped'; readonly cut: number }

/** Exit codes: 0 stopped as asked, 1 could not go on, 2 a setting is wrong. */
export const runProcess = async (): Promise<number> => {
  const stop = new AbortController()
  let askedAt = 0
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        askedAt = performance.now()
        stop.abort()
      } else if (performance.now() - askedAt > ONE_PRESS_MS) {
        // Asked twice: whoever waits has had enough.
        process.exit(1)
      }
    })
  }
  const logger = pino({ base: null })
  try {
    const settings = readProxySettings()
    const { cut } = await runProxy(
      settings,
      logger.child({ proxy: settings.id }),
      stop.signal,
      () => tell({ type: 'serving' }),
    )
    tell({ type: 'stopped', cut })
    return 0
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    process.stderr.write(`${message}\n`)
    return error instanceof InvalidSetting ? 2 : 1
  }
}

const tell = (word: ProxyWord): void => {
  if (process.connected) process.send?.(word)
}
