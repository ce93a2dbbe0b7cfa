import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { createBundleStore, openRedis } from '@gatehouse/events'
import { afterAll, describe, expect, inject, it } from 'vitest'
import {
  blog,
  encryptedKey,
  expired,
  shop,
} from '../../../libs/events/src/certificates/testing-bundles.ts'
import { createFleet, eventually, type Ran, type TestFleet } from './fleet.ts'

const redisUrl = inject('redisUrl')
const cwd = mkdtempSync(join(tmpdir(), 'gatehouse-cert-'))
afterAll(() => rmSync(cwd, { recursive: true }))

const files = {
  'shop.crt': shop.chain,
  'shop.key': shop.key,
  'blog.crt': blog.chain,
  'blog.key': blog.key,
  'old.crt': expired.chain,
  'old.key': expired.key,
  'locked.key': encryptedKey,
  'garbage.pem': 'hello',
}
for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text)

const [oneKey, otherKey] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')]
const environment = { GATEHOUSE_SECRET_KEY: oneKey }
const bring = (fleet: TestFleet, name = 'shop', more = ''): Promise<Ran> =>
  fleet.cmd(`cert import --name ${name} --cert shop.crt --key shop.key${more}`, {
    cwd,
    environment,
  })
const shown = async (fleet: TestFleet, name = 'shop') =>
  JSON.parse((await fleet.cmd(`cert show ${name} --json`)).stdout)
const sealedIn = async (fleet: TestFleet, fingerprint: string): Promise<string | undefined> => {
  const link = openRedis(redisUrl, { name: 'test' })
  try {
    return await createBundleStore(link, fleet.name).read(fingerprint)
  } finally {
    await link.close()
  }
}
const deployLine =
  'deploy shop --force --no-wait --target http://127.0.0.1:9 --host shop.example --host a.shop.example'

/** What a worker would report: the order that is open, answered. */
const answer = async (
  fleet: TestFleet,
  outcome: 'issued' | 'failed',
  certificate = 'shop',
): Promise<void> => {
  const order = await eventually(
    async () => (await fleet.state()).table.gateway.certificates.get(certificate)?.order,
  )
  const { generation, names } = order
  await fleet.submit({
    type: 'ReportCertificate',
    certificate,
    generation,
    outcome:
      outcome === 'failed'
        ? { kind: 'failed', reason: 'app.test has no address', retryAt: Date.UTC(2031, 0, 1) }
        : {
            kind: 'issued',
            names,
            fingerprint: 'e'.repeat(64),
            serial: '0a',
            issuer: 'Test R1',
            notBefore: Date.UTC(2026, 0, 1),
            notAfter: Date.UTC(2126, 0, 1),
            renewAt: Date.UTC(2096, 0, 1),
          },
  })
}

describe('cert import', () => {
  it('O6 O7 lists what it brought, with its key sealed under the fingerprint it says', async () => {
    await using fleet = createFleet(redisUrl)
    const ran = await bring(fleet)
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toMatch(
      /^shop: CertificateImported of shop\.example for shop\.example, \*\.shop\.example, valid until 2126/,
    )
    const view = await shown(fleet)
    expect(view).toMatchObject({ state: 'valid', source: 'imported' })
    expect(await sealedIn(fleet, view.fingerprint)).toMatch(/^v1\./)
    const { stdout } = await fleet.cmd('cert list')
    expect(stdout).toMatch(
      /^CERTIFICATE +STATE +NAMES +ISSUER +UNTIL +UNDER WAY\nshop +valid +shop/,
    )
    expect((await bring(fleet)).stdout).toBe('shop: nothing to do, that is so already\n')
  })

  it.each([
    [
      'garbage',
      'garbage.pem',
      'shop.key',
      '--cert: ',
      'garbage.pem holds no certificate; expected PEM',
    ],
    ['a file that is not there', 'no.crt', 'shop.key', '--cert: ', 'no.crt is not there'],
    ['a key of another', 'shop.crt', 'blog.key', '--key: ', 'blog.key does not belong to the cert'],
    [
      'an encrypted key',
      'shop.crt',
      'locked.key',
      '--key: ',
      'locked.key is encrypted with a pass',
    ],
    ['mixed up files', 'shop.key', 'shop.crt', '--cert: ', 'are the two files mixed up?'],
    [
      'one that is over',
      'old.crt',
      'old.key',
      '--cert: ',
      'old.crt expired at 2020-02-01T00:00:00',
    ],
  ])(
    'O6 refuses %s in one sentence, and nothing has changed',
    async (_what, cert, key, ...said) => {
      await using fleet = createFleet(redisUrl)
      const line = `cert import --name shop --cert ${cert} --key ${key}`
      const ran = await fleet.cmd(line, { cwd, environment })
      expect(ran.exit).toBe(2)
      expect(ran.stderr.trim().split('\n')).toHaveLength(1)
      for (const part of said) expect(ran.stderr).toContain(part)
      expect((await fleet.log.head()).position).toBe(0)
    },
  )

  it('O7 says what to do where there is no secret key', async () => {
    await using fleet = createFleet(redisUrl)
    const ran = await fleet.cmd('cert import --name shop --cert shop.crt --key shop.key', {
      cwd,
      environment: { GATEHOUSE_DATA: join(cwd, 'nothing') },
    })
    expect(ran.exit).toBe(2)
    expect(ran.stderr).toMatch(/^No secret key is known, .*openssl rand -hex 32\n$/)
  })
})

describe('deploy', () => {
  it('F1 brings its own certificate, sealed, in the very append that declares the release', async () => {
    await using fleet = createFleet(redisUrl)
    const line = `${deployLine} --tls-certificate-path shop.crt --tls-private-key-path shop.key`
    expect(await fleet.cmd(line, { cwd, environment })).toMatchObject({ exit: 0 })
    const { gateway } = (await fleet.state()).table
    expect(gateway.services.get('shop')?.releases[0]?.release.ingress).toEqual({
      tls: 'manual',
      forceHttps: true,
    })
    const view = await shown(fleet)
    expect(view).toMatchObject({ state: 'valid', source: 'imported' })
    expect(await sealedIn(fleet, view.fingerprint)).toMatch(/^v1\./)
  })

  it('refuses what is no authority for clients, and takes what is', async () => {
    await using fleet = createFleet(redisUrl)
    const wrong = await fleet.cmd(`${deployLine} --tls --tls-client-ca-path garbage.pem`, { cwd })
    expect(wrong.exit).toBe(2)
    expect(wrong.stderr).toMatch(/^--tls-client-ca-path: \S+garbage\.pem holds no certificate; exp/)
    await fleet.cmd(`${deployLine} --tls --tls-client-ca-path shop.crt`, { cwd })
    const service = (await fleet.state()).table.gateway.services.get('shop')
    expect(service?.releases[0]?.release.ingress?.clientCa).toBe(shop.chain)
  })

  it('O6 refuses a certificate that does not cover its hosts before anything happens', async () => {
    await using fleet = createFleet(redisUrl)
    const line = `${deployLine} --tls-certificate-path blog.crt --tls-private-key-path blog.key`
    const ran = await fleet.cmd(line, { cwd, environment })
    expect(ran.exit).toBe(2)
    expect(ran.stderr).toMatch(
      /^--tls-certificate-path: \S+blog\.crt covers blog\.example; expected it to cover shop\.example, a\.shop\.example as well\n$/,
    )
    expect((await fleet.log.head()).position).toBe(0)
  })

  it('F5 F11 says how the certificate stands that the gateway sees to, and does not wait for it', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.worker()
    await fleet.proxy('proxy-1').follow()
    const line = `${deployLine.replace('--no-wait ', '')} --tls`
    const first = await fleet.cmd(line)
    expect(first).toMatchObject({ exit: 0 })
    expect(first.stdout).toContain('certificate shop: there is none yet; on order\n')
    await answer(fleet, 'failed')
    const second = await fleet.cmd(`${line} --json`)
    expect(second.exit).toBe(0)
    expect(JSON.parse(second.stdout).certificate).toMatchObject({
      state: 'missing',
      order: {
        failure: 'app.test has no address',
        attempts: 1,
        retryAt: '2031-01-01T00:00:00.000Z',
      },
    })
  })
})

describe('cert issue and cert renew', () => {
  it('F5 wait until a worker reports the certificate', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.worker()
    const issuing = fleet.cmd('cert issue shop --host shop.test,www.shop.test')
    await answer(fleet, 'issued')
    const ran = await issuing
    expect(ran.exit).toBe(0)
    expect(ran.stdout).toMatch(
      /^shop: issued by Test R1 for shop\.test, www\.shop\.test, valid until/,
    )
    const renewing = fleet.cmd('cert renew shop --json')
    await answer(fleet, 'issued')
    expect(JSON.parse((await renewing).stdout)).toMatchObject({ outcome: 'issued', exitCode: 0 })
  })

  it('F11 say why there is none and when the next attempt is', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.worker()
    const issuing = fleet.cmd('cert issue shop --host shop.test')
    await answer(fleet, 'failed')
    const ran = await issuing
    expect(ran.exit).toBe(1)
    expect(ran.stderr).toContain(
      'shop: not issued: app.test has no address; attempt 2 follows at 2031-01-01 00:00:00.000Z\n',
    )
  })

  it('say that no worker is there to order it', async () => {
    await using fleet = createFleet(redisUrl)
    const ran = await fleet.cmd('cert issue shop --host shop.test --timeout 50ms')
    expect(ran.exit).toBe(4)
    expect(ran.stderr).toContain('shop: not issued within 50 ms: no worker is running; start one')
  })

  it('end when somebody else took the place of the order', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.worker()
    const issuing = fleet.cmd('cert issue shop --host shop.test')
    await eventually(async () => (await fleet.log.head()).position || undefined)
    await bring(fleet)
    expect(await issuing).toMatchObject({
      exit: 5,
      stderr: expect.stringContaining('a CertificateImported took the place of this order'),
    })
  })

  it('name the nearest certificate, and exit 1 for one that is not there', async () => {
    await using fleet = createFleet(redisUrl)
    await bring(fleet)
    const ran = await fleet.cmd('cert renew shpo')
    expect(ran.exit).toBe(1)
    expect(ran.stderr).toMatch(
      /^Cannot cert renew: there is no certificate "shpo".*did you mean "shop"\?\n$/,
    )
    expect((await fleet.cmd('cert renew shop')).stderr).toMatch(
      /was imported; import its successor/,
    )
    expect(await fleet.cmd('cert show shpo')).toMatchObject({
      exit: 1,
      stderr: 'there is no certificate "shpo"; did you mean "shop"?\n',
    })
  })
})

describe('cert revoke and cert remove', () => {
  it('O6 revokes what was imported, which then serves no more', async () => {
    await using fleet = createFleet(redisUrl)
    await bring(fleet)
    const ran = await fleet.cmd('cert revoke shop --revocation-reason keyCompromise --actor eve')
    expect(ran).toMatchObject({ exit: 0, stdout: 'shop: CertificateRevoked keyCompromise\n' })
    expect(await shown(fleet)).toMatchObject({ state: 'revoked', revoked: 'keyCompromise' })
    const wrong = await fleet.cmd('cert revoke shop --revocation-reason bored')
    expect(wrong.exit).toBe(2)
    const { stdout } = await fleet.cmd('history shop')
    expect(stdout).toMatch(/CertificateRevoked +shop/)
  })

  it('refuses to remove what a service needs', async () => {
    await using fleet = createFleet(redisUrl)
    await fleet.cmd(`${deployLine} --tls`)
    expect(await fleet.cmd('cert remove shop')).toMatchObject({
      exit: 5,
      stderr: 'Cannot cert remove: service shop needs certificate shop: its tls is auto\n',
    })
    await bring(fleet, 'other')
    expect((await fleet.cmd('cert remove other')).stdout).toBe('other: CertificateRemoved\n')
  })
})

describe('cert rotate-key', () => {
  it('O7 seals anew, and refuses to say so while something is left', async () => {
    await using fleet = createFleet(redisUrl)
    await bring(fleet)
    const rotate = (key: string): Promise<Ran> =>
      fleet.cmd('cert rotate-key', { environment: { GATEHOUSE_SECRET_KEY: key } })
    const without = await rotate(otherKey)
    expect(without.exit).toBe(1)
    expect(without.stderr).toMatch(
      /^shop: its bundle is sealed with key [0-9a-f]{8}, and GATEHOUSE/,
    )
    expect(without.stdout).toMatch(/^1 could not be sealed anew .*keep the older keys\n$/)
    expect((await rotate(`${otherKey},${oneKey}`)).stdout).toMatch(
      /: 1 sealed anew, 0 were already\n$/,
    )
    expect((await rotate(otherKey)).stdout).toMatch(/: 0 sealed anew, 1 were already\n$/)
  })
})
