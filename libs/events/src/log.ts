/**
 * The log of a fleet: what happened, in one order that everybody agrees on.
 *
 * Every entry has a *position*, counted 1, 2, 3, … without gaps, and a *hash* that chains it to the
 * entry before. Whoever holds a position and its hash can tell whether the log still has the history
 * that led there.
 */
import type { GatewayEvent } from '@gatehouse/domain'

/** A place in the log: a whole number from 1; 0 is before everything. */
export type Position = number

/** A position together with the hash of the history that led there. */
export interface Place {
  readonly position: Position
  readonly hash: string
}

export const BEGINNING: Place = { position: 0, hash: '' }

/** Who did what, and why: kept with every event, never interpreted. */
export interface Meta {
  /** The command that led to the event. */
  readonly command: string
  readonly actor: string
  readonly reason?: string
  /** The position of the event that this one answers, for reports of workers. */
  readonly cause?: Position
  readonly traceparent?: string
  /** The program and its version, such as gatehouse/0.1.0. */
  readonly tool: string
}

/** An entry as it lies in the log. */
export interface Entry extends Place {
  /** Milliseconds since 1970 on Redis's clock. A label: order is the position's business. */
  readonly at: number
  /** As it was hashed. */
  readonly atText: string
  readonly body: string
}

/** An entry that has been read. What cannot be understood is kept apart, and never stops a reader. */
export type Recorded = Entry &
  (
    | { readonly kind: 'event'; readonly event: GatewayEvent; readonly meta: Meta }
    | { readonly kind: 'quarantined'; readonly type: string; readonly why: string }
  )

export type Followed =
  | { readonly kind: 'recorded'; readonly recorded: Recorded }
  /** Everything that was in the log has been delivered: at first, and whenever the link came back. */
  | { readonly kind: 'caught-up'; readonly position: Position }
  /** Entries after the follower's position were trimmed away: only a snapshot leads on from here. */
  | { readonly kind: 'gap'; readonly first: Position }
  /** The log no longer has the history that led here: it came back empty, shorter or different. */
  | { readonly kind: 'diverged'; readonly why: string }
  /** The link to the log went down or came back. The follower goes on by itself. */
  | { readonly kind: 'link'; readonly up: boolean }

/** Why a reader cannot go on from where it is. */
export type Standing = Extract<Followed, { kind: 'gap' | 'diverged' }>

export interface AppendOptions {
  /** The position of the state that the events were decided on. */
  readonly readPosition: Position
  /** Names that the decision depends on: the append fails when one of them has moved since. */
  readonly scopes: readonly string[]
  /** The same key again within a day appends nothing and answers with the first append. */
  readonly idempotencyKey: string
  readonly meta: Meta
}

export type Appended =
  | { readonly kind: 'appended'; readonly first: Position; readonly last: Position }
  | { readonly kind: 'duplicate'; readonly first: Position; readonly last: Position }
  | { readonly kind: 'conflict'; readonly scope: string }

/** A folded state as text, at a place. */
export interface Snapshot extends Place {
  readonly text: string
}

/**
 * What every log promises. All methods throw `ControlPlaneUnreachable` or `ControlPlaneUnfit` when
 * Redis cannot be used; nothing else is thrown.
 */
export interface EventLog {
  /** Appends all the events at consecutive positions, or none of them. */
  readonly append: (
    events: readonly [GatewayEvent, ...GatewayEvent[]],
    options: AppendOptions,
  ) => Promise<Appended>
  /**
   * The entries after a place, in order, in pages. Ends at what was the end when the last page was
   * read. Throws `HistoryChanged` when the log does not continue from that place.
   */
  readonly read: (after: Place) => AsyncIterable<readonly Recorded[]>
  /**
   * Delivers what is after the place and then what comes, until the signal is aborted. Outlives
   * restarts of Redis without a gap or a repeat. Delivers batches, at least one element each.
   */
  readonly follow: (after: Place, signal: AbortSignal) => AsyncIterable<readonly Followed[]>
  readonly head: () => Promise<Place>
  /** How the log stands to a place: undefined when it continues from there. */
  readonly standing: (place: Place) => Promise<Standing | undefined>
  /** Entries by position, both ends included, as they are: for those who look back. */
  readonly range: (first: Position, last: Position) => Promise<readonly Recorded[]>
  /** What the idempotency key has led to, as long as it is remembered. */
  readonly accepted: (
    idempotencyKey: string,
  ) => Promise<{ readonly first: Position; readonly last: Position } | undefined>
  readonly snapshot: () => Promise<Snapshot | undefined>
  /** Keeps the snapshot if it is newer than the one there. */
  readonly saveSnapshot: (snapshot: Snapshot) => Promise<boolean>
  /** Forgets entries before the position, but never what the stored snapshot does not cover. */
  readonly trim: (before: Position) => Promise<number>
}

/** The log does not continue from the place asked for. */
export class HistoryChanged extends Error {
  override readonly name = 'HistoryChanged'
  readonly found: Standing

  constructor(found: Standing) {
    super(found.kind === 'gap' ? `the log begins at position ${found.first}` : found.why)
    this.found = found
  }
}
