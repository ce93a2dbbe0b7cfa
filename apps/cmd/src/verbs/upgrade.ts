/** `upgrade`: the `up` that runs on this machine replaces its proxies, without a lost connection. */
import { readDataDir } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput } from '../output/output.ts'
import { table } from '../output/table.ts'
import { sayDuration } from '../spec/duration.ts'
import { requestUpgrade } from '../up/upgrade-request.ts'
import { turnSocket } from '../up/turn.ts'
import type { Upgraded, UpgradeFailure } from '../up/upgrade.ts'
import { outputOptions, type GlobalOptions } from './options.ts'

export interface UpgradeOptions extends GlobalOptions {
  /** In milliseconds. */
  readonly readyTimeout: number
}

export const upgrade = async (io: Io, options: UpgradeOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  const dataDir = readDataDir(io.environment)
  const requested = await requestUpgrade(
    await turnSocket(dataDir),
    options.readyTimeout,
    output.step,
    io.interrupted,
  )
  switch (requested.kind) {
    case 'nobody':
      output.warn(
        `nothing runs for ${dataDir}: npm start does; a proxy that was started by itself is replaced by whoever started it`,
      )
      return EXIT.failed
    case 'unanswered':
      output.warn(
        `the Gatehouse that runs for ${dataDir} ended, or is too old to replace its proxies`,
      )
      return EXIT.failed
    case 'answered': {
      const { upgraded } = requested
      output.answer(upgraded, () => textOf(upgraded))
      if (upgraded.failure !== undefined) {
        output.warn(`${upgraded.failure.why}; what served before still serves`)
        return exitOf(upgraded.failure.because)
      }
      return upgraded.proxies.every(({ cut }) => cut === 0) ? EXIT.ok : EXIT.drainTimedOut
    }
  }
}

const textOf = ({ proxies }: Upgraded): string =>
  proxies.length === 0
    ? 'no proxy was replaced'
    : table(
        ['id', 'in place of', 'ready after', 'the other ended after', 'work cut'],
        proxies.map(({ id, succeeds, readyMs, finishMs, cut }) => [
          id,
          succeeds,
          sayDuration(readyMs),
          sayDuration(finishMs),
          cut ?? undefined,
        ]),
      )

const exitOf = (because: UpgradeFailure['because']): ExitCode => {
  switch (because) {
    case 'ended':
    case 'stopping':
      return EXIT.failed
    case 'late':
      return EXIT.notConverged
    case 'busy':
      return EXIT.conflict
  }
}
