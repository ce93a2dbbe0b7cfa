/** Everything that clients do, side by side, at a pace that a small machine can keep up for hours. */
import type { LoadPlan } from '../bench/scenarios/load/plan.ts'
import { HOST } from '../bench/scenarios/stage.ts'
import { DOWNLOAD_BYTES } from '../bench/scenarios/target-task.ts'

/** A plan without where it goes and how often. */
type Kind = LoadPlan extends infer Plan
  ? Plan extends LoadPlan
    ? Omit<Plan, 'ports' | 'host' | 'connections'>
    : never
  : never

/**
 * Those that open a connection each time pause for longer: a closed one keeps its port for a minute,
 * and a machine has some ten thousands of them.
 */
const MIX: readonly Kind[] = [
  { book: 'keep-alive requests', kind: 'requests', pauseMs: 10 },
  { book: 'new connections', kind: 'requests', pauseMs: 100, requestsPerConnection: 1 },
  { book: 'uploads', kind: 'requests', pauseMs: 50, uploadBytes: 300_000 },
  { book: 'downloads', kind: 'streams', pauseMs: 100, path: '/download' },
  {
    book: 'downloads left half-way',
    kind: 'streams',
    pauseMs: 100,
    path: '/download',
    cutAfterBytes: DOWNLOAD_BYTES / 2,
  },
  { book: 'event streams', kind: 'streams', pauseMs: 100, path: '/events' },
  {
    book: 'event streams left half-way',
    kind: 'streams',
    pauseMs: 100,
    path: '/events',
    cutAfterBytes: 40,
  },
  { book: 'WebSockets', kind: 'sockets', pauseMs: 50, messagesPerSocket: 10 },
]

export const KINDS: readonly string[] = MIX.map(({ book }) => book)

/** Spread over the kinds, at least one each. */
export const mixOf = (ports: readonly number[], connections: number): readonly LoadPlan[] =>
  MIX.map((kind, index) => {
    const others = index < connections % MIX.length ? 1 : 0
    const share = Math.floor(connections / MIX.length) + others
    return { ...kind, ports, host: HOST, connections: share }
  })
