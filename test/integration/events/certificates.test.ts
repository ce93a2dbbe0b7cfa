import { randomBytes } from 'node:crypto'
import {
  BUNDLE_PURPOSE,
  createBundleStore,
  createSealer,
  fleetTag,
  openBundle,
  readTicketKeys,
  resealBundle,
  sealBundle,
  TICKET_PURPOSE,
  type SecretKeys,
} from '@gatehouse/events'
import { describe, expect, it } from 'vitest'
import { shop } from '../../../libs/events/src/certificates/testing-bundles.ts'
import { openLog } from './own-redis.ts'

const [one, other] = ['one', 'other'].map((id) => ({ id, bytes: randomBytes(32) }))
const keys = (...list: readonly (typeof one)[]): SecretKeys => {
  const [first, ...rest] = list.filter((key) => key !== undefined)
  if (first === undefined) throw new Error('no key')
  return [first, ...rest]
}
const fingerprint = 'c'.repeat(64)
const notAfter = Date.now() + 86_400_000

describe('the store of bundles', () => {
  it('O7 holds nothing in Redis that a key could be read from, and not for ever', async () => {
    await using open = openLog()
    const { link, fleet } = open
    const sealer = createSealer(keys(one), fleet, BUNDLE_PURPOSE)
    const store = createBundleStore(link, fleet)
    await store.write(fingerprint, sealBundle(sealer, fingerprint, shop), notAfter)
    const key = `${fleetTag(fleet)}:cert:${fingerprint}`
    expect(await link.client.get(key)).toMatch(/^v1\.[\w.-]+$/)
    const days = (await link.client.pttl(key)) / 86_400_000
    expect(days).toBeGreaterThan(30.9)
    expect(days).toBeLessThan(31.1)
    expect(openBundle(sealer, fingerprint, await store.read(fingerprint))).toEqual({
      kind: 'bundle',
      bundle: shop,
    })
    await store.remove(fingerprint)
    expect(openBundle(sealer, fingerprint, await store.read(fingerprint))).toEqual({
      kind: 'missing',
    })
  })

  it('O7 seals anew what an older key sealed, after which the older one may go', async () => {
    await using open = openLog()
    const { link, fleet } = open
    const store = createBundleStore(link, fleet)
    const before = createSealer(keys(one), fleet, BUNDLE_PURPOSE)
    await store.write(fingerprint, sealBundle(before, fingerprint, shop), notAfter)
    const after = createSealer(keys(other), fleet, BUNDLE_PURPOSE)
    const both = createSealer(keys(other, one), fleet, BUNDLE_PURPOSE)

    expect(await resealBundle(store, after, fingerprint, notAfter)).toMatchObject({
      kind: 'refused',
      why: 'is sealed with key one, and GATEHOUSE_SECRET_KEY is other',
    })
    expect(await resealBundle(store, both, fingerprint, notAfter)).toEqual({ kind: 'resealed' })
    expect(await resealBundle(store, both, fingerprint, notAfter)).toEqual({ kind: 'current' })
    expect(openBundle(after, fingerprint, await store.read(fingerprint))).toMatchObject({
      kind: 'bundle',
    })
    expect(await resealBundle(store, both, 'd'.repeat(64), notAfter)).toEqual({ kind: 'missing' })
  })
})

describe('the keys of session tickets', () => {
  it('O8 are the same for all who ask at once, and sealed', async () => {
    await using open = openLog()
    const { link, fleet } = open
    const sealer = createSealer(keys(one), fleet, TICKET_PURPOSE)
    const read = await Promise.all(
      Array.from({ length: 8 }, () => readTicketKeys(link, fleet, sealer)),
    )
    for (const each of read) expect(each).toEqual(read[0])
    expect(read[0]?.[0]?.bytes).toHaveLength(48)
    expect(await link.client.get(`${fleetTag(fleet)}:tickets`)).toMatch(/^v1\./)
  })

  it('O8 rotate once when they are due, whoever notices, and the older ones stay for a while', async () => {
    await using open = openLog()
    const { link, fleet } = open
    const sealer = createSealer(keys(one), fleet, TICKET_PURPOSE)
    const first = await readTicketKeys(link, fleet, sealer)
    const rotate = (): Promise<unknown> => readTicketKeys(link, fleet, sealer, 0)
    await rotate()
    const second = await readTicketKeys(link, fleet, sealer)
    expect(second).toHaveLength(2)
    expect(second[1]).toEqual(first[0])
    await rotate()
    await rotate()
    const last = await readTicketKeys(link, fleet, sealer)
    expect(last).toHaveLength(3)
    expect(last[2]).toEqual(second[0])
  })

  it('O8 are not made anew over ones that cannot be opened', async () => {
    await using open = openLog()
    const { link, fleet } = open
    await readTicketKeys(link, fleet, createSealer(keys(one), fleet, TICKET_PURPOSE))
    const stranger = createSealer(keys(other), fleet, TICKET_PURPOSE)
    await expect(readTicketKeys(link, fleet, stranger)).rejects.toThrow(
      'The session ticket keys: it is sealed with key one',
    )
  })
})
