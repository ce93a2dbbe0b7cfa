/** `show SERVICE`: everything that is known of one service. */
import { releaseOf, type KnownRelease, type Service } from '@gatehouse/domain'
import { openReplica, type Fleet } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput, plain } from '../output/output.ts'
import { table } from '../output/table.ts'
import { withSession } from '../session.ts'
import { sayDuration } from '../spec/duration.ts'
import { totalOf, workOf } from '../wait/work.ts'
import { findService } from './find-service.ts'
import { sayDrain } from './list.ts'
import { outputOptions, type GlobalOptions } from './options.ts'
import { sayFailure, sayOutcome, sayUnverified } from './say-event.ts'
import { drainStarts, viewOf, type ServiceView } from './service-view.ts'

export const show = (io: Io, name: string, options: GlobalOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  return withSession(io, output, async ({ log, readFleet }) => {
    const { table: routes, place } = await openReplica(log)
    const found = findService(routes.gateway, name)
    if ('problem' in found) {
      output.warn(`Cannot show: ${found.problem}`)
      return EXIT.failed
    }
    const { service } = found
    const [fleet, starts] = await Promise.all([readFleet(), drainStarts(log, routes.gateway)])
    const view = viewOf(service, fleet, starts)
    output.answer(
      {
        ...view,
        position: place.position,
        traffic: service.traffic,
        previous: releaseOf(service, service.previous)?.release.id,
        lastFailure: service.failure,
        releases: service.releases.map((known) => releaseDocument(known, service, fleet)),
      },
      () => textOf(service, view, fleet),
    )
    return EXIT.ok
  })
}

const releaseDocument = (known: KnownRelease, service: Service, fleet: Fleet): unknown => ({
  ...known.release,
  revision: known.revision,
  status: known.status,
  ejected: known.ejected,
  drained: known.drained,
  inFlight: totalOf(workOf(fleet, service.name, known.revision)),
})

const textOf = (service: Service, view: ServiceView, fleet: Fleet): string => {
  const active = releaseOf(service, service.active)?.release
  const previous = releaseOf(service, service.previous)?.release.id
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['service', `${service.name} (version ${service.version})`],
    ['state', stateText(service, view)],
    ['hosts', service.hosts.join(', ')],
    ['active', active?.id],
    ['targets', `${view.targets.join(', ')}${active === undefined ? '' : sayUnverified(active)}`],
    ['candidate', view.candidate],
    ['previous', previous],
    ['draining', view.draining.map((drain) => sayDrain(drain, fleet.now)).join(', ')],
    ['health', active === undefined ? undefined : healthText(active.health)],
    ['drain', active === undefined ? undefined : sayMs(active.drainMs)],
    ['metadata', labelsText(active?.metadata ?? {})],
  ]
  const width = Math.max(...facts.map(([name]) => name.length))
  const lines = facts.map(([name, value]) => `${name.padEnd(width)}  ${plain(value || '-')}\n`)
  const releases = table(
    ['release', 'status', 'targets', 'ejected', 'in flight', 'last drain'],
    service.releases.map((known) => {
      const { requests, upgraded } = totalOf(workOf(fleet, service.name, known.revision))
      return [
        known.release.id,
        known.status,
        known.release.targets.map(({ url }) => url).join(','),
        known.ejected.join(','),
        requests + upgraded,
        known.drained === undefined ? undefined : sayOutcome(known.drained),
      ]
    }),
  )
  return `${lines.join('')}${failureText(service)}\n${releases}`
}

const stateText = (service: Service, view: ServiceView): string => {
  const { traffic } = service
  switch (traffic.mode) {
    case 'running':
      return view.state
    case 'paused':
      return `paused, requests wait up to ${sayDuration(traffic.holdMs)}`
    case 'stopped':
      return `stopped: ${traffic.message === '' ? 'no message' : traffic.message}`
  }
}

const failureText = ({ failure }: Service): string => {
  if (failure === undefined) return ''
  const sentence = `last failure: release ${failure.release}: ${sayFailure(failure.failure)}`
  const excerpt = failure.failure.kind === 'unhealthy' ? (failure.failure.excerpt ?? '') : ''
  return `${plain(sentence)}\n${excerpt === '' ? '' : `  it answered: ${plain(excerpt)}\n`}`
}

type Health = KnownRelease['release']['health']

const questionText = ({ grpc, method, path, statusMin, statusMax }: Health): string =>
  grpc === undefined
    ? `${method} ${path}, ${statusMin}-${statusMax}`
    : `gRPC${grpc === '' ? '' : ` ${grpc}`}, SERVING`

const healthText = (health: Health): string =>
  health.skip
    ? 'not checked'
    : `${questionText(health)} within ${sayDuration(health.timeoutMs)}, ${health.require} of the targets`

const sayMs = (ms: number | 'infinity'): string =>
  ms === 'infinity' ? 'until idle' : `up to ${sayDuration(ms)}`

const labelsText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ')
