/** What the tests of this library start from: one event of every type, and histories that can be. */
import {
  decide,
  emptyGateway,
  evolve,
  HEALTH_DEFAULTS,
  LIMIT_DEFAULTS,
  type Command,
  type Deploy,
  type GatewayEvent,
  type Release,
} from '@gatehouse/domain'
import { CERTIFICATE_EXAMPLES } from './testing-certificates.ts'
import type { AppendOptions, EventLog, Meta, Place, Recorded } from './log.ts'

type Examples = {
  readonly [Type in GatewayEvent['type']]: readonly [
    Extract<GatewayEvent, { type: Type }>,
    ...Extract<GatewayEvent, { type: Type }>[],
  ]
}

export const meta: Meta = { command: 'command-1', actor: 'ada', tool: 'gatehouse/0' }

export const release = (id: string, overrides: Partial<Omit<Release, 'id'>> = {}): Release => ({
  id,
  hosts: ['app.example'],
  targets: [{ url: `http://${id}.internal:3000` }],
  health: HEALTH_DEFAULTS,
  drainMs: 30_000,
  limits: LIMIT_DEFAULTS,
  hostHeader: 'preserve',
  metadata: {},
  ...overrides,
})

/** A deploy that needs no health report: it is active at once. */
export const deploy = (
  service: string,
  id: string,
  overrides: Partial<Omit<Release, 'id'>> = {},
): Deploy => ({
  type: 'Deploy',
  service,
  release: release(id, {
    hosts: [`${service}.example`],
    health: { ...HEALTH_DEFAULTS, skip: true },
    ...overrides,
  }),
  stage: false,
  takeOver: false,
  ifAbsent: false,
})

const about = { service: 'shop', release: 'v2', revision: 2 }
const attempt = { ...about, generation: 3 }

/** Every type, and every shape that a type can have. */
export const EXAMPLES: Examples = {
  ReleaseDeclared: [
    {
      type: 'ReleaseDeclared',
      service: 'shop',
      release: release('v2', {
        hosts: ['shop.example', '*.shop.example', 'default'],
        targets: [{ url: 'http://10.0.0.5:3000' }, { url: 'unix:/run/shop.sock' }],
        health: { ...HEALTH_DEFAULTS, host: 'probe.example', method: 'HEAD', require: 'any' },
        drainMs: 'infinity',
        limits: { ...LIMIT_DEFAULTS, requestBytesMax: 1_024, webSocketMessageBytesMax: 4_096 },
        timeouts: [
          { path: '/reports', method: 'POST', responseMs: 120_000 },
          { path: '/', idleMs: 5_000 },
        ],
        ingress: {
          tls: 'auto',
          forceHttps: true,
          hstsSeconds: 31_536_000,
          canonicalHost: 'shop.example',
          clientCa: '-----BEGIN CERTIFICATE-----',
        },
        tls: { verify: false, serverName: 'inner.example' },
        hostHeader: 'target',
        metadata: { version: '1.2.3', note: 'größer\nals "x"' },
      }),
      generation: 2,
      stage: true,
      takeOver: true,
    },
    {
      type: 'ReleaseDeclared',
      service: 'shop',
      release: release('v1'),
      generation: 1,
      stage: false,
      takeOver: false,
    },
  ],
  SwitchRequested: [{ type: 'SwitchRequested', ...attempt }],
  ReleasePassed: [
    { type: 'ReleasePassed', ...attempt, attempts: 2, tookMs: 12.5, failing: ['http://a:1'] },
  ],
  ReleaseFailed: [
    {
      type: 'ReleaseFailed',
      ...attempt,
      failure: {
        kind: 'unhealthy',
        target: 'http://a:1',
        reason: 'GET http://a:1/up answered 503, expected 200-399',
        status: 503,
        excerpt: 'down',
        attempts: 5,
        tookMs: 5_000,
      },
    },
    {
      type: 'ReleaseFailed',
      ...attempt,
      failure: { kind: 'unhealthy', target: 'http://a:1', reason: '', attempts: 0, tookMs: 0 },
    },
    {
      type: 'ReleaseFailed',
      ...attempt,
      failure: { kind: 'host-taken', host: 'shop.example', owner: 'other' },
    },
    { type: 'ReleaseFailed', ...attempt, failure: { kind: 'superseded', by: 4 } },
  ],
  ReleaseSuperseded: [{ type: 'ReleaseSuperseded', ...attempt, by: 4 }],
  ReleaseActivated: [
    {
      type: 'ReleaseActivated',
      ...attempt,
      takenOver: [{ service: 'other', hosts: ['shop.example'] }],
    },
  ],
  DrainStarted: [
    { type: 'DrainStarted', ...attempt, drainMs: 0 },
    { type: 'DrainStarted', ...attempt, drainMs: 'infinity' },
  ],
  DrainEnded: [
    { type: 'DrainEnded', ...attempt, outcome: { kind: 'drained', unreachable: ['proxy-2'] } },
    { type: 'DrainEnded', ...attempt, outcome: { kind: 'timed-out', cut: 3, unreachable: [] } },
    { type: 'DrainEnded', ...attempt, outcome: { kind: 'cancelled' } },
  ],
  TargetEjected: [{ type: 'TargetEjected', ...about, target: 'http://a:1', reason: 'refused' }],
  TargetRestored: [{ type: 'TargetRestored', ...about, target: 'http://a:1' }],
  ServicePaused: [{ type: 'ServicePaused', service: 'shop', holdMs: 30_000 }],
  ServiceResumed: [{ type: 'ServiceResumed', service: 'shop' }],
  ServiceStopped: [{ type: 'ServiceStopped', service: 'shop', message: 'Back at noon.' }],
  ServiceRemoved: [{ type: 'ServiceRemoved', service: 'shop' }],
  ...CERTIFICATE_EXAMPLES,
}

export const paused = (service: string, holdMs = 1_000): GatewayEvent => ({
  type: 'ServicePaused',
  service,
  holdMs,
})

export const appendMany = (log: EventLog, services: readonly string[]): Promise<void> =>
  appendAll(
    log,
    services.map((service) => paused(service)),
  )

export const positionsOf = (entries: readonly Recorded[]): readonly number[] =>
  entries.map(({ position }) => position)

export const allExamples: readonly GatewayEvent[] = Object.values(EXAMPLES).flat()

/** What the commands lead to, one after the other. Throws when one of them is refused. */
export const historyOf = (commands: readonly Command[]): readonly GatewayEvent[] => {
  const gateway = emptyGateway()
  return commands.flatMap((command) => {
    const decision = decide(command, gateway)
    if ('rejected' in decision) throw new Error(JSON.stringify(decision.rejected))
    for (const event of decision.accepted) evolve(gateway, event)
    return decision.accepted
  })
}

/** A history in which services are in every state that there is. */
export const variedHistory = (services = 6): readonly GatewayEvent[] =>
  historyOf(
    Array.from({ length: services }, (_, index) => `s${index}`).flatMap(
      (name, index): Command[] => [
        deploy(name, 'v1', { metadata: { zone: 'b', commit: name } }),
        deploy(name, 'v2', { hosts: [`${name}.example`, `*.${name}.example`] }),
        { ...deploy(name, 'v3'), stage: true },
        ...variedEnd(name, index),
      ],
    ),
  )

const variedEnd = (service: string, index: number): readonly Command[] => {
  switch (index % 6) {
    case 0:
      return [{ type: 'Pause', service, holdMs: 5_000 }]
    case 1:
      return [{ type: 'Stop', service, message: 'Back at noon.' }]
    case 2:
      return [{ type: 'Drain', service, drainMs: 'infinity' }]
    case 3:
      return [{ type: 'Rollback', service }]
    case 4:
      return [{ type: 'Remove', service }]
    default:
      return [
        {
          ...deploy(service, 'v4', { health: HEALTH_DEFAULTS, hosts: [`new-${service}.example`] }),
          stage: false,
        },
      ]
  }
}

let keys = 0

/** What an append needs, with a key that nobody else uses. */
export const options = (
  readPosition: number,
  more: Partial<AppendOptions> = {},
): AppendOptions => ({
  readPosition,
  scopes: [],
  idempotencyKey: `key-${++keys}`,
  meta,
  ...more,
})

/** Appends the events in the order given, one append each, whatever the log has. */
export const appendAll = async (log: EventLog, events: readonly GatewayEvent[]): Promise<void> => {
  for (const event of events) await log.append([event], options(0))
}

export const readAll = async (log: EventLog, after: Place): Promise<readonly Recorded[]> => {
  const all: Recorded[] = []
  for await (const page of log.read(after)) all.push(...page)
  return all
}
