/** Certificates by a fleet of workers at a real authority, on a real Redis. */
import { fleetTag } from '@gatehouse/events'
import { beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startPebble, whyNoPebble } from '../../support/pebble.ts'
import { ISSUED_MS_MAX, oneProxy, settingsFor, withTls } from './certificate-fleet.ts'
import { startChallengeProxy } from './challenge-proxy.ts'
import { openFleet, type TestFleet } from './fleet.ts'

const unable = await whyNoPebble()
beforeEach(({ skip }) => {
  if (unable !== undefined) skip(unable)
})

describe('a certificate', { concurrent: true, timeout: 90_000 }, () => {
  it('F5 F10 is ordered once for the fleet when a service is deployed, by whichever worker', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    await using _ = await oneProxy(fleet, pebble)
    const environment = settingsFor(pebble, pebble)
    fleet.startWorker({ environment })
    fleet.startWorker({ environment })
    const before = Date.now()
    await fleet.submit(withTls('web', ['a.gatehouse.test', 'b.gatehouse.test']))
    const issued = await fleet.until('CertificateIssued', { certificate: 'web' }, ISSUED_MS_MAX)
    expect(issued.names.toSorted()).toEqual(['a.gatehouse.test', 'b.gatehouse.test'])
    expect(issued.issuer).toMatch(/^Pebble Intermediate CA/)
    const { notBefore, notAfter, renewAt, fingerprint } = issued
    expect(notBefore).toBeGreaterThan(before - 60_000)
    const part = (renewAt - notBefore) / (notAfter - notBefore)
    expect(part).toBeGreaterThan(0.63)
    expect(part).toBeLessThanOrEqual(0.667)
    expect(await fleet.redis.get(`${fleetTag(fleet.name)}:cert:${fingerprint}`)).toMatch(/^v1\./)
    expect(await inClear(fleet)).toEqual([])
    expect([pebble.accounts(), pebble.orders()]).toEqual([1, 1])
    const types = (await fleet.history()).map(({ type }) => type)
    expect(types.filter((type) => type.startsWith('C'))).toEqual([
      'CertificateRequested',
      'ChallengePublished',
      'ChallengePublished',
      'ChallengesWithdrawn',
      'CertificateIssued',
    ])
  })

  it('O1 is proven whichever proxy the authority comes to, because it comes after the last receipt', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    const addresses = [1, 2, 3, 4, 5].map((each) => `127.0.0.${each}`)
    pebble.dns.addresses = addresses
    await using stack = new AsyncDisposableStack()
    const proxies = await Promise.all(
      addresses.map((address, index) =>
        startChallengeProxy(fleet, {
          id: `p${index + 1}`,
          address,
          port: pebble.httpPort,
          lagMs: index * 300,
        }),
      ),
    )
    for (const proxy of proxies) stack.use(proxy)
    fleet.startWorker({ environment: settingsFor(pebble, pebble) })
    await fleet.submit(withTls('web', ['a.gatehouse.test', 'b.gatehouse.test', 'c.gatehouse.test']))
    await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    expect(proxies.map((proxy) => proxy.missed())).toEqual([0, 0, 0, 0, 0])
    expect(proxies.filter((proxy) => proxy.answered() > 0).length).toBeGreaterThan(1)
  })

  it('O1 F9 is finished by another worker when the one that ordered it is killed', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    // It has confirmed nothing yet, so the order waits for it.
    const proxy = await fleet.startProxy('p1')
    const environment = settingsFor(pebble, pebble)
    const first = fleet.spawnWorker(environment)
    await first.ready
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    await fleet.until('ChallengePublished', {}, ISSUED_MS_MAX)
    await first.end('SIGKILL')
    proxy.silence()
    await fleet.redis.hdel(`${fleetTag(fleet.name)}:presence`, 'p1')
    await using _ = await startChallengeProxy(fleet, { id: 'p2', port: pebble.httpPort })
    fleet.startWorker({ environment })
    await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    expect([pebble.accounts(), pebble.orders()]).toEqual([1, 1])
    expect((await fleet.history()).map(({ type }) => type)).not.toContain('CertificateFailed')
  })

  it('F7 O3 is renewed when two thirds of its life are over, and the look at the start finds it', async () => {
    await using pebble = await startPebble({ validitySeconds: 6 })
    await using fleet = await openFleet()
    await using _ = await oneProxy(fleet, pebble)
    const environment = settingsFor(pebble, pebble)
    const worker = fleet.startWorker({ environment })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const first = await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    await worker.stop()
    await eventually('it is due', () => Date.now() > first.renewAt, 9_000)
    fleet.startWorker({ environment })
    await fleet.until('CertificateRequested', { reason: 'renewal' }, ISSUED_MS_MAX)
    const second = await nextIssued(fleet, first.fingerprint)
    // And the one after that on schedule.
    const third = await nextIssued(fleet, first.fingerprint, second)
    expect(third).not.toBe(second)
    expect(pebble.accounts()).toBe(1)
  })

  it('F8 is left alone as long as it is not due', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    await using _ = await oneProxy(fleet, pebble)
    const environment = settingsFor(pebble, pebble)
    const worker = fleet.startWorker({ environment })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    await worker.stop()
    // Another one is due, so that its renewal says when the look has been taken.
    const hour = 3_600_000
    await fleet.submit({
      type: 'ImportCertificate',
      certificate: 'old',
      names: ['old.gatehouse.test'],
      fingerprint: 'f'.repeat(64),
      serial: '1',
      issuer: 'somebody',
      notBefore: Date.now() - 9 * hour,
      notAfter: Date.now() + hour,
    })
    await fleet.submit(withTls('old', ['old.gatehouse.test']))
    fleet.startWorker({ environment })
    await fleet.until('CertificateRequested', { certificate: 'old', reason: 'renewal' })
    await fleet.until('CertificateIssued', { certificate: 'old' }, ISSUED_MS_MAX)
    const requested = (await fleet.history()).filter(({ type }) => type === 'CertificateRequested')
    expect(requested).toHaveLength(2)
    expect(pebble.orders()).toBe(2)
  })
})

/** Keys of the fleet's Redis under which a private key could be read. */
const inClear = async ({ redis, name }: TestFleet): Promise<readonly string[]> => {
  const found: string[] = []
  for (const key of await redis.keys(`${fleetTag(name)}*`)) {
    const text = (await redis.dumpBuffer(key))?.toString('latin1') ?? ''
    if (/PRIVATE KEY|"key":/.test(text)) found.push(key)
  }
  return found
}

const nextIssued = (fleet: TestFleet, ...known: readonly string[]): Promise<string> =>
  eventually(
    'another certificate is issued',
    async () =>
      (await fleet.history()).flatMap((event) =>
        event.type === 'CertificateIssued' && !known.includes(event.fingerprint)
          ? [event.fingerprint]
          : [],
      )[0],
    ISSUED_MS_MAX,
  )
