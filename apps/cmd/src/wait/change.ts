/**
 * Where a change stands, told from the events that follow it. Pure: the same events give the same
 * verdict, however long they took to arrive.
 */
import type { DrainMs, DrainOutcome, Failure, GatewayEvent } from '@gatehouse/domain'
import type { Recorded } from '@gatehouse/events'

/** The attempt to make a release active that a deploy, a switch or a rollback began. */
export interface Attempt {
  readonly service: string
  readonly release: string
  readonly generation: number
  readonly stage: boolean
}

export interface Change {
  readonly service: string
  /** Absent where the events of the command itself are the whole change: pause, remove, drain. */
  readonly attempt: Attempt | undefined
  readonly verdict: Verdict
  /** Releases that this change takes out of service. */
  readonly drains: readonly FollowedDrain[]
}

export type Verdict =
  | { readonly kind: 'pending' }
  /** Every event of the change is in the log; from `position` on, proxies act on it. */
  | {
      readonly kind: 'active' | 'staged' | 'applied'
      readonly position: number
      readonly at: number
    }
  | { readonly kind: 'failed'; readonly release: string; readonly failure: Failure }
  | {
      readonly kind: 'superseded'
      readonly release: string
      readonly by: number
      readonly winner?: Winner
    }

/** Who was quicker: the command that took the candidate's place. */
export interface Winner {
  readonly release: string
  readonly actor: string
  readonly command: 'deploy' | 'switch'
}

export interface FollowedDrain {
  readonly release: string
  readonly revision: number
  readonly generation: number
  readonly drainMs: DrainMs
  readonly startedAt: number
  readonly ended?: { readonly at: number; readonly outcome: DrainOutcome }
}

type RecordedEvent = Extract<Recorded, { kind: 'event' }>

/** What a command set out to do, from its own events. */
export const attemptOf = (events: readonly GatewayEvent[]): Attempt | undefined => {
  for (const event of events) {
    if (event.type === 'ReleaseDeclared') {
      const { service, release, generation, stage } = event
      return { service, release: release.id, generation, stage }
    }
    if (event.type === 'SwitchRequested') {
      const { service, release, generation } = event
      return { service, release, generation, stage: false }
    }
  }
  return undefined
}

export const startChange = (service: string, attempt: Attempt | undefined): Change => ({
  service,
  attempt,
  verdict: { kind: 'pending' },
  drains: [],
})

/** The change after one more event. `own`: the event was appended by the command itself. */
export const advance = (change: Change, recorded: Recorded, own: boolean): Change => {
  if (recorded.kind !== 'event' || !isAbout(recorded.event, change.service)) return change
  const verdict = verdictAfter(change, recorded, own)
  const drains = drainsAfter(change, recorded, own)
  return verdict === change.verdict && drains === change.drains
    ? change
    : { ...change, verdict, drains }
}

/** Of its certificate a service hears as well: what a command appends may end with that. */
const isAbout = (event: GatewayEvent, service: string): boolean =>
  'certificate' in event ? event.certificate === service : event.service === service

/** The events of one command are appended together, so the last of them is where it is applied. */
const verdictAfter = (change: Change, recorded: RecordedEvent, own: boolean): Verdict => {
  const { attempt, verdict } = change
  const { event, position, at } = recorded
  if (attempt === undefined) return own ? { kind: 'applied', position, at } : verdict
  if (verdict.kind === 'superseded') return withWinner(verdict, recorded)
  if (verdict.kind !== 'pending' || !('generation' in event)) return verdict
  if ('certificate' in event) return verdict
  if (event.generation !== attempt.generation) return verdict
  switch (event.type) {
    case 'ReleaseActivated':
      return { kind: 'active', position, at }
    case 'ReleasePassed':
      return attempt.stage ? { kind: 'staged', position, at } : verdict
    case 'ReleaseFailed':
      return { kind: 'failed', release: event.release, failure: event.failure }
    case 'ReleaseSuperseded':
      return { kind: 'superseded', release: event.release, by: event.by }
    case 'ReleaseDeclared':
    case 'SwitchRequested':
    case 'DrainStarted':
    case 'DrainEnded':
      return verdict
  }
}

const withWinner = (
  verdict: Extract<Verdict, { kind: 'superseded' }>,
  { event, meta }: RecordedEvent,
): Verdict => {
  const { actor } = meta
  if (event.type === 'ReleaseDeclared' && event.generation === verdict.by) {
    return { ...verdict, winner: { release: event.release.id, actor, command: 'deploy' } }
  }
  if (event.type === 'SwitchRequested' && event.generation === verdict.by) {
    return { ...verdict, winner: { release: event.release, actor, command: 'switch' } }
  }
  return verdict
}

const drainsAfter = (
  change: Change,
  { event, at }: RecordedEvent,
  own: boolean,
): Change['drains'] => {
  const { drains, attempt } = change
  if (event.type === 'DrainStarted') {
    const { release, revision, generation, drainMs } = event
    const started: FollowedDrain = { release, revision, generation, drainMs, startedAt: at }
    const before = drains.find((drain) => drain.revision === revision && drain.ended === undefined)
    // Somebody drains the same release again, with another deadline: that is the one to wait for.
    if (before !== undefined) return drains.map((drain) => (drain === before ? started : drain))
    return own || generation === attempt?.generation ? [...drains, started] : drains
  }
  if (event.type === 'DrainEnded') {
    return drains.map((drain) =>
      drain.generation === event.generation && drain.revision === event.revision
        ? { ...drain, ended: { at, outcome: event.outcome } }
        : drain,
    )
  }
  return drains
}
