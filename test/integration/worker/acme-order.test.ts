/** One order at a real CA, without a fleet: what the worker's jobs are built upon. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { AcmeFailure } from '../../../apps/worker/src/acme/problem.ts'
import { startPebble, whyNoPebble } from '../../support/pebble.ts'
import { openStand } from './acme-stand.ts'

const unable = await whyNoPebble()
beforeEach(({ skip }) => {
  if (unable !== undefined) skip(unable)
})

const namesOf = (chain: string): string | undefined => new X509Certificate(chain).subjectAltName

describe('an order', { concurrent: true, timeout: 90_000 }, () => {
  it('F6 brings one certificate for several names, proven over HTTP, that its key fits', async () => {
    await using pebble = await startPebble({ noncesRefused: 10 })
    await using stand = await openStand(pebble)
    const { chain, key } = await stand.place({ names: ['a.gatehouse.test', 'b.gatehouse.test'] })
    expect(namesOf(chain)).toBe('DNS:a.gatehouse.test, DNS:b.gatehouse.test')
    expect(chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    expect(key).toContain('BEGIN PRIVATE KEY')
    expect(stand.shown.map(({ kind }) => kind)).toEqual(['http-01', 'http-01'])
    expect(stand.withdrawn()).toBe(1)
  })

  it('O2 proves a name in the handshake of TLS', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    const environment = { GATEHOUSE_ACME_CHALLENGES: 'tls-alpn-01' }
    expect(namesOf((await stand.place({ environment })).chain)).toBe('DNS:app.gatehouse.test')
    expect(stand.shown.map(({ kind }) => kind)).toEqual(['tls-alpn-01'])
  })

  it('O2 falls back to another way of proof with the next attempt, where one is set up', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    const environment = { GATEHOUSE_ACME_CHALLENGES: 'http-01,tls-alpn-01' }
    const publish = () => Promise.resolve()
    await expect(stand.place({ environment, publish })).rejects.toThrow('http-01: ')
    await stand.place({ environment, attempts: 1 })
    expect(stand.shown.map(({ kind }) => kind)).toEqual(['tls-alpn-01'])
  })

  it('O4 says when its turn is, where the fleet has no more orders for now', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    const refused = await stand.place({ placeInHours: 3 }).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(AcmeFailure)
    const { message, retryAfterMs = 0 } = refused as AcmeFailure
    const [, at = ''] = /^the fleet .* orders of this hour, .* place at (.*)$/.exec(message) ?? []
    expect(Math.abs(Date.parse(at) - Date.now() - retryAfterMs)).toBeLessThan(5_000)
    expect(retryAfterMs).toBeGreaterThan(2 * 3_600_000)
    expect(retryAfterMs).toBeLessThan(4 * 3_600_000)
    expect(pebble.orders()).toBe(0)
  })

  it('F9 registers one account, however many orders there are, and whoever was in between', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    await stand.place()
    await stand.order.remove()
    await stand.place()
    await stand.order.remove()
    const account = await stand.account.load()
    // A worker that died before the CA had answered has left the key alone.
    await stand.account.update({ key: account?.key ?? '' })
    await stand.place()
    expect([pebble.accounts(), pebble.orders()]).toEqual([1, 3])
    expect((await stand.account.load())?.url).toBe(account?.url)
  })

  it('F9 registers anew when the CA has forgotten the account, with the next attempt', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    await stand.place()
    const { key = '', url = '' } = (await stand.account.load()) ?? {}
    await stand.account.update({ key, url: `${url}0` })
    await stand.order.remove()
    await expect(stand.place()).rejects.toThrow('(accountDoesNotExist)')
    await stand.place()
    expect(pebble.accounts()).toBe(2)
  })

  it('says what the CA saw when a name cannot be proven', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    const publish = () => Promise.resolve()
    await expect(stand.place({ publish })).rejects.toThrow(
      /^the CA is not convinced of app\.gatehouse\.test: http-01: .*404.*\(unauthorized\)$/,
    )
  })

  it('O1 goes on where a worker that died has left it, with the same order and key', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    const died = new AbortController()
    const publish = () => {
      died.abort()
      return Promise.reject(new Error('killed'))
    }
    await expect(stand.place({ publish, signal: died.signal })).rejects.toThrow('killed')
    const begun = await stand.order.load()
    const { key } = await stand.place()
    expect(key).toBe(begun?.key)
    // The certificate was issued, and nobody has written it down.
    const again = await stand.place()
    expect(again.key).toBe(key)
    expect([pebble.accounts(), pebble.orders()]).toEqual([1, 1])
  })

  it('O3 binds the account where the CA wants a contract, and says so where none is given', async () => {
    const hmacKey = 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W'
    await using pebble = await startPebble({ accountBindings: { 'kid-1': hmacKey } })
    await using stand = await openStand(pebble)
    await expect(stand.place()).rejects.toThrow(
      /takes only accounts that are bound to a contract: set GATEHOUSE_ACME_EAB_KID/,
    )
    const environment = { GATEHOUSE_ACME_EAB_KID: 'kid-1', GATEHOUSE_ACME_EAB_KEY: hmacKey }
    expect(namesOf((await stand.place({ environment })).chain)).toBe('DNS:app.gatehouse.test')
  })

  it('O3 does not speak to a CA that its root does not vouch for', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    const environment = { GATEHOUSE_ACME_CA: '' }
    await expect(stand.place({ environment })).rejects.toThrow(
      /^the request to the CA at localhost:\d+ was not sent, because TLS failed: self-signed certificate$/,
    )
  })

  it('O3 names the profiles that the CA has when it lacks the wanted one', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    const environment = { GATEHOUSE_ACME_PROFILE: 'shortlived' }
    await expect(stand.place({ environment })).rejects.toThrow(
      'the CA offers no profile "shortlived" (GATEHOUSE_ACME_PROFILE); it has none',
    )
  })

  it('F15 O2 proves a wildcard by TXT records that a program makes, and removes them', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    await using provider = await openProvider()
    pebble.dns.texts = provider.texts
    const names = ['gatehouse.test', '*.gatehouse.test']
    const { chain } = await stand.place({ names, environment: provider.environment })
    expect(namesOf(chain)).toBe('DNS:gatehouse.test, DNS:*.gatehouse.test')
    const calls = provider.calls()
    expect(calls.map(([verb, name]) => `${verb} ${name}`)).toEqual([
      'present _acme-challenge.gatehouse.test',
      'present _acme-challenge.gatehouse.test',
      'cleanup _acme-challenge.gatehouse.test',
      'cleanup _acme-challenge.gatehouse.test',
    ])
    expect(new Set(calls.map(([, , value]) => value)).size).toBe(2)
  })

  it('says which setting a wildcard lacks, before the CA is asked to look', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    await expect(stand.place({ names: ['*.gatehouse.test'] })).rejects.toThrow(
      '*.gatehouse.test is a wildcard, which can only be proven by DNS: set GATEHOUSE_ACME_DNS_EXEC or GATEHOUSE_ACME_DNS_RFC2136 for the workers',
    )
  })

  it('passes on what a program says that cannot make a record', async () => {
    await using pebble = await startPebble()
    await using stand = await openStand(pebble)
    await using provider = await openProvider('echo "no such zone" >&2; exit 3')
    const names = ['*.gatehouse.test']
    await expect(stand.place({ names, environment: provider.environment })).rejects.toThrow(
      /dns-provider present _acme-challenge\.gatehouse\.test: exit 3: no such zone$/,
    )
  })
})

interface Provider extends AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>
  /** What it was called with, in order. */
  readonly calls: () => readonly (readonly string[])[]
  /** The records of a name that it was told to make. */
  readonly texts: (name: string) => readonly string[]
}

/** A DNS provider's program, which writes down what it is called with. */
const openProvider = async (script = 'echo "$@" >> "$0.calls"'): Promise<Provider> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-dns-'))
  const path = join(folder, 'dns-provider')
  await writeFile(path, `#!/bin/sh\n${script}\n`)
  await chmod(path, 0o755)
  const calls = () =>
    readFileSync(`${path}.calls`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
  return {
    environment: {
      GATEHOUSE_ACME_CHALLENGES: 'dns-01',
      GATEHOUSE_ACME_DNS_EXEC: path,
      GATEHOUSE_ACME_DNS_WAIT_MS: '0',
    },
    calls,
    texts: (name) => calls().flatMap(([, of, value = '']) => (of === name ? [value] : [])),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
