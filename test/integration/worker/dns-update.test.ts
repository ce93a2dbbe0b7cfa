/** Signed updates of TXT records, at a real name server that a real CA asks. */
import { X509Certificate } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { createDnsHook, type DnsHook } from '../../../apps/worker/src/acme/dns-hook.ts'
import { readAcmeSettings } from '../../../apps/worker/src/acme/settings.ts'
import { startNameServer, whyNoNameServer, type NameServer } from '../../support/name-server.ts'
import { startPebble, whyNoPebble } from '../../support/pebble.ts'
import { openStand } from './acme-stand.ts'

const unable = (await whyNoPebble()) ?? (await whyNoNameServer())
beforeEach(({ skip }) => {
  if (unable !== undefined) skip(unable)
})

const secret = Buffer.alloc(32, 7).toString('base64')
const other = Buffer.alloc(32, 8).toString('base64')
const zone = 'gatehouse.test'
const never = new AbortController().signal

const environmentFor = (
  { port }: Pick<NameServer, 'port'>,
  key: string,
): Readonly<Record<string, string>> => ({
  GATEHOUSE_ACME_CHALLENGES: 'dns-01',
  GATEHOUSE_ACME_DNS_RFC2136: `127.0.0.1:${port}`,
  GATEHOUSE_ACME_DNS_TSIG: key,
  GATEHOUSE_ACME_DNS_WAIT_MS: '0',
})

const hookFor = (server: Pick<NameServer, 'port'>, key: string): DnsHook => {
  const { dns } = readAcmeSettings(environmentFor(server, key))
  if (dns === undefined) throw new Error('No name server was set.')
  return createDnsHook(dns, (failure) => {
    throw failure
  })
}

describe('updates of a zone', { concurrent: true, timeout: 90_000 }, () => {
  it('F15 O2 prove a wildcard beside its own domain, and leave nothing behind', async () => {
    const key = { name: 'challenge', algorithm: 'hmac-sha256', secret }
    await using server = await startNameServer({ zone, key })
    await using pebble = await startPebble({ nameServerPort: server.port })
    await using stand = await openStand(pebble)
    const names = ['gatehouse.test', '*.gatehouse.test']
    const environment = environmentFor(server, `challenge:${secret}`)
    const { chain } = await stand.place({ names, environment })
    expect(new X509Certificate(chain).subjectAltName).toContain('DNS:*.gatehouse.test')
    expect(await server.texts('_acme-challenge.gatehouse.test')).toEqual([])
  })

  it.each(['hmac-sha384', 'hmac-sha512'])('are signed with %s too', async (algorithm) => {
    await using server = await startNameServer({ zone, key: { name: 'k.test', algorithm, secret } })
    const hook = hookFor(server, `${algorithm.toUpperCase()}:K.test.:${secret}`)
    await hook.present('_acme-challenge.deep.down.gatehouse.test', 'one', never)
    await hook.present('_acme-challenge.deep.down.gatehouse.test', 'two', never)
    const there = await server.texts('_acme-challenge.deep.down.gatehouse.test')
    expect(there.toSorted()).toEqual(['one', 'two'])
    await hook.cleanup('_acme-challenge.deep.down.gatehouse.test', 'one', never)
    expect(await server.texts('_acme-challenge.deep.down.gatehouse.test')).toEqual(['two'])
  })

  it('say what the server objects to', async () => {
    const key = { name: 'challenge', algorithm: 'hmac-sha256', secret }
    await using server = await startNameServer({ zone, key })
    const where = `the name server 127.0.0.1:${server.port}`
    const present = (hook: DnsHook, name: string): Promise<void> => hook.present(name, 'v', never)
    await expect(
      present(hookFor(server, `challenge:${other}`), 'a.gatehouse.test'),
    ).rejects.toThrow(
      `${where} refused to add a.gatehouse.test in zone gatehouse.test: NOTAUTH (it does not know the key of GATEHOUSE_ACME_DNS_TSIG, or its clock is another)`,
    )
    await expect(present(hookFor(server, `challenge:${secret}`), 'a.example')).rejects.toThrow(
      `${where} knows no zone that a.example is in`,
    )
    await expect(
      present(hookFor({ port: 1 }, `challenge:${secret}`), 'a.gatehouse.test'),
    ).rejects.toThrow('the name server 127.0.0.1:1 cannot be asked: connect ECONNREFUSED')
  })
})
