/**
 * What every verb that changes something does: submit the command, say how it was received, wait for
 * its end unless told not to, and report.
 */
import {
  liveService,
  sentenceOf,
  type Certificate,
  type GatewayEvent,
  type Rejection,
  type Request,
} from '@gatehouse/domain'
import {
  catchUp,
  openReplica,
  submit,
  TOOL,
  type Place,
  type Position,
  type Replica,
  type Submitted,
} from '@gatehouse/events'
import { actorOf } from '../actor.ts'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { nearMiss } from '../near-miss.ts'
import type { Session } from '../session.ts'
import { attemptOf, startChange, type Attempt, type Change } from '../wait/change.ts'
import { waitForChange } from '../wait/wait-for-change.ts'
import type { Waited } from '../wait/waiting.ts'
import { serviceNames } from './find-service.ts'
import { eventsSince, placeBefore } from './happened.ts'
import type { ChangeOptions } from './options.ts'
import { report, reportRefusal, type Told } from './report.ts'

export interface ChangeRequest {
  /** The verb as the user typed it. */
  readonly verb: string
  readonly request: Request
  readonly options: ChangeOptions
  /** What the health gate of a new release may take; a known release brings its own. */
  readonly healthMs?: number
  /** Wait until no proxy holds work of the service. */
  readonly quietMs?: number
}

interface Follow {
  readonly first: Position
  readonly last: Position
  readonly after: Place
  readonly change: Change
}

type Accepted = Extract<Submitted, { kind: 'accepted' }>

export const change = async (session: Session, asked: ChangeRequest): Promise<ExitCode> => {
  const { request, options } = asked
  const replica = await openReplica(session.log)
  const before = replica.place
  const key = options.idempotencyKey
  const submitted = await submit(
    session.log,
    replica,
    request,
    {
      actor: actorOf(options.actor, session.io.environment),
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      command: crypto.randomUUID(),
      tool: TOOL,
    },
    key,
  )
  const told: Told = { session, verb: asked.verb, request }
  switch (submitted.kind) {
    case 'rejected':
      return reject(told, submitted.rejection, replica)
    case 'contended':
      return reportRefusal(told, {
        exit: EXIT.conflict,
        outcome: 'contended',
        problem: `others change service ${request.service} too fast; try again`,
      })
    case 'nothing-to-do':
      return nothingToDo(told, asked, replica)
    case 'accepted':
      return accepted(told, asked, submitted, replica, before)
  }
}

const accepted = async (
  told: Told,
  asked: ChangeRequest,
  submitted: Accepted,
  replica: Replica,
  before: Place,
): Promise<ExitCode> => {
  const { session, request } = told
  const { first, last, events, duplicate } = submitted
  const stranger = duplicate ? strangerIn(events, request.service) : undefined
  if (stranger !== undefined) {
    return reportRefusal(told, {
      exit: EXIT.conflict,
      outcome: 'conflict',
      problem: `the idempotency key ${asked.options.idempotencyKey ?? ''} was used for ${stranger} already (position ${first})`,
    })
  }
  if (duplicate) session.output.step(`was accepted before, at position ${first}`)
  const attempt = attemptOf(events)
  // What was accepted in an earlier run lies before the place where this one began.
  const after = first > before.position ? before : await placeBefore(session.log, first)
  if (after === undefined) {
    const unseen = { exit: EXIT.ok, change: startChange(request.service, undefined) }
    return report(told, unseen, 'accepted', { first, last })
  }
  const follow = { first, last, after, change: startChange(request.service, attempt) }
  return finish(told, asked, follow, replica)
}

/** What the events of an earlier command were about, where that was something else. */
const strangerIn = (events: readonly GatewayEvent[], service: string): string | undefined => {
  const [about] = events
  if (about === undefined) return undefined
  if ('certificate' in about) return `certificate ${about.certificate}`
  return about.service === service ? undefined : `service ${about.service}`
}

/** Nothing was appended; but the same release may be on its way, and then its end is ours as well. */
const nothingToDo = async (
  told: Told,
  asked: ChangeRequest,
  replica: Replica,
): Promise<ExitCode> => {
  const { request } = told
  const service = liveService(replica.table.gateway, request.service)
  const underway = service?.candidate
  const known = service?.releases.find(({ revision }) => revision === underway?.revision)
  const seeks =
    request.type === 'Deploy' || request.type === 'Switch' || request.type === 'Rollback'
  if (!seeks || underway === undefined || known === undefined || isSeed(request)) {
    return report(
      told,
      { exit: EXIT.ok, change: startChange(request.service, undefined) },
      'nothing-to-do',
    )
  }
  const attempt: Attempt = {
    service: request.service,
    release: known.release.id,
    generation: underway.generation,
    stage: underway.stage,
  }
  told.session.output.step(`release ${attempt.release} is being checked already`)
  // No event is ours: what comes after the state we saw decides.
  const { place: after } = replica
  const [first, last] = [after.position + 1, after.position]
  const follow = { first, last, after, change: startChange(request.service, attempt) }
  return finish(told, asked, follow, replica)
}

const finish = async (
  told: Told,
  asked: ChangeRequest,
  follow: Follow,
  replica: Replica,
): Promise<ExitCode> => {
  const { session } = told
  const { options, quietMs } = asked
  if (!options.wait) {
    return report(told, { exit: EXIT.ok, change: follow.change }, 'accepted', follow)
  }
  const healthMs = asked.healthMs ?? healthMsOf(replica, follow.change.attempt)
  let waited: Waited
  try {
    waited = await waitForChange(session, {
      ...follow,
      timeoutMs: options.timeout,
      healthMs,
      ...(quietMs === undefined ? {} : { quietMs }),
    })
  } catch (error) {
    if (session.interrupted.aborted) {
      session.output.warn(
        `interrupted: what was accepted goes on; npm run cmd -- watch ${asked.request.service} --from ${follow.first} shows it`,
      )
      return EXIT.interrupted
    }
    session.output.warn(
      `the ${asked.verb} was accepted at position ${follow.first}; its end was not seen`,
    )
    throw error
  }
  const certificate = await certificateNow(session, asked.request, replica)
  return report(
    told,
    { ...waited, ...(certificate === undefined ? {} : { certificate }) },
    undefined,
    follow,
  )
}

/** What has become of the certificate that a deploy asks the gateway for: nobody waits for it here. */
const certificateNow = async (
  session: Session,
  request: Request,
  replica: Replica,
): Promise<Certificate | undefined> => {
  if (request.type !== 'Deploy' || request.release.ingress?.tls !== 'auto') return undefined
  await catchUp(session.log, replica)
  return replica.table.gateway.certificates.get(request.service)
}

const isSeed = (request: Request): boolean => request.type === 'Deploy' && request.ifAbsent

const healthMsOf = (replica: Replica, attempt: Attempt | undefined): number => {
  if (attempt === undefined) return 0
  const service = liveService(replica.table.gateway, attempt.service)
  const known = service?.releases.findLast(({ release }) => release.id === attempt.release)
  return known?.release.health.timeoutMs ?? 0
}

const reject = async (told: Told, rejection: Rejection, replica: Replica): Promise<ExitCode> => {
  const { gateway } = replica.table
  const sentence = sentenceOf(rejection)
  switch (rejection.reason) {
    case 'unknown-service': {
      const names = serviceNames(gateway)
      const near = nearMiss(rejection.service, names)
      const hint =
        near !== undefined
          ? `; did you mean "${near}"?`
          : names.length === 0
            ? ': nothing is deployed yet'
            : ''
      const problem = `${sentence}${hint}`
      return reportRefusal(told, { exit: EXIT.failed, outcome: 'rejected', problem, rejection })
    }
    case 'unknown-release': {
      const near = nearMiss(rejection.release, rejection.known)
      const problem = near === undefined ? sentence : `${sentence}; did you mean "${near}"?`
      return reportRefusal(told, { exit: EXIT.failed, outcome: 'rejected', problem, rejection })
    }
    case 'no-previous-release':
    case 'nothing-to-drain':
    case 'unknown-certificate':
    case 'certificate-imported':
    case 'certificate-needed':
    case 'nothing-to-revoke':
      return reportRefusal(told, {
        exit: EXIT.failed,
        outcome: 'rejected',
        problem: sentence,
        rejection,
      })
    case 'invalid':
      return reportRefusal(told, {
        exit: EXIT.usage,
        outcome: 'rejected',
        problem: sentence,
        rejection,
      })
    case 'host-taken':
      return reportRefusal(told, {
        exit: EXIT.conflict,
        outcome: 'conflict',
        problem: sentence,
        rejection,
      })
    case 'version-moved': {
      const { service, expected, actual } = rejection
      const since = await eventsSince(told.session.log, service, Math.max(0, actual - expected))
      return reportRefusal(told, {
        exit: EXIT.conflict,
        outcome: 'conflict',
        problem: sentence,
        rejection,
        since,
      })
    }
  }
}
