/** `watch`: events as they happen, one line each, until Ctrl-C. */
import type { Followed, Recorded } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput, type Output } from '../output/output.ts'
import { withSession } from '../session.ts'
import { isAbout, placeBefore } from './happened.ts'
import { outputOptions, type GlobalOptions } from './options.ts'
import { eventLine, sayEvent } from './say-event.ts'

export interface WatchOptions extends GlobalOptions {
  /** Begins with the event at this position instead of the next one. */
  readonly from?: number
}

export const watch = (
  io: Io,
  service: string | undefined,
  options: WatchOptions,
): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  const isWanted = isAbout(service)
  return withSession(io, output, async ({ log, interrupted }) => {
    const { from } = options
    const before = from === undefined ? undefined : await placeBefore(log, from)
    const after = before ?? (await log.head())
    if (from !== undefined && (before === undefined || after.position < from - 1)) {
      const problem = before === undefined ? 'is not in the log any more' : 'is yet to come'
      output.warn(`position ${from} ${problem}; watching from ${after.position + 1} on`)
    }
    try {
      for await (const batch of log.follow(after, interrupted)) {
        for (const followed of batch) sayFollowed(output, followed, isWanted)
      }
    } catch (error) {
      if (!interrupted.aborted) throw error
    }
    return EXIT.interrupted
  })
}

const sayFollowed = (
  output: Output,
  followed: Followed,
  isWanted: (recorded: Recorded) => boolean,
): void => {
  switch (followed.kind) {
    case 'recorded':
      if (isWanted(followed.recorded)) sayRecorded(output, followed.recorded)
      return
    case 'caught-up':
      return
    case 'link':
      output.step(followed.up ? 'Redis is back' : 'Redis cannot be reached; waiting for it')
      return
    case 'gap':
      output.warn(`the log begins at position ${followed.first} now; what was before is gone`)
      return
    case 'diverged':
      output.warn(`the log is not the one that was followed so far: ${followed.why}`)
  }
}

const sayRecorded = (output: Output, recorded: Recorded): void =>
  output.entry(
    {
      ...sayEvent(recorded),
      ...(recorded.kind === 'event' ? { data: recorded.event, meta: recorded.meta } : {}),
    },
    () => eventLine(recorded),
  )
