/** What fleets write into their logs: the events that a real fleet's commands lead to, without end. */
import {
  decide,
  DRAIN_MS_DEFAULT,
  emptyGateway,
  evolve,
  HEALTH_DEFAULTS,
  LIMIT_DEFAULTS,
  type Command,
  type Gateway,
  type GatewayEvent,
  type Release,
} from '@gatehouse/domain'

/** Events that are appended together. */
export type Together = readonly [GatewayEvent, ...GatewayEvent[]]

export interface History {
  /** The state that everything so far has led to. */
  readonly gateway: Gateway
  readonly appends: Iterator<Together, never>
}

/** Deploys of the services in turn. The domain decides, so each event is one that a fleet could have. */
export const deploysOf = (services: number): History => {
  const gateway = emptyGateway()
  function* appends(): Generator<Together, never> {
    for (let deploys = 0; ; deploys++) {
      const service = nameOf(deploys % services)
      yield* deployOf(gateway, service, releaseFor(service, deploys))
    }
  }
  return { gateway, appends: appends() }
}

/**
 * One deploy into a state, which changes on the way: declared; passed, activated and the drain of the
 * release before started; the drain ended.
 */
export function* deployOf(
  gateway: Gateway,
  service: string,
  release: Release,
): Generator<Together, void> {
  const decided = (command: Command): Together => {
    const decision = decide(command, gateway)
    const [first, ...others] = 'accepted' in decision ? decision.accepted : []
    if (first === undefined) throw new Error(`A ${command.type} led to nothing.`)
    for (const event of [first, ...others]) evolve(gateway, event)
    return [first, ...others]
  }
  const chosen = { stage: false, takeOver: false, ifAbsent: false }
  yield decided({ type: 'Deploy', service, release, ...chosen })
  yield decided({
    type: 'ReportHealth',
    service,
    generation: gateway.generation,
    outcome: { kind: 'passed', attempts: 1, tookMs: 12, failing: [] },
  })
  const [drain] = gateway.services.get(service)?.drains ?? []
  if (drain === undefined) return
  yield decided({
    type: 'ReportDrain',
    service,
    generation: drain.generation,
    outcome: { kind: 'drained', unreachable: [] },
  })
}

/** The smallest events there are: each service, once declared, is paused and resumed in turn. */
export const pausesOf = (services: number): History => {
  const { gateway, appends: declarations } = declarationsOf(services)
  function* appends(): Generator<Together, never> {
    for (let declared = 0; declared < services; declared++) yield declarations.next().value
    for (let pauses = 0; ; pauses++) {
      const service = nameOf(pauses % services)
      yield [{ type: 'ServicePaused', service, holdMs: 30_000 }]
      yield [{ type: 'ServiceResumed', service }]
    }
  }
  return { gateway, appends: appends() }
}

/** Nothing but ReleaseDeclared, the largest event there is, for the services in turn. */
export const declarationsOf = (services: number): History => {
  const gateway = emptyGateway()
  function* appends(): Generator<Together, never> {
    for (let generation = 1; ; generation++) {
      const service = nameOf(generation % services)
      const release = releaseFor(service, generation)
      const event: GatewayEvent = {
        type: 'ReleaseDeclared',
        service,
        release,
        generation,
        stage: false,
        takeOver: false,
      }
      evolve(gateway, event)
      yield [event]
    }
  }
  return { gateway, appends: appends() }
}

const nameOf = (number: number): string => `service-${number}`

export const releaseFor = (service: string, number: number): Release => ({
  id: `release-${number}`,
  hosts: [`${service}.example`],
  targets: [{ url: `http://10.${number & 127}.${(number >> 7) & 255}.7:3000` }],
  health: HEALTH_DEFAULTS,
  drainMs: DRAIN_MS_DEFAULT,
  limits: LIMIT_DEFAULTS,
  hostHeader: 'preserve',
  metadata: { version: `1.${number}` },
})
