/** What the load generator is told, and what it answers. */

/** Several may run at once. Each counts into its own book. */
export type LoadPlan = RequestPlan | SocketPlan | StreamPlan

interface Plan {
  /** The name that the report has it under. Plans of the same name count together. */
  readonly book: string
  /** On 127.0.0.1; the connections are spread over them. */
  readonly ports: readonly number[]
  readonly host: string
  readonly connections: number
}

/** Requests with small answers, one after the other on each connection. */
export interface RequestPlan extends Plan {
  readonly kind: 'requests'
  /** With a body of so many bytes, as POST. */
  readonly uploadBytes?: number
  /** A connection is closed after so many; without it, it is kept. */
  readonly requestsPerConnection?: number
  /**
   * So many requests per second are due, whatever the answers do, and latency counts from when one was
   * due. Without it each connection asks again as soon as it was answered.
   */
  readonly ratePerSecond?: number
  /** From an answer to the next question of a connection, where there is no rate. */
  readonly pauseMs?: number
}

/** WebSockets that send a message and wait for its echo. */
export interface SocketPlan extends Plan {
  readonly kind: 'sockets'
  /** Then the socket is closed, every other one without a word, and opened again. */
  readonly messagesPerSocket?: number
  /** From an echo to the next message. */
  readonly pauseMs: number
}

/** Long answers. */
export interface StreamPlan extends Plan {
  readonly kind: 'streams'
  readonly path: string
  /** The client leaves after so many bytes. Without it, only a complete answer is a good one. */
  readonly cutAfterBytes?: number
  readonly pauseMs: number
}

export type ToLoad =
  | { readonly type: 'start'; readonly plans: readonly LoadPlan[] }
  /**
   * From now on these are good answers, and no others: `200 blue`, `502`. One that was good at some
   * moment between question and answer is good.
   */
  | { readonly type: 'expect'; readonly answers: readonly string[] }
  | { readonly type: 'report' }
  /** Lets every open question be answered, and ends all plans. The books stay. */
  | { readonly type: 'stop' }
  /** New books. */
  | { readonly type: 'forget' }

export type Books = Readonly<Record<string, BookReport>>

export interface BookReport {
  /** How often each answer came, good or not: `200 blue`, `502`. */
  readonly answers: Readonly<Record<string, number>>
  /** Answers that were good. */
  readonly good: number
  /** Answers that were not, and questions without one. */
  readonly errors: number
  /** The first few errors, in words. */
  readonly firstErrors: readonly string[]
  /** How long it ran, all its times together. */
  readonly seconds: number
  /** Good answers in that time; those that came after its end do not count. */
  readonly perSecond: number
  /** In milliseconds, over all answers; without any, all are 0. */
  readonly latencyMs: Latencies
}

export interface Latencies {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}
