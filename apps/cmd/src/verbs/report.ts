/** The end of a command: one JSON document, or a few lines for people, and the exit code. */
import type { Rejection, Request } from '@gatehouse/domain'
import type { Recorded } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import { plain } from '../output/output.ts'
import type { Session } from '../session.ts'
import { sayDuration } from '../spec/duration.ts'
import type { FollowedDrain, Verdict } from '../wait/change.ts'
import { statisticsOf, type Receipts } from '../wait/receipts.ts'
import type { Waited } from '../wait/waiting.ts'
import { certificateView, sayStanding } from './certificates/certificate-view.ts'
import { eventLine, sayEvent, sayFailure } from './say-event.ts'

export interface Told {
  readonly session: Session
  readonly verb: string
  readonly request: Request
}

export interface Refusal {
  readonly exit: ExitCode
  readonly outcome: 'rejected' | 'conflict' | 'contended'
  readonly problem: string
  readonly rejection?: Rejection
  /** What others did since the version that was expected. */
  readonly since?: readonly Recorded[]
}

/** Nothing was appended, and why. */
export const reportRefusal = (told: Told, refusal: Refusal): ExitCode => {
  const { output } = told.session
  const { exit, outcome, problem, rejection, since } = refusal
  output.settle()
  output.warn(plain(`Cannot ${told.verb}: ${problem}`))
  for (const recorded of since ?? []) output.warn(`  since then: ${eventLine(recorded)}`)
  if (output.json) {
    const { verb: command, request } = told
    const rest = { ...(rejection && { rejection }), ...(since && { since: since.map(sayEvent) }) }
    output.answer(
      { command, service: request.service, outcome, exitCode: exit, problem, ...rest },
      () => '',
    )
  }
  return exit
}

/** What became of an accepted command; `outcome` for those that were not waited for. */
export const report = (
  told: Told,
  waited: Waited,
  outcome?: 'accepted' | 'nothing-to-do',
  at?: { readonly first: number; readonly last: number },
): ExitCode => {
  const { session, verb, request } = told
  const { output } = session
  const { exit, problem, change, receipts } = waited
  const { verdict, attempt } = change
  output.settle()
  if (problem !== undefined) output.warn(plain(`${problem}${excerptOf(verdict)}`))
  const release = attempt?.release ?? change.drains[0]?.release
  output.answer(
    {
      command: verb,
      service: request.service,
      ...(release === undefined ? {} : { release }),
      outcome: outcome ?? outcomeOf(verdict, waited),
      exitCode: exit,
      ...(problem === undefined ? {} : { problem }),
      ...(at === undefined || at.last < at.first
        ? {}
        : { positions: { first: at.first, last: at.last } }),
      ...(verdict.kind === 'failed' ? { failure: verdict.failure } : {}),
      ...(verdict.kind === 'superseded' ? { supersededBy: verdict.winner ?? {} } : {}),
      ...(receipts === undefined
        ? {}
        : { receipts: { ...receipts, ...statisticsOf(receipts.proxies) } }),
      ...(change.drains.length === 0 ? {} : { drains: change.drains.map(drainDocument) }),
      ...(waited.certificate === undefined
        ? {}
        : { certificate: certificateView(waited.certificate, Date.now()) }),
      ...(waited.stillInFlight === undefined ? {} : { stillInFlight: waited.stillInFlight }),
    },
    () => lines(told, waited, outcome, at).map(plain).join('\n'),
  )
  return exit
}

const outcomeOf = (verdict: Verdict, { exit, problem }: Waited): string => {
  if (exit === EXIT.notConverged && problem !== undefined) return 'not-converged'
  if (exit === EXIT.drainTimedOut) return 'drain-timed-out'
  return verdict.kind
}

const drainDocument = ({
  release,
  revision,
  drainMs,
  startedAt,
  ended,
}: FollowedDrain): unknown => ({
  release,
  revision,
  drainMs,
  ...(ended === undefined
    ? { outcome: 'draining' }
    : {
        ...ended.outcome,
        outcome: ended.outcome.kind,
        kind: undefined,
        tookMs: ended.at - startedAt,
      }),
})

const lines = (
  { verb, request }: Told,
  { change, receipts, exit, certificate }: Waited,
  outcome: 'accepted' | 'nothing-to-do' | undefined,
  at: { readonly first: number } | undefined,
): readonly string[] => {
  const { service } = request
  if (outcome === 'nothing-to-do') return [`${service}: nothing to do, that is so already`]
  if (outcome === 'accepted') return [`${service}: ${verb} accepted at position ${at?.first ?? ''}`]
  const { verdict, attempt } = change
  const failed = verdict.kind === 'failed' ? [`${service}: ${sayFailure(verdict.failure)}`] : []
  const reached =
    verdict.kind === 'active'
      ? [`${service}: release ${attempt?.release ?? ''} is active (position ${verdict.position})`]
      : verdict.kind === 'staged'
        ? [
            `${service}: release ${attempt?.release ?? ''} is healthy and waits (position ${verdict.position}); make it active with: switch ${service} ${attempt?.release ?? ''}`,
          ]
        : verdict.kind === 'applied'
          ? [`${service}: ${DONE[request.type]} (position ${verdict.position})`]
          : []
  return [
    ...failed,
    ...reached,
    ...(receipts === undefined ? [] : receiptLines(receipts)),
    ...change.drains.flatMap(drainLine),
    ...(certificate === undefined ? [] : [sayStanding(certificate, Date.now())]),
    ...(exit === EXIT.ok || reached.length > 0 || failed.length > 0
      ? []
      : [`${service}: ${verb} not seen to its end`]),
  ]
}

const DONE: Readonly<Record<Request['type'], string>> = {
  Deploy: 'deployed',
  Switch: 'switched back',
  Rollback: 'rolled back',
  Drain: 'drain started',
  Pause: 'paused',
  Resume: 'running',
  Stop: 'stopped',
  Remove: 'removed',
}

const receiptLines = ({ proxies, laggards }: Receipts): readonly string[] => {
  const statistics = statisticsOf(proxies)
  const total = proxies.length + laggards.length
  const figures =
    statistics === undefined
      ? ''
      : `: p50 ${sayDuration(statistics.p50Ms)}, p99 ${sayDuration(statistics.p99Ms)}, max ${sayDuration(statistics.maxMs)}`
  return [
    `applied by ${proxies.length} of ${total} ${total === 1 ? 'proxy' : 'proxies'}${figures}`,
    ...proxies.map(
      ({ id, tookMs }) =>
        `  ${id}  ${tookMs === undefined ? 'was there already' : sayDuration(tookMs)}`,
    ),
  ]
}

const drainLine = ({ release, startedAt, ended }: FollowedDrain): readonly string[] => {
  if (ended === undefined) return [`release ${release} is still draining`]
  const took = sayDuration(Math.max(0, ended.at - startedAt))
  const { outcome } = ended
  switch (outcome.kind) {
    case 'drained':
      return outcome.unreachable.length === 0
        ? [`release ${release} is drained after ${took}: it is safe to stop`]
        : [
            `release ${release} is drained after ${took}, without word from ${outcome.unreachable.join(', ')}`,
          ]
    case 'timed-out':
      return [
        `release ${release} was cut off after ${took} with ${outcome.cut} in flight${
          outcome.unreachable.length === 0
            ? ''
            : `, without word from ${outcome.unreachable.join(', ')}`
        }`,
      ]
    case 'cancelled':
      return [`the drain of release ${release} was called off: it is active again`]
  }
}

const excerptOf = (verdict: Verdict): string => {
  if (verdict.kind !== 'failed') return ''
  const { failure } = verdict
  const excerpt =
    failure.kind === 'unhealthy' && failure.excerpt !== undefined && failure.excerpt !== ''
      ? `; it answered: ${failure.excerpt}`
      : ''
  return `: ${sayFailure(failure)}${excerpt}`
}
