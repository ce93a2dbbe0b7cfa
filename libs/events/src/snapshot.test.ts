import {
  emptyTable,
  evolve,
  project,
  tableOf,
  type CertificateEvent,
  type Gateway,
  type GatewayEvent,
} from '@gatehouse/domain'
import { describe, expect, it } from 'vitest'
import { EMPTY_QUARANTINE } from './quarantine.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { CERTIFICATE_EXAMPLES } from './testing-certificates.ts'
import { deploy, historyOf, release, variedHistory } from './testing.ts'

const PLACE = { position: 42, hash: 'abc' }
const ORIGIN = 'def'

const gatewayOf = (events: readonly GatewayEvent[] = variedHistory()): Gateway => {
  const table = emptyTable()
  for (const event of events) project(table, event)
  return table.gateway
}

const roundTrip = (gateway: Gateway, quarantine = EMPTY_QUARANTINE) => {
  const read = readSnapshot(writeSnapshot(PLACE, { origin: ORIGIN, gateway, quarantine }))
  if (read.kind !== 'state') throw new Error(read.why)
  return read
}

describe('a snapshot', () => {
  it('L4 reads back as the very state it was written from, in every state a service can be in', () => {
    const gateway = gatewayOf()
    const read = roundTrip(gateway)
    expect(read.gateway).toStrictEqual(gateway)
    expect(read.place).toStrictEqual(PLACE)
    expect(read.origin).toBe(ORIGIN)
    expect(tableOf(read.gateway).routes).toStrictEqual(tableOf(gateway).routes)
  })

  it('keeps claims of candidates, and the order of its services and releases', () => {
    const gateway = gatewayOf()
    const { gateway: read } = roundTrip(gateway)
    expect(gateway.owners.get('new-s5.example')).toBe('s5')
    expect(read.owners).toStrictEqual(gateway.owners)
    expect([...read.services.keys()]).toStrictEqual([...gateway.services.keys()])
  })

  it('goes on as the state it was written from would have', () => {
    const [gateway, read] = [gatewayOf(), roundTrip(gatewayOf()).gateway]
    for (const event of historyOf([deploy('s9', 'v1'), deploy('s0', 'v9')])) {
      evolve(gateway, event)
      evolve(read, event)
    }
    expect(read).toStrictEqual(gateway)
  })

  it('keeps what few releases have', () => {
    const tls = { verify: false }
    const ingress = { tls: 'off', forceHttps: true } as const
    const timeouts = [{ path: '/slow', method: 'POST', responseMs: 1 }]
    const gateway = gatewayOf(historyOf([deploy('s0', 'v1', { tls, timeouts, ingress })]))
    expect(roundTrip(gateway).gateway).toStrictEqual(gateway)
  })

  it('L4 keeps certificates, in every state that one can be in', () => {
    const requested = CERTIFICATE_EXAMPLES.CertificateRequested[0]
    const of = (certificate: string, ...events: readonly CertificateEvent[]) =>
      [requested, ...events].map((event) => ({ ...event, certificate }))
    const gateway = gatewayOf([
      ...of('ordered'),
      ...of('challenged', ...CERTIFICATE_EXAMPLES.ChallengePublished),
      ...of('issued', ...CERTIFICATE_EXAMPLES.CertificateIssued),
      ...of('failing', CERTIFICATE_EXAMPLES.CertificateFailed[0]),
      ...of('given-up', ...CERTIFICATE_EXAMPLES.CertificateFailed),
      ...of(
        'revoked',
        ...CERTIFICATE_EXAMPLES.CertificateImported,
        ...CERTIFICATE_EXAMPLES.CertificateRevoked,
      ),
    ])
    expect(gateway.certificates.size).toBe(6)
    expect(roundTrip(gateway).gateway).toStrictEqual(gateway)
  })

  it('keeps what was quarantined', () => {
    const newest = [{ position: 3, at: 12, type: 'X', why: 'is of a type that is not known here' }]
    const { quarantine } = roundTrip(gatewayOf(), { total: 7, newest })
    expect(quarantine).toStrictEqual({ total: 7, newest })
  })

  it('writes settings once that many releases share, whoever made the objects', () => {
    const events = historyOf(
      Array.from({ length: 50 }, (_, index) => {
        const { health, limits } = release('v1')
        return deploy(`s${index}`, 'v1', {
          health: { ...health, skip: true },
          limits: { ...limits },
        })
      }),
    )
    const { text } = writeSnapshot(PLACE, {
      origin: ORIGIN,
      gateway: gatewayOf(events),
      quarantine: EMPTY_QUARANTINE,
    })
    expect(text.match(/"attemptMs"/g)).toHaveLength(1)
    expect(text.length / 50).toBeLessThan(150)
  })

  it.each([
    ['half of it', (text: string) => text.slice(0, text.length / 2), 'is not JSON'],
    ['something else', () => 'null', 'has schema undefined; 4 is read here'],
    [
      'a newer one',
      (text: string) => text.replace('"schema":4', '"schema":5'),
      'has schema 5; 4 is read here',
    ],
    [
      'one without its settings',
      (text: string) => text.replace(/"settings":\[.*?\],"setting"/, '"settings":[],"setting"'),
      'is not whole: a column ends at 0',
    ],
    [
      'one that has lost a version',
      (text: string) => text.replace(/"version":\[\d+,/, '"version":['),
      'is not whole: a column ends at 5',
    ],
    [
      'one that has lost a target',
      (text: string) => text.replace(/"targets":\["[^"]*",/, '"targets":['),
      /^is not whole: a column ends at \d+$/,
    ],
    [
      'one without its services',
      (text: string) => text.replace('"services"', '"servants"'),
      /^is not whole: /,
    ],
  ])('that is %s is not read, and says why', (_what, spoil, why) => {
    const snapshot = writeSnapshot(PLACE, {
      origin: ORIGIN,
      gateway: gatewayOf(),
      quarantine: EMPTY_QUARANTINE,
    })
    const read = readSnapshot({ ...snapshot, text: spoil(snapshot.text) })
    expect(read.kind === 'unreadable' && read.why).toMatch(why)
  })
})
