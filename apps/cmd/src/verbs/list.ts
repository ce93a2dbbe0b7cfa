/** `list`: every service with its hosts, its active release, and what goes on with it. */
import { openReplica } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput, type Paint } from '../output/output.ts'
import { table } from '../output/table.ts'
import { withSession } from '../session.ts'
import { outputOptions, type GlobalOptions } from './options.ts'
import {
  drainStarts,
  viewOf,
  type DrainView,
  type ServiceState,
  type ServiceView,
} from './service-view.ts'

export const list = (io: Io, options: GlobalOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  return withSession(io, output, async ({ log, readFleet }) => {
    const { table: routes } = await openReplica(log)
    const [fleet, starts] = await Promise.all([readFleet(), drainStarts(log, routes.gateway)])
    const views = [...routes.gateway.services.values()]
      .map((service) => viewOf(service, fleet, starts))
      .toSorted((one, other) => (one.service < other.service ? -1 : 1))
    output.answer(views, () =>
      views.length === 0 ? EMPTY : textOf(views, fleet.now, output.paint),
    )
    return EXIT.ok
  })
}

const EMPTY = 'no services: nothing is deployed yet'

const textOf = (views: readonly ServiceView[], nowMs: number, paint: Paint): string => {
  const rows = views.map((view) => [
    view.service,
    view.hosts.join(','),
    view.active,
    paint[STATE_PAINT[view.state]](view.state),
    view.candidate,
    view.draining.map((drain) => sayDrain(drain, nowMs)).join(', '),
  ])
  const failures = views.flatMap(({ service, failure }) =>
    failure === undefined ? [] : [`${service}: the last deploy failed: ${failure}\n`],
  )
  return (
    table(['service', 'hosts', 'active', 'state', 'candidate', 'draining'], rows) +
    failures.join('')
  )
}

const STATE_PAINT = {
  running: 'good',
  paused: 'fair',
  stopped: 'fair',
  failed: 'bad',
  idle: 'faint',
  removed: 'faint',
} as const satisfies Record<ServiceState, keyof Paint>

/** `blue (2 in flight, 12 s left)` */
export const sayDrain = (drain: DrainView, nowMs: number): string => {
  const inFlight = `${drain.requests + drain.upgraded} in flight`
  const { deadline } = drain
  if (deadline === undefined) return `${drain.release} (${inFlight})`
  if (deadline === 'infinity') return `${drain.release} (${inFlight}, no deadline)`
  const leftMs = Math.max(0, Date.parse(deadline) - nowMs)
  return `${drain.release} (${inFlight}, ${Math.ceil(leftMs / 1_000)} s left)`
}
