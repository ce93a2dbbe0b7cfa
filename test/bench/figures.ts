/**
 * Every figure that the bench can measure, in the order of the table, with what it is held to. A *floor*
 * is what no change may fall below: missing one fails the run. A *goal* is where the work is heading.
 * A figure without either is there to explain its neighbours.
 */

export interface Figure {
  readonly title: string
  readonly unit: 'ms' | 'events/s' | 'MB' | 'KB' | '×'
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
const kilobytes = { unit: 'KB', better: 'less', counts: 'median' } as const
const timesMore = { unit: '×', better: 'more', counts: 'median' } as const
const times = { unit: '×', better: 'less', counts: 'median' } as const

const EVENTS = {
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

const HTTP = {
  // The data path: requests per second of the proxy's own processor time, in the same turn as the peer's.
  'small-get-nginx': { title: 'small GET against nginx', ...timesMore, floor: 0.95, goal: 1.05 },
  'small-get-haproxy': { title: 'small GET against HAProxy', ...timesMore, floor: 1, goal: 1.1 },
  'small-get-caddy': { title: 'small GET against Caddy', ...timesMore, floor: 3.8, goal: 4.5 },
  'small-get-http-proxy-3': { title: 'small GET against http-proxy-3', ...timesMore, floor: 4.5 },
  'small-get-direct': { title: 'small GET, share of direct', ...timesMore, floor: 0.7, goal: 0.85 },
  'small-get-net-nginx': {
    title: 'small GET with node:net alone, against nginx',
    ...timesMore,
    floor: 0.8,
    goal: 0.9,
  },
  'small-get-net-caddy': {
    title: 'small GET with node:net alone, against Caddy',
    ...timesMore,
    floor: 3.2,
  },
  'browser-get-nginx': {
    title: 'GET with the head of a browser against nginx',
    ...timesMore,
    floor: 0.85,
    goal: 1,
  },
  'browser-get-caddy': {
    title: 'GET with the head of a browser against Caddy',
    ...timesMore,
    floor: 4,
  },
  'post-nginx': { title: 'POST 10 KB against nginx', ...timesMore, floor: 0.85, goal: 1 },
  'post-caddy': { title: 'POST 10 KB against Caddy', ...timesMore, floor: 4 },
  'get-64k-nginx': { title: 'GET 64 KB against tuned nginx', ...timesMore, floor: 0.65, goal: 0.9 },
  'get-64k-haproxy': { title: 'GET 64 KB against HAProxy', ...timesMore, floor: 1 },
  'get-1m-nginx': { title: 'GET 1 MB against tuned nginx', ...timesMore, floor: 0.9, goal: 1.2 },
  'get-1m-caddy': { title: 'GET 1 MB against Caddy', ...timesMore, floor: 1.3 },
  'connect-nginx': {
    title: 'connection per request against nginx',
    ...timesMore,
    floor: 0.8,
    goal: 1,
  },
  'connect-caddy': { title: 'connection per request against Caddy', ...timesMore, floor: 2 },
  'paced-nginx': { title: 'p99 at 10 000 requests/s against nginx', ...times, floor: 1.3, goal: 1 },
  'paced-haproxy': { title: 'p99 at 10 000 requests/s against HAProxy', ...times, floor: 1 },
  'thousand-nginx': {
    title: '1 000 connections against nginx',
    ...timesMore,
    floor: 0.9,
    goal: 1.05,
  },
  'thousand-haproxy': {
    title: '1 000 connections against HAProxy',
    ...timesMore,
    floor: 1,
    goal: 1.1,
  },
  'http2-nginx': {
    title: 'HTTP/2, 16 × 8 streams, against nginx',
    ...timesMore,
    floor: 1.2,
    goal: 1.4,
  },
  'http2-haproxy': { title: 'HTTP/2, 16 × 8 streams, against HAProxy', ...timesMore, goal: 1.1 },
  'http2-caddy': { title: 'HTTP/2, 16 × 8 streams, against Caddy', ...timesMore, floor: 6 },
  'http2-one-stream-nginx': {
    title: 'HTTP/2, 64 × 1 stream, against nginx',
    ...timesMore,
    floor: 0.85,
    goal: 1,
  },
  'http2-one-stream-caddy': { title: 'HTTP/2, 64 × 1 stream, against Caddy', ...timesMore },
  'http2-target-haproxy': { title: 'target of HTTP/2 against HAProxy', ...timesMore },
  'http2-target-caddy': { title: 'target of HTTP/2 against Caddy', ...timesMore },
  'websocket-nginx': {
    title: 'WebSocket messages against nginx',
    ...timesMore,
    floor: 0.65,
    goal: 1,
  },
  'websocket-haproxy': { title: 'WebSocket messages against HAProxy', ...timesMore, floor: 0.95 },
  'idle-websocket': {
    title: 'memory per idle WebSocket, both sides',
    ...kilobytes,
    floor: 5,
    goal: 4,
  },
  'idle-http': { title: 'memory per idle connection', ...kilobytes, floor: 3.5, goal: 2.3 },
  'memory-idle': { title: 'memory of a proxy at rest (RSS)', ...megabytes, floor: 80, goal: 60 },
  'memory-load': {
    title: 'memory of a proxy under load (PSS)',
    ...megabytes,
    floor: 110,
    goal: 70,
  },
} satisfies Record<string, Figure>

const FIGURES = { ...HTTP, ...EVENTS }

export const figureOf = (name: FigureName): Figure => FIGURES[name]

// The keys of a record that is written down here are just its names.
export const FIGURE_NAMES = Object.keys(FIGURES) as readonly FigureName[]
export const EVENT_FIGURE_NAMES = Object.keys(EVENTS) as readonly FigureName[]
