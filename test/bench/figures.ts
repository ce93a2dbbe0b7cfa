/**
 * Every figure that the bench can measure, in the order of the table, with what it is held to. A *floor*
 * is what no change may fall below: missing one fails the run. A *goal* is where the work is heading.
 * A figure without either is there to explain its neighbours.
 */

export interface Figure {
  readonly title: string
  readonly unit: 'ms' | 'events/s' | 'MB' | '×'
  readonly better: 'less' | 'more'
  /** Of several repetitions, the middle one counts; of the longest waits, the longest. */
  readonly counts: 'median' | 'worst'
  readonly floor?: number
  readonly goal?: number
}

export type FigureName = keyof typeof FIGURES

const ms = { unit: 'ms', better: 'less', counts: 'median' } as const
const msWorst = { ...ms, counts: 'worst' } as const
const perSecond = { unit: 'events/s', better: 'more', counts: 'median' } as const
const megabytes = { unit: 'MB', better: 'less', counts: 'median' } as const
const times = { unit: '×', better: 'less', counts: 'median' } as const

const FIGURES = {
  'routed-one-p50': { title: 'appended to routed, one proxy, p50', ...ms },
  'routed-one-p99': { title: 'appended to routed, one proxy, p99', ...ms, floor: 3, goal: 1 },
  'routed-one-max': { title: 'appended to routed, one proxy, max', ...msWorst },
  // The floor was set with a Redis that keeps nothing: what a disk adds is the disk's.
  'routed-in-memory-p50': {
    title: 'the same, nothing on disk, p50',
    ...ms,
    floor: 0.5,
    goal: 0.2,
  },
  'routed-in-memory-p99': { title: 'the same, nothing on disk, p99', ...ms, floor: 3, goal: 1 },
  'acknowledged-one-p50': { title: 'append to acknowledged, one proxy, p50', ...ms },
  'acknowledged-one-p99': { title: 'append to acknowledged, one proxy, p99', ...ms },
  // The goals are those for a hundred proxies; how many there were is said below the table.
  'routed-many-p50': { title: 'appended to routed, many proxies, p50', ...ms, goal: 1 },
  'routed-many-p99': { title: 'appended to routed, many proxies, p99', ...ms, goal: 10 },
  'routed-many-max': { title: 'appended to routed, many proxies, max', ...msWorst },
  'routed-last-p50': { title: 'appended to routed by the last of many, p50', ...ms },
  'routed-last-p99': { title: 'appended to routed by the last of many, p99', ...ms },
  'acknowledged-many-p50': { title: 'append to acknowledged, many proxies, p50', ...ms },
  'acknowledged-many-p99': { title: 'append to acknowledged, many proxies, p99', ...ms },

  // The floor was set with events of some hundred bytes; a declared release has seven times as many.
  'projected-small': {
    title: 'read, decoded and projected: small events',
    ...perSecond,
    floor: 200_000,
    goal: 300_000,
  },
  'projected-small-cpu': { title: 'the same per second of CPU', ...perSecond },
  'projected-deploys': { title: 'the same: deploys', ...perSecond },
  'projected-deploys-cpu': { title: 'the same per second of CPU', ...perSecond },
  'projected-deploys-memory': { title: 'memory after that replay', ...megabytes },
  'projected-declared': { title: 'the same: ReleaseDeclared only', ...perSecond },
  'projected-declared-cpu': { title: 'the same per second of CPU', ...perSecond },

  // The floor was set for what a table costs, without the start of a process around it.
  'load-routes': {
    title: 'snapshot of many routes, fetched and read',
    ...ms,
    floor: 250,
    goal: 100,
  },
  'start-empty': { title: 'start, empty log', ...ms },
  'start-empty-cpu': { title: 'its CPU until then, empty log', ...ms },
  'start-routes': { title: 'start, many routes', ...ms },
  'start-routes-cpu': { title: 'its CPU until then, many routes', ...ms },
  'start-routes-copy': { title: 'start, many routes, with local copy', ...ms },
  'start-thousand': { title: 'start, a thousand events', ...ms },
  'start-thousand-cpu': { title: 'its CPU until then, a thousand events', ...ms },
  'start-million': { title: 'start, a million events', ...ms },
  'start-million-cpu': { title: 'its CPU until then, a million events', ...ms },
  'start-million-copy': { title: 'start, a million events, with local copy', ...ms },
  'start-history': {
    title: 'start, a million against a thousand',
    ...times,
    floor: 1.25,
    goal: 1.05,
  },
  'memory-empty': { title: 'memory, empty log', ...megabytes },
  'memory-routes': { title: 'memory, many routes', ...megabytes },
  'memory-routes-copy': { title: 'memory, many routes, with local copy', ...megabytes },
  'memory-thousand': { title: 'memory, a thousand events', ...megabytes },
  'memory-million': { title: 'memory, a million events', ...megabytes },
  'memory-million-copy': { title: 'memory, a million events, with local copy', ...megabytes },
  'memory-history': {
    title: 'memory, a million against a thousand',
    ...times,
    floor: 1.25,
    goal: 1.05,
  },
} satisfies Record<string, Figure>

export const figureOf = (name: FigureName): Figure => FIGURES[name]

// The keys of a record that is written down here are just its names.
export const FIGURE_NAMES = Object.keys(FIGURES) as readonly FigureName[]
