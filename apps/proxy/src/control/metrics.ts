/** What a scraper reads: the proxy's numbers in the text format of Prometheus. */
import type { DataPlane } from '../data-plane.ts'
import type { FollowerView } from './follower.ts'

export interface MetricsParts {
  readonly id: string
  readonly version: string
  readonly dataPlane: Pick<DataPlane, 'answers' | 'counters' | 'work'> & {
    readonly certificates: Pick<DataPlane['certificates'], 'rows'>
  }
  readonly view: FollowerView
  readonly redisConnected: boolean
  readonly now: number
}

export const metricsText = ({
  id,
  version,
  dataPlane,
  view,
  redisConnected,
  now,
}: MetricsParts): string => {
  const { counters } = dataPlane
  const lines: string[] = []
  const add = (
    name: string,
    kind: 'counter' | 'gauge',
    help: string,
    samples: readonly Sample[],
  ) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`)
    for (const { labels, value } of samples) lines.push(`${name}${labelText(labels)} ${value}`)
  }
  const one = (value: number): readonly Sample[] => [{ labels: {}, value }]

  add('gatehouse_build_info', 'gauge', 'Always 1; who and what this is.', [
    { labels: { version, node: process.version, proxy: id }, value: 1 },
  ])
  add(
    'gatehouse_http_requests_total',
    'counter',
    'Answers of releases, by the class of their status.',
    dataPlane
      .answers()
      .flatMap(({ service, release, revision, answers }) =>
        answers.flatMap((value, hundreds) =>
          hundreds === 0
            ? []
            : [{ labels: { service, release, revision, code: `${hundreds}xx` }, value }],
        ),
      ),
  )
  add(
    'gatehouse_http_failures_total',
    'counter',
    'Answers of the proxy itself, by reason.',
    Object.entries(counters.failures).map(([reason, value]) => ({ labels: { reason }, value })),
  )
  const work = dataPlane.work()
  add(
    'gatehouse_http_in_flight_requests',
    'gauge',
    'Requests that hold a target.',
    work.map(({ service, release, revision, requests }) => ({
      labels: { service, release, revision },
      value: requests,
    })),
  )
  add(
    'gatehouse_upgraded_connections',
    'gauge',
    'WebSockets and other upgraded connections that hold a target.',
    work.map(({ service, release, revision, upgraded }) => ({
      labels: { service, release, revision },
      value: upgraded,
    })),
  )
  add(
    'gatehouse_upgraded_ended_total',
    'counter',
    'WebSockets and other upgraded connections that are over, by how they ended.',
    Object.entries(counters.upgradedEnds).map(([reason, value]) => ({ labels: { reason }, value })),
  )
  add(
    'gatehouse_http_truncated_total',
    'counter',
    'Answers that were begun and broke off.',
    one(counters.truncated),
  )
  add(
    'gatehouse_http_abandoned_total',
    'counter',
    'Clients that left before their answer was complete.',
    one(counters.abandoned),
  )
  add(
    'gatehouse_retries_total',
    'counter',
    'Requests sent again because nothing had reached a target.',
    one(counters.retried),
  )
  add(
    'gatehouse_second_opinion_refusals_total',
    'counter',
    'Heads refused because two parsers read them differently; 0 unless GATEHOUSE_PARANOID is 1.',
    Object.entries(counters.disagreements).map(([message, value]) => ({
      labels: { message },
      value,
    })),
  )
  add(
    'gatehouse_http2_connections_total',
    'counter',
    'Connections of clients that speak HTTP/2.',
    one(counters.http2.connections),
  )
  add(
    'gatehouse_http2_calmed_total',
    'counter',
    'Of those, closed because they flooded the proxy with what is worth nothing.',
    one(counters.http2.calmed),
  )
  add(
    'gatehouse_client_connections',
    'gauge',
    'Open connections of clients.',
    one(counters.clients.open),
  )
  add(
    'gatehouse_client_connections_total',
    'counter',
    'Connections accepted from clients.',
    one(counters.clients.accepted),
  )
  add(
    'gatehouse_client_connections_refused_total',
    'counter',
    'Connections reset because there were too many: in all, or from one address.',
    Object.entries(counters.clients.refused).map(([limit, value]) => ({
      labels: { limit },
      value,
    })),
  )
  add(
    'gatehouse_tls_handshakes_total',
    'counter',
    'TLS handshakes with clients, by how they ended.',
    Object.entries(counters.handshakes).map(([outcome, value]) => ({
      labels: { outcome },
      value,
    })),
  )
  add(
    'gatehouse_cert_not_after_seconds',
    'gauge',
    'When a certificate that this proxy serves expires, in Unix time.',
    dataPlane.certificates.rows().map(({ name, bundle }) => ({
      labels: { certificate: name },
      value: Math.floor(bundle.notAfter / 1_000),
    })),
  )
  add(
    'gatehouse_upstream_connections',
    'gauge',
    'Open connections to targets.',
    one(counters.upstreams.open),
  )
  add(
    'gatehouse_upstream_connections_total',
    'counter',
    'Connections opened to targets.',
    one(counters.upstreams.opened),
  )
  add(
    'gatehouse_route_table_position',
    'gauge',
    'The position of the log that the routes are at.',
    one(view.position),
  )
  add('gatehouse_route_table_services', 'gauge', 'Services in the route table.', one(view.routes))
  add(
    'gatehouse_route_table_stale_seconds',
    'gauge',
    'How long the log has not confirmed the routes; 0 while it does.',
    one(view.stale === undefined ? 0 : Math.max(0, now - view.stale.sinceMs) / 1_000),
  )
  add(
    'gatehouse_events_quarantined_total',
    'counter',
    'Events that could not be understood.',
    one(view.quarantine.total),
  )
  add(
    'gatehouse_redis_connected',
    'gauge',
    '1 while Redis hears this proxy.',
    one(redisConnected ? 1 : 0),
  )
  return `${lines.join('\n')}\n`
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

const labelText = (labels: Sample['labels']): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
