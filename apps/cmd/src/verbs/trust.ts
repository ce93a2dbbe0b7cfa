/** `trust`: the local authority of `npm start`, made when it is not there yet, and how to trust it. */
import { readDataDir } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput } from '../output/output.ts'
import { LOCAL_DOMAINS, LOCAL_NAMES, openLocalCa } from '../up/local-ca/local-ca.ts'
import { trustSteps } from '../up/local-ca/trust-steps.ts'
import { outputOptions, type GlobalOptions } from './options.ts'

export const trust = async (io: Io, options: GlobalOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  const { authority } = await openLocalCa(readDataDir(io.environment), LOCAL_NAMES)
  const steps = trustSteps(authority)
  output.answer({ authority, steps }, () => {
    const width = Math.max(...steps.map(({ where }) => where.length))
    return [
      `The certificates of npm start are signed by an authority of this machine alone: ${authority}`,
      `Nothing was changed on the system. To trust it, for names below ${LOCAL_DOMAINS.join(' and ')} and nothing else:`,
      '',
      ...steps.map(({ where, how }) => `  ${where.padEnd(width)}   ${how}`),
      '',
    ].join('\n')
  })
  return EXIT.ok
}
