/** How a verb submits what it asks of a certificate, and what it says when that is refused. */
import {
  sentenceOf,
  type CertificateCommand,
  type Gateway,
  type GatewayEvent,
  type Rejection,
} from '@gatehouse/domain'
import { openReplica, submit, TOOL, type Place, type Replica } from '@gatehouse/events'
import { actorOf } from '../../actor.ts'
import { EXIT, type ExitCode } from '../../exit-codes.ts'
import { didYouMean } from '../../near-miss.ts'
import { plain } from '../../output/output.ts'
import type { Session } from '../../session.ts'
import type { GlobalOptions } from '../options.ts'

export interface AskOptions extends GlobalOptions {
  /** False after `--no-wait`. */
  readonly wait: boolean
  readonly timeout: number
  readonly reason?: string
  readonly actor?: string
}

export type Asked =
  | {
      readonly kind: 'accepted'
      readonly events: readonly GatewayEvent[]
      readonly first: number
      /** A place before the first event. */
      readonly before: Place
      readonly replica: Replica
    }
  | { readonly kind: 'nothing-to-do'; readonly before: Place; readonly replica: Replica }
  /** Said already. */
  | { readonly kind: 'refused'; readonly exit: ExitCode }

/** `verb` as the user typed it, such as `cert issue`. */
export const askFor = async (
  session: Session,
  verb: string,
  command: CertificateCommand,
  options: AskOptions,
): Promise<Asked> => {
  const replica = await openReplica(session.log)
  const before = replica.place
  const submitted = await submit(session.log, replica, command, {
    actor: actorOf(options.actor, session.io.environment),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
    command: crypto.randomUUID(),
    tool: TOOL,
  })
  switch (submitted.kind) {
    case 'accepted':
      return { ...submitted, before, replica }
    case 'nothing-to-do':
      return { kind: 'nothing-to-do', before: replica.place, replica }
    case 'contended':
      return refuse(session, verb, command, EXIT.conflict, 'others change it too fast; try again')
    case 'rejected': {
      const { rejection } = submitted
      const problem = `${sentenceOf(rejection)}${hintOf(rejection, replica.table.gateway)}`
      return refuse(session, verb, command, exitOf(rejection), problem, rejection)
    }
  }
}

const refuse = (
  { output }: Session,
  verb: string,
  { certificate }: CertificateCommand,
  exit: ExitCode,
  problem: string,
  rejection?: Rejection,
): Asked => {
  output.settle()
  output.warn(plain(`Cannot ${verb}: ${problem}`))
  if (output.json) {
    const outcome = exit === EXIT.conflict ? 'conflict' : 'rejected'
    const said = { command: verb, certificate, outcome, exitCode: exit, problem }
    output.answer({ ...said, ...(rejection && { rejection }) }, () => '')
  }
  return { kind: 'refused', exit }
}

const hintOf = (rejection: Rejection, { certificates, services }: Gateway): string =>
  rejection.reason === 'unknown-certificate'
    ? didYouMean(rejection.certificate, [...certificates.keys(), ...services.keys()])
    : ''

const exitOf = ({ reason }: Rejection): ExitCode => {
  switch (reason) {
    case 'invalid':
      return EXIT.usage
    case 'certificate-needed':
    case 'host-taken':
    case 'version-moved':
      return EXIT.conflict
    case 'unknown-certificate':
    case 'certificate-imported':
    case 'nothing-to-revoke':
    case 'unknown-service':
    case 'unknown-release':
    case 'no-previous-release':
    case 'nothing-to-drain':
      return EXIT.failed
  }
}
