/** `cert issue` and `cert renew`: an order, and what comes of it. */
import type { Gateway, GatewayEvent, RequestCertificate } from '@gatehouse/domain'
import type { Place } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../../exit-codes.ts'
import type { Io } from '../../io.ts'
import { createOutput, plain } from '../../output/output.ts'
import { withSession, type Session } from '../../session.ts'
import { sayDuration } from '../../spec/duration.ts'
import { outputOptions } from '../options.ts'
import { sayCertificateEvent } from '../say-certificate.ts'
import { askFor, type AskOptions } from './ask.ts'
import { awaitOrder, type OrderEnd } from './await-order.ts'
import { certificateView } from './certificate-view.ts'

export interface IssueOptions extends AskOptions {
  readonly host?: readonly string[]
}

export const issue = (io: Io, name: string, options: IssueOptions): Promise<ExitCode> => {
  const names = options.host
    ?.flatMap((text) => text.split(','))
    .map((text) => text.trim().toLowerCase())
    .filter((text) => text !== '')
  return order(io, 'cert issue', name, options, names === undefined ? {} : { names })
}

export const renew = (io: Io, name: string, options: AskOptions): Promise<ExitCode> =>
  order(io, 'cert renew', name, options, {})

const order = (
  io: Io,
  verb: string,
  certificate: string,
  options: AskOptions,
  more: Pick<RequestCertificate, 'names'>,
): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  return withSession(io, output, async (session) => {
    const command = { type: 'RequestCertificate', certificate, reason: 'command', ...more } as const
    const asked = await askFor(session, verb, command, options)
    if (asked.kind === 'refused') return asked.exit
    const { gateway } = asked.replica.table
    const generation =
      asked.kind === 'accepted' ? generationIn(asked.events) : openGeneration(gateway, certificate)
    if (generation === undefined) return nothingOrdered(session, verb, certificate, gateway)
    if (asked.kind === 'nothing-to-do') output.step('it is on order already')
    if (!options.wait) return accepted(session, verb, certificate)
    return finish(session, verb, {
      certificate,
      generation,
      after: asked.before,
      timeoutMs: options.timeout,
    })
  })
}

const generationIn = (events: readonly GatewayEvent[]): number | undefined => {
  const requested = events.find((event) => event.type === 'CertificateRequested')
  return requested?.generation
}

const openGeneration = (gateway: Gateway, certificate: string): number | undefined =>
  gateway.certificates.get(certificate)?.order?.generation

const nothingOrdered = (
  { output }: Session,
  verb: string,
  certificate: string,
  gateway: Gateway,
): ExitCode => {
  const known = gateway.certificates.get(certificate)
  const said = { command: verb, certificate, outcome: 'nothing-to-do', exitCode: EXIT.ok }
  output.answer(
    { ...said, ...(known && { view: certificateView(known, Date.now()) }) },
    () => `${certificate}: nothing to do, that is so already`,
  )
  return EXIT.ok
}

const accepted = ({ output }: Session, verb: string, certificate: string): ExitCode => {
  output.answer(
    { command: verb, certificate, outcome: 'accepted', exitCode: EXIT.ok },
    () => `${certificate}: ordered; npm run cmd -- cert show ${certificate} says how it stands`,
  )
  return EXIT.ok
}

const finish = async (
  session: Session,
  verb: string,
  awaited: {
    readonly certificate: string
    readonly generation: number
    readonly after: Place
    readonly timeoutMs: number
  },
): Promise<ExitCode> => {
  const { output } = session
  const { certificate } = awaited
  const end = await awaitOrder(session, awaited)
  output.settle()
  const { exit, problem } = judge(end, awaited.timeoutMs)
  if (problem !== undefined) output.warn(plain(`${certificate}: ${problem}`))
  const { kind: outcome, ...details } = end
  output.answer(
    {
      command: verb,
      certificate,
      outcome,
      exitCode: exit,
      ...(problem === undefined ? {} : { problem }),
      ...details,
    },
    () =>
      end.kind === 'issued'
        ? plain(`${certificate}: issued ${sayCertificateEvent(end.event)}`)
        : `${certificate}: npm run cmd -- cert show ${certificate} says how it stands`,
  )
  return exit
}

const judge = (
  end: OrderEnd,
  timeoutMs: number,
): { readonly exit: ExitCode; readonly problem?: string } => {
  switch (end.kind) {
    case 'issued':
      return { exit: EXIT.ok }
    case 'failed':
      return { exit: EXIT.failed, problem: `not issued: ${sayCertificateEvent(end.event)}` }
    case 'replaced':
      return { exit: EXIT.conflict, problem: `a ${end.by} took the place of this order` }
    case 'pending': {
      const who =
        end.workers.length === 0
          ? 'no worker is running; start one with npm run worker'
          : `${end.workers.join(', ')} goes on with it`
      return {
        exit: EXIT.notConverged,
        problem: `not issued within ${sayDuration(timeoutMs)}: ${who}`,
      }
    }
  }
}
