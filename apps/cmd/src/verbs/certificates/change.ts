/** `cert import`, `cert revoke` and `cert remove`: done as soon as they are in the log. */
import { resolve } from 'node:path'
import type { CertificateCommand, RevocationReason } from '@gatehouse/domain'
import { requireSecretKeys } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../../exit-codes.ts'
import type { Io } from '../../io.ts'
import { createOutput, plain } from '../../output/output.ts'
import { withSession, type Session } from '../../session.ts'
import { readBundleFiles } from '../../spec/tls-files.ts'
import { outputOptions } from '../options.ts'
import { sayCertificateEvent } from '../say-certificate.ts'
import { askFor, type AskOptions } from './ask.ts'
import { keepBundle } from './keep-bundle.ts'

export interface ImportOptions extends AskOptions {
  readonly name: string
  readonly cert: string
  readonly key: string
}

export interface RevokeOptions extends AskOptions {
  readonly revocationReason: RevocationReason
}

/** Nothing is sent before the two files were found to fit each other. */
export const importCertificate = async (io: Io, options: ImportOptions): Promise<ExitCode> => {
  const { name, cert, key } = options
  const output = createOutput(io, outputOptions(options))
  const read = await readBundleFiles(resolve(io.cwd, cert), resolve(io.cwd, key), [], Date.now())
  if ('problem' in read) {
    const problem = `${read.part === 'key' ? '--key' : '--cert'}: ${read.problem}`
    output.warn(plain(problem))
    const refusal = { command: 'cert import', certificate: name, outcome: 'invalid' }
    if (output.json) output.answer({ ...refusal, exitCode: EXIT.usage, problem }, () => '')
    return EXIT.usage
  }
  const keys = requireSecretKeys(io.environment)
  return withSession(io, output, async (session) => {
    await keepBundle(session, { ...read, keys })
    const command = { type: 'ImportCertificate', certificate: name, ...read.facts } as const
    return carryOut(session, 'cert import', command, options)
  })
}

export const revoke = (io: Io, certificate: string, options: RevokeOptions): Promise<ExitCode> =>
  ask(
    io,
    'cert revoke',
    { type: 'RevokeCertificate', certificate, reason: options.revocationReason },
    options,
  )

export const remove = (io: Io, certificate: string, options: AskOptions): Promise<ExitCode> =>
  ask(io, 'cert remove', { type: 'RemoveCertificate', certificate }, options)

const ask = (
  io: Io,
  verb: string,
  command: CertificateCommand,
  options: AskOptions,
): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  return withSession(io, output, (session) => carryOut(session, verb, command, options))
}

const carryOut = async (
  session: Session,
  verb: string,
  command: CertificateCommand,
  options: AskOptions,
): Promise<ExitCode> => {
  const { certificate } = command
  const asked = await askFor(session, verb, command, options)
  if (asked.kind === 'refused') return asked.exit
  const said = { command: verb, certificate, exitCode: EXIT.ok }
  if (asked.kind === 'nothing-to-do') {
    session.output.answer(
      { ...said, outcome: 'nothing-to-do' },
      () => `${certificate}: nothing to do, that is so already`,
    )
    return EXIT.ok
  }
  const { events, first } = asked
  session.output.answer({ ...said, outcome: 'applied', position: first, events }, () =>
    events
      .flatMap((event) => ('certificate' in event ? [event] : []))
      .map((event) => `${certificate}: ${event.type} ${sayCertificateEvent(event)}`.trimEnd())
      .map(plain)
      .join('\n'),
  )
  return EXIT.ok
}
