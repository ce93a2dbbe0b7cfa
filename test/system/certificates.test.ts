/**
 * Certificates from the spec to the handshake: a real authority that proves names behind DNS round robin,
 * real proxies and workers, and clients who believe nobody but that authority.
 */
import { once } from 'node:events'
import { request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { GatewayEvent } from '@gatehouse/domain'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startFleet, type Settings, type TestFleet } from '../support/fleet.ts'
import { startPebble, whyNoPebble, type Pebble, type PebbleOptions } from '../support/pebble.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const unable = await whyNoPebble()
beforeEach(({ skip }) => {
  if (unable !== undefined) skip(unable)
})

const ISSUED_MS_MAX = 30_000
const SECRET = { GATEHOUSE_SECRET_KEY: 'a7'.repeat(32) }

let blue: Upstream
beforeAll(async () => {
  blue = await startUpstream('blue')
})
afterAll(() => blue.stop())

interface Edge extends AsyncDisposable {
  readonly fleet: TestFleet
  readonly pebble: Pebble
  readonly addresses: readonly string[]
}

/** So many proxies, each at an address of its own; names have all of these addresses, in no order. */
const startEdge = async (
  proxies: number,
  own: Settings = {},
  options: PebbleOptions = {},
): Promise<Edge> => {
  await using stack = new AsyncDisposableStack()
  const pebble = stack.use(await startPebble(options))
  const addresses = Array.from({ length: proxies }, (_, index) => `127.0.0.${index + 1}`)
  pebble.dns.addresses = addresses
  const fleet = stack.use(
    await startFleet({ redisUrl: inject('redisUrl'), proxies: 0, workers: 0 }),
  )
  const starting = addresses.map((address, index) =>
    fleet.startProxy(`proxy-${index + 1}`, {
      ...SECRET,
      GATEHOUSE_LISTEN: `${address}:${pebble.httpPort}`,
      GATEHOUSE_LISTEN_TLS: `${address}:${pebble.tlsPort}`,
    }),
  )
  await Promise.all(starting)
  await fleet.startWorker({
    ...SECRET,
    GATEHOUSE_ACME_DIRECTORY: pebble.directory,
    GATEHOUSE_ACME_CA: pebble.caFile,
    ...own,
  })
  const owned = stack.move()
  return { fleet, pebble, addresses, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const deploy = async ({ fleet }: Edge, hosts: readonly string[]): Promise<void> => {
  const spec = await fleet.spec({ service: 'web', hosts, target_url: blue.url, tls: 'auto' })
  const ran = await fleet.cmd('deploy', spec)
  if (ran.exit !== 0) throw new Error(`exit ${ran.exit}: ${ran.stderr}`)
}

interface Served {
  readonly status: number | undefined
  readonly body: string
  readonly serial: string
}

/** What a client gets who believes the authority alone. Throws where it would not go on. */
const get = async (
  { pebble }: Edge,
  address: string,
  host: string,
  ca: string,
): Promise<Served> => {
  const asking = request({
    host: address,
    port: pebble.tlsPort,
    servername: host,
    headers: { host },
    ca,
    agent: false,
  })
  asking.end()
  const [response] = await once(asking, 'response')
  const { serialNumber } = response.socket.getPeerX509Certificate()
  return { status: response.statusCode, body: await text(response), serial: serialNumber }
}

/** The serial number that all proxies show for the host, once they agree. */
const servedEverywhere = async (edge: Edge, host: string, unlike = ''): Promise<string> => {
  const ca = await edge.pebble.issuingRoot()
  return eventually(
    `all proxies serve ${host}`,
    async () => {
      const served = await Promise.all(edge.addresses.map((each) => get(edge, each, host, ca)))
      const [first] = served
      if (first === undefined || first.serial === unlike) return undefined
      for (const each of served) expect(each).toEqual({ ...first, status: 200, body: 'blue' })
      return first.serial
    },
    ISSUED_MS_MAX,
  )
}

describe('a service with tls: auto', { timeout: 90_000 }, () => {
  it('F5 F6 O1 is served over HTTPS by all of five proxies after its deploy, without a restart', async () => {
    await using edge = await startEdge(5)
    await deploy(edge, ['a.gatehouse.test', 'b.gatehouse.test'])
    const serial = await servedEverywhere(edge, 'a.gatehouse.test')
    expect(await servedEverywhere(edge, 'b.gatehouse.test')).toBe(serial)
    expect([edge.pebble.accounts(), edge.pebble.orders()]).toEqual([1, 1])
    expect(edge.fleet.proxies()).toHaveLength(5)
  })

  it('O2 is proven in the handshake, whichever proxy the authority comes to', async () => {
    await using edge = await startEdge(3, { GATEHOUSE_ACME_CHALLENGES: 'tls-alpn-01' })
    await deploy(edge, ['a.gatehouse.test', 'b.gatehouse.test'])
    await servedEverywhere(edge, 'a.gatehouse.test')
    const rows: readonly { readonly data: GatewayEvent }[] = Object(
      await edge.fleet.json('history', '--limit', '100'),
    )
    const challenges = rows.flatMap(({ data }) =>
      data.type === 'ChallengePublished' ? [data.challenge.kind] : [],
    )
    expect(challenges).toEqual(['tls-alpn-01', 'tls-alpn-01'])
    expect(edge.pebble.orders()).toBe(1)
  })

  it('F12 O3 is renewed in time, on all proxies, under a download that goes on', async () => {
    await using edge = await startEdge(2, {}, { validitySeconds: 12 })
    await deploy(edge, ['a.gatehouse.test'])
    const first = await servedEverywhere(edge, 'a.gatehouse.test')
    const [address = ''] = edge.addresses
    const asking = request({
      host: address,
      port: edge.pebble.tlsPort,
      servername: 'a.gatehouse.test',
      path: '/download',
      headers: { host: 'a.gatehouse.test' },
      ca: await edge.pebble.issuingRoot(),
      agent: false,
    })
    asking.end()
    const [response] = await once(asking, 'response')
    expect(await servedEverywhere(edge, 'a.gatehouse.test', first)).not.toBe(first)
    blue.release()
    expect((await text(response)).length).toBe(Number(response.headers['content-length']))
    expect(edge.pebble.accounts()).toBe(1)
  })
})
