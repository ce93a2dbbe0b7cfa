/**
 * How tests speak of the domain: `given(past…).when(command).records(event…)`. It throws plain errors
 * that carry what was expected and what came, so that any test runner can show the difference.
 */
import { subjectOf, type Command, type Deploy, type HealthOutcome } from './command.ts'
import { decide } from './decide.ts'
import type { Decision } from './decision.ts'
import { servicesOf, type GatewayEvent } from './event.ts'
import { evolve } from './evolve.ts'
import { emptyGateway, type Gateway } from './gateway.ts'
import { createHostTable, matchHost, moveHosts, type HostTable } from './host-table.ts'
import type { Rejection } from './rejection.ts'
import { DRAIN_MS_DEFAULT, HEALTH_DEFAULTS, LIMIT_DEFAULTS, type Release } from './release.ts'
import { project, tableOf, type Route, type RouteTable } from './routes.ts'

/** What is in the log: events as they are, or commands, which add the events they lead to. */
export type Past = GatewayEvent | Command

export interface Given {
  readonly gateway: Gateway
  /** Everything that the past has recorded, oldest first. */
  readonly events: readonly GatewayEvent[]
  readonly when: (command: Command) => Outcome
}

export interface Outcome {
  readonly decision: Decision
  /** Throws unless the command led to exactly these events. */
  readonly records: (...events: readonly GatewayEvent[]) => void
  /** Throws unless it led to events of exactly these types. */
  readonly recordsTypes: (...types: readonly GatewayEvent['type'][]) => void
  /** Throws unless the command was accepted and there was nothing to record. */
  readonly recordsNothing: () => void
  /** Throws unless the command was refused for that reason, and with these details where given. */
  readonly isRejected: (reason: Rejection['reason'], details?: object) => void
}

/** Throws when a command of the past is refused: a test must not start from what cannot be. */
export const given = (...past: readonly Past[]): Given => {
  const gateway = emptyGateway()
  const events: GatewayEvent[] = []
  for (const each of past) {
    for (const event of isCommand(each) ? acceptedBy(each, gateway) : [each]) {
      events.push(event)
      evolve(gateway, event)
    }
  }
  return { gateway, events, when: (command) => outcomeOf(decide(command, gateway)) }
}

/** A valid release with every default; its target is named after it. */
export const release = (id: string, overrides: Partial<Omit<Release, 'id'>> = {}): Release => ({
  id,
  hosts: ['app.example'],
  targets: [{ url: `http://${id}.internal:3000` }],
  health: HEALTH_DEFAULTS,
  drainMs: DRAIN_MS_DEFAULT,
  limits: LIMIT_DEFAULTS,
  hostHeader: 'preserve',
  metadata: {},
  ...overrides,
})

export const deploy = (
  service: string,
  what: Release,
  overrides: Partial<Omit<Deploy, 'type' | 'service' | 'release'>> = {},
): Deploy => ({
  type: 'Deploy',
  service,
  release: what,
  stage: false,
  takeOver: false,
  ifAbsent: false,
  ...overrides,
})

/** A health report that the candidate of that generation has passed. */
export const passed = (
  service: string,
  generation: number,
  failing: readonly string[] = [],
): Command => ({
  type: 'ReportHealth',
  service,
  generation,
  outcome: { kind: 'passed', attempts: 1, tookMs: 12, failing },
})

/** A health report that the candidate of that generation has not passed. */
export const failed = (
  service: string,
  generation: number,
  details: Partial<Extract<HealthOutcome, { kind: 'failed' }>> = {},
): Command => ({
  type: 'ReportHealth',
  service,
  generation,
  outcome: {
    kind: 'failed',
    target: 'http://dead.internal:3000',
    reason: 'GET http://dead.internal:3000/up was refused',
    attempts: 5,
    tookMs: 5_000,
    ...details,
  },
})

/** A report that the fleet holds no more work of what drains in that generation. */
export const drained = (service: string, generation: number): Command => ({
  type: 'ReportDrain',
  service,
  generation,
  outcome: { kind: 'drained', unreachable: [] },
})

/** The compiler says so when a command is missing here. */
const COMMANDS = {
  Deploy: true,
  Switch: true,
  Rollback: true,
  Drain: true,
  Pause: true,
  Resume: true,
  Stop: true,
  Remove: true,
  ReportHealth: true,
  ReportTarget: true,
  ReportDrain: true,
  RequestCertificate: true,
  ImportCertificate: true,
  RevokeCertificate: true,
  RemoveCertificate: true,
  ReportChallenge: true,
  ReportCertificate: true,
  ReportRevocation: true,
} satisfies Record<Command['type'], true>

const isCommand = (past: Past): past is Command => past.type in COMMANDS

const acceptedBy = (command: Command, gateway: Gateway): readonly GatewayEvent[] => {
  const decision = decide(command, gateway)
  if ('accepted' in decision) return decision.accepted
  throw new Error(
    `The past cannot hold a ${command.type} of ${Object.values(subjectOf(command)).join()}: it is refused with ${JSON.stringify(decision.rejected)}.`,
  )
}

const outcomeOf = (decision: Decision): Outcome => ({
  decision,
  records: (...events) => {
    check(decision, { accepted: events })
  },
  recordsTypes: (...types) => {
    const actual = 'accepted' in decision ? decision.accepted.map(({ type }) => type) : decision
    check(actual, types)
  },
  recordsNothing: () => {
    check(decision, { accepted: [] })
  },
  isRejected: (reason, details) => {
    if (!('rejected' in decision)) return check(decision, { rejected: { reason, ...details } })
    const actual = details === undefined ? { reason: decision.rejected.reason } : decision.rejected
    check(actual, { reason, ...details })
  },
})

const check = (actual: unknown, expected: unknown): void => {
  if (canonical(actual) === canonical(expected)) return
  const message = `expected ${canonical(expected)}\nbut got  ${canonical(actual)}`
  // Runners look for these fields to print a difference.
  throw Object.assign(new Error(message), { actual, expected, showDiff: true })
}

const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )

/** A route table, and the hosts that lead to its services: what a proxy has. */
export interface Routing {
  readonly table: RouteTable
  readonly hosts: HostTable<string>
}

export const routingOf = (gateway: Gateway): Routing => {
  const routing = { table: tableOf(gateway), hosts: createHostTable<string>() }
  for (const { service, hosts } of routing.table.routes.values()) {
    moveHosts(routing.hosts, [], hosts, service)
  }
  return routing
}

/** Follows one event as a proxy does: service by service, in the order in which `project` names them. */
export const follow = ({ table, hosts }: Routing, event: GatewayEvent): readonly string[] => {
  const hostsOf = (name: string) => table.routes.get(name)?.hosts ?? []
  const before = new Map(servicesOf(event).map((name) => [name, hostsOf(name)]))
  const touched = project(table, event)
  for (const name of touched) moveHosts(hosts, before.get(name) ?? [], hostsOf(name), name)
  return touched
}

/** The route that answers for a host. */
export const routeTo = ({ table, hosts }: Routing, host: string | undefined): Route | undefined => {
  const service = matchHost(hosts, host)
  return service === undefined ? undefined : table.routes.get(service)
}
