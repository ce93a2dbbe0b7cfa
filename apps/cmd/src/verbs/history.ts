/** `history`: what happened, who did it and why, oldest first. */
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput } from '../output/output.ts'
import { table } from '../output/table.ts'
import { withSession } from '../session.ts'
import { isAbout, newest } from './happened.ts'
import { outputOptions, type GlobalOptions } from './options.ts'
import { sayEvent } from './say-event.ts'
import { sayTime } from './say-time.ts'

export const HISTORY_LIMIT_DEFAULT = 50

export interface HistoryOptions extends GlobalOptions {
  readonly limit: number
}

export const history = (
  io: Io,
  service: string | undefined,
  options: HistoryOptions,
): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  return withSession(io, output, async ({ log }) => {
    const found = await newest(log, { limit: options.limit, matches: isAbout(service) })
    output.answer(
      found.map((recorded) => ({
        ...sayEvent(recorded),
        ...(recorded.kind === 'event' ? { data: recorded.event, meta: recorded.meta } : {}),
      })),
      () => {
        if (found.length === 0) {
          return service === undefined
            ? 'no events: nothing has happened yet'
            : `no events about a service "${service}"`
        }
        return table(
          ['position', 'time', 'event', 'service', 'release', 'actor', 'reason', 'details'],
          found.map((recorded) => {
            const said = sayEvent(recorded)
            const { position, event, release, actor, reason, details } = said
            const row = [
              position,
              sayTime(recorded.at),
              event,
              said.service ?? said.certificate,
              release,
            ]
            return [...row, actor, reason, details]
          }),
        )
      },
    )
    return EXIT.ok
  })
}
