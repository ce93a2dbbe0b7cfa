/** What comes after the first certificate: advice to renew, revocation, hosts on demand, and the fleet's bounds. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createWishes, fleetTag, openRedis } from '@gatehouse/events'
import { beforeEach, describe, expect, inject, it } from 'vitest'
import { openAcmeStore } from '../../../apps/worker/src/acme/redis-store.ts'
import { sealerFor } from '../../../apps/worker/src/bundle-store.ts'
import { startCaFront } from '../../support/ca-front.ts'
import { eventually } from '../../support/eventually.ts'
import { startPebble, whyNoPebble } from '../../support/pebble.ts'
import { ISSUED_MS_MAX, oneProxy, settingsFor, withTls } from './certificate-fleet.ts'
import { openFleet, type TestFleet } from './fleet.ts'

const unable = await whyNoPebble()
beforeEach(({ skip }) => {
  if (unable !== undefined) skip(unable)
})

const issued = async (fleet: TestFleet): Promise<readonly string[]> =>
  (await fleet.history()).flatMap((event) =>
    event.type === 'CertificateIssued' ? [event.fingerprint] : [],
  )

describe('a certificate that is there', { concurrent: true, timeout: 90_000 }, () => {
  it('O3 is renewed early when its authority advises so, in an order that says what it replaces', async () => {
    await using pebble = await startPebble()
    await using front = await startCaFront(pebble.directory)
    front.startsInMs = -5_000
    await using fleet = await openFleet()
    await using _ = await oneProxy(fleet, pebble)
    const worker = fleet.startWorker({ environment: settingsFor(front, pebble) })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    const requested = await fleet.until(
      'CertificateRequested',
      { reason: 'renewal' },
      ISSUED_MS_MAX,
    )
    expect(requested.certificate).toBe('web')
    await eventually(
      'the second is issued',
      async () => (await issued(fleet)).length > 1,
      ISSUED_MS_MAX,
    )
    await worker.stop()

    // The next one meets an authority that keeps what it was asked for.
    front.orderStatus = 429
    fleet.startWorker({ environment: settingsFor(front, pebble) })
    await fleet.submit({ type: 'RequestCertificate', certificate: 'web', reason: 'command' })
    await fleet.until('CertificateFailed', {}, ISSUED_MS_MAX)
    expect(front.refused).toEqual([
      {
        identifiers: [{ type: 'dns', value: 'app.gatehouse.test' }],
        replaces: expect.stringMatching(/^[\w-]{27}\.[\w-]+$/),
      },
    ])
  })

  it('O6 is revoked at its authority, and replaced', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    await using _ = await oneProxy(fleet, pebble)
    fleet.startWorker({ environment: settingsFor(pebble, pebble) })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const { fingerprint, serial } = await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    expect(await pebble.statusOf(serial)).toBe('Valid')
    await fleet.submit({ type: 'RevokeCertificate', certificate: 'web', reason: 'keyCompromise' })
    const ended = await fleet.until('RevocationEnded', { fingerprint }, ISSUED_MS_MAX)
    expect(ended.outcome).toEqual({ kind: 'revoked' })
    expect(await pebble.statusOf(serial)).toBe('Revoked')
    await eventually('it is replaced', async () => (await issued(fleet)).length > 1, ISSUED_MS_MAX)
  })

  it('O6 that the authority does not know is reported as refused', async () => {
    await using pebble = await startPebble()
    await using another = await startPebble()
    await using fleet = await openFleet()
    await using _ = await oneProxy(fleet, pebble)
    const worker = fleet.startWorker({ environment: settingsFor(pebble, pebble) })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const { fingerprint } = await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    await worker.stop()
    fleet.startWorker({ environment: settingsFor(another, another) })
    await fleet.submit({ type: 'RevokeCertificate', certificate: 'web', reason: 'superseded' })
    const ended = await fleet.until('RevocationEnded', { fingerprint }, ISSUED_MS_MAX)
    expect(ended.outcome).toMatchObject({ kind: 'refused', reason: /^the CA refused: / })
  })
})

describe('a certificate on demand', { concurrent: true, timeout: 90_000 }, () => {
  it('O5 is ordered for a host that the one who is asked allows, and for no other', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    await using _ = await oneProxy(fleet, pebble)
    const asked: string[] = []
    const asking = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(request.url?.includes('good') === true ? 200 : 403).end()
    })
    asking.listen(0, '127.0.0.1')
    await once(asking, 'listening')
    await using stack = new AsyncDisposableStack()
    stack.use(asking)
    const address = asking.address()
    const port = address === null || typeof address === 'string' ? 0 : address.port
    fleet.startWorker({
      environment: {
        ...settingsFor(pebble, pebble),
        GATEHOUSE_ON_DEMAND_ASK: `http://127.0.0.1:${port}/allowed?from=edge`,
        GATEHOUSE_ON_DEMAND_HOSTS: '*.gatehouse.test',
      },
    })
    const link = openRedis(inject('redisUrl'), { name: 'wishes' })
    stack.defer(() => link.close())
    const wishes = createWishes(link, fleet.name)
    const wanted = ['good.elsewhere.test', '*.gatehouse.test', 'bad.gatehouse.test', 'x', 'ö.test']
    for (const host of [...wanted, 'good.gatehouse.test', 'good.gatehouse.test']) {
      await wishes.add(host)
    }
    const order = await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    expect(order).toMatchObject({
      certificate: 'good.gatehouse.test',
      names: ['good.gatehouse.test'],
    })
    expect(asked.toSorted()).toEqual([
      '/allowed?from=edge&domain=bad.gatehouse.test',
      '/allowed?from=edge&domain=good.gatehouse.test',
    ])
    const requested = (await fleet.history()).filter(({ type }) => type === 'CertificateRequested')
    expect(requested).toMatchObject([{ certificate: 'good.gatehouse.test', reason: 'on-demand' }])
  })

  it('O5 is not ordered beyond what an hour may have', async () => {
    await using fleet = await openFleet()
    const worker = fleet.startWorker({
      environment: {
        GATEHOUSE_ACME_DIRECTORY: 'https://127.0.0.1:1/directory',
        GATEHOUSE_ON_DEMAND_HOSTS: '*.gatehouse.test',
        GATEHOUSE_ON_DEMAND_PER_HOUR_MAX: '2',
      },
    })
    const link = openRedis(inject('redisUrl'), { name: 'wishes' })
    await using stack = new AsyncDisposableStack()
    stack.defer(() => link.close())
    const wishes = createWishes(link, fleet.name)
    for (const host of ['a', 'b', 'c', 'd']) await wishes.add(`${host}.gatehouse.test`)
    const left = () => fleet.redis.zcard(`${fleetTag(fleet.name)}:wishes`)
    await eventually('all are looked at', async () => (await left()) === 0)
    const requested = () =>
      fleet.history().then((all) => all.filter(({ type }) => type === 'CertificateRequested'))
    await eventually('two are ordered', async () => (await requested()).length === 2)
    await worker.stop()
    expect(await requested()).toHaveLength(2)
  })
})

describe('the orders of a fleet', () => {
  it('O4 beyond what an hour may have get a place in a later one, and keep it', async () => {
    const link = openRedis(inject('redisUrl'), { name: 'places' })
    await using stack = new AsyncDisposableStack()
    stack.defer(() => link.close())
    await using fleet = await openFleet()
    const store = openAcmeStore(link, fleet.name, sealerFor(undefined, fleet.name, 'acme'))
    const places: number[] = []
    for (const name of ['a', 'b', 'c', 'd', 'e']) places.push(await store.takePlace(name, 100, 2))
    expect(places).toEqual([100, 100, 101, 101, 102])
    // Who comes early is sent away with the same answer, and takes no second place.
    expect(await store.takePlace('c', 100, 2)).toBe(101)
    expect(await store.takePlace('c', 101, 2)).toBe(101)
    expect(await store.takePlace('f', 101, 2)).toBe(102)
    expect(await store.takePlace('g', 102, 2)).toBe(103)
  })
})
