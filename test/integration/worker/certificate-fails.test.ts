/** Certificates that an authority refuses: what is reported, when the next attempt is, and what is not done. */
import { beforeEach, describe, expect, it } from 'vitest'
import { startCaFront } from '../../support/ca-front.ts'
import { startPebble, whyNoPebble } from '../../support/pebble.ts'
import { ISSUED_MS_MAX, oneProxy, settingsFor, withTls } from './certificate-fleet.ts'
import { openFleet } from './fleet.ts'

const unable = await whyNoPebble()
beforeEach(({ skip }) => {
  if (unable !== undefined) skip(unable)
})

const MINUTE_MS = 60_000

describe('an order that fails', { concurrent: true, timeout: 90_000 }, () => {
  it('F11 O4 is reported with the reason and the next attempt, and tried again when somebody asks', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    // It confirms the challenges and answers nobody: the authority finds nothing at its address.
    const proxy = await fleet.startProxy('p1')
    await proxy.say({ position: 1_000 })
    fleet.startWorker({ environment: settingsFor(pebble, pebble) })
    const before = Date.now()
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const failed = await fleet.until('CertificateFailed', {}, ISSUED_MS_MAX)
    expect(failed).toMatchObject({ certificate: 'web', attempts: 1 })
    expect(failed.reason).toMatch(
      /^the CA is not convinced of app\.gatehouse\.test: http-01: .*\(connection\)$/,
    )
    expect(failed.retryAt).toBeGreaterThanOrEqual(before + MINUTE_MS)
    expect(failed.retryAt).toBeLessThanOrEqual(Date.now() + 1.25 * MINUTE_MS)

    await using _ = await oneProxy(fleet, pebble)
    await fleet.submit({ type: 'RequestCertificate', certificate: 'web', reason: 'command' })
    await fleet.until('CertificateIssued', { certificate: 'web' }, ISSUED_MS_MAX)
    expect(pebble.orders()).toBe(2)
  })

  it('O4 waits as long as the authority wants it to', async () => {
    await using pebble = await startPebble()
    await using front = await startCaFront(pebble.directory)
    front.orderStatus = 429
    front.retryAfterSeconds = 7_200
    await using fleet = await openFleet()
    await using _ = await oneProxy(fleet, pebble)
    fleet.startWorker({ environment: settingsFor(front, pebble) })
    const before = Date.now()
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const failed = await fleet.until('CertificateFailed', {}, ISSUED_MS_MAX)
    expect(failed.reason).toBe('the CA refused: too many orders (rateLimited)')
    expect(failed.retryAt).toBeGreaterThanOrEqual(before + 120 * MINUTE_MS)
    expect(front.refused).toHaveLength(1)
  })

  it('is a sentence when there is no authority', async () => {
    await using fleet = await openFleet()
    const GATEHOUSE_ACME_DIRECTORY = 'https://127.0.0.1:1/directory'
    fleet.startWorker({ environment: { GATEHOUSE_ACME_DIRECTORY } })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const { reason } = await fleet.until('CertificateFailed', {}, ISSUED_MS_MAX)
    expect(reason).toBe('the request to the CA at 127.0.0.1:1 was refused')
  })

  it('O7 is a sentence when the workers have no secret to seal its key with', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    const { GATEHOUSE_SECRET_KEY: _, ...environment } = settingsFor(pebble, pebble)
    fleet.startWorker({ environment })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const { reason } = await fleet.until('CertificateFailed', {}, ISSUED_MS_MAX)
    expect(reason).toMatch(/^the workers have no secret key .* set GATEHOUSE_SECRET_KEY_FILE/)
    expect([pebble.accounts(), pebble.orders()]).toEqual([0, 0])
  })

  it('O7 is a sentence when the account is sealed with another secret, and no second account', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    const environment = settingsFor(pebble, pebble)
    await using _ = await oneProxy(fleet, pebble)
    const worker = fleet.startWorker({ environment })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    await fleet.until('CertificateIssued', {}, ISSUED_MS_MAX)
    await worker.stop()
    const other = '0f'.repeat(32)
    const wrong = fleet.startWorker({
      environment: { ...environment, GATEHOUSE_SECRET_KEY: other },
    })
    await fleet.submit(withTls('api', ['api.gatehouse.test']))
    const { reason } = await fleet.until('CertificateFailed', { certificate: 'api' }, ISSUED_MS_MAX)
    expect(reason).toMatch(/^the account at https.* is sealed with key .*GATEHOUSE_SECRET_KEY is /)
    await wrong.stop()

    // With both, what the old one sealed is sealed anew.
    const both = { ...environment, GATEHOUSE_SECRET_KEY: `${other},${'5e'.repeat(32)}` }
    const rotating = fleet.startWorker({ environment: both })
    await fleet.submit({ type: 'RequestCertificate', certificate: 'api', reason: 'command' })
    await fleet.until('CertificateIssued', { certificate: 'api' }, ISSUED_MS_MAX)
    await rotating.stop()
    fleet.startWorker({ environment: { ...environment, GATEHOUSE_SECRET_KEY: other } })
    await fleet.submit(withTls('late', ['late.gatehouse.test']))
    await fleet.until('CertificateIssued', { certificate: 'late' }, ISSUED_MS_MAX)
    expect(pebble.accounts()).toBe(1)
  })

  it('O1 does not send the authority where no proxy would answer', async () => {
    await using pebble = await startPebble()
    await using fleet = await openFleet()
    fleet.startWorker({ environment: settingsFor(pebble, pebble) })
    await using _ = await fleet.startProxy('p-behind')
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const { reason } = await fleet.until('CertificateFailed', {}, 2 * ISSUED_MS_MAX)
    expect(reason).toBe(
      'the CA was not asked to look, because p-behind would not have answered it: no receipt in 8 s',
    )
    expect(pebble.output()).not.toContain('Attempting to validate')
  })

  it('O4 is rehearsed where failures do not count, after three of them', async () => {
    await using production = await startPebble()
    await using staging = await startPebble()
    await using fleet = await openFleet()
    const proxy = await fleet.startProxy('p1')
    await proxy.say({ position: 1_000 })
    await fleet.submit(withTls('web', ['app.gatehouse.test']))
    const { generation } = await fleet.until('CertificateRequested')
    for (const reason of ['one', 'two', 'three']) {
      const outcome = { kind: 'failed', reason, retryAt: Date.now() } as const
      await fleet.submit({ type: 'ReportCertificate', certificate: 'web', generation, outcome })
    }
    const environment = settingsFor(production, production)
    const { acme } = fleet.workerSettings(environment)
    const worker = fleet.startWorker({
      environment,
      acme: { ...acme, rehearsal: staging.directory },
    })
    const fourth = await fleet.until('CertificateFailed', { attempts: 4 }, ISSUED_MS_MAX)
    expect(fourth.reason).toContain('the CA is not convinced of app.gatehouse.test')
    expect([production.orders(), staging.orders()]).toEqual([0, 1])
    await worker.stop()
  })
})
