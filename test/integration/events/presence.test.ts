import { describe, expect, it } from 'vitest'
import {
  createPresence,
  fleetTag,
  LEASE_MS,
  readFleet,
  type ProxyPresence,
  type WorkerPresence,
} from '@gatehouse/events'
import { openLog, type TestLog } from './own-redis.ts'

const proxy = (id: string, about: Partial<ProxyPresence> = {}): ProxyPresence => ({
  kind: 'proxy',
  id,
  host: 'machine-1',
  pid: 7,
  version: '0.1.0',
  listen: ['127.0.0.1:80'],
  startedAt: 1_000,
  position: 4,
  tableHash: 'abc',
  receipts: [{ position: 4, at: 2_000.5 }],
  quarantined: 0,
  work: [],
  stopping: false,
  ...about,
})

const worker: WorkerPresence = {
  kind: 'worker',
  id: 'worker-1',
  host: 'machine-1',
  pid: 8,
  version: '0.1.0',
  startedAt: 1_000,
  position: 4,
}

/** Moves what a member has said into the past, as the time would. */
const age = async ({ link, fleet }: TestLog, id: string, byMs: number): Promise<void> => {
  const key = `${fleetTag(fleet)}:presence`
  const said = (await link.client.hget(key, id)) ?? ''
  const space = said.indexOf(' ')
  await link.client.hset(key, id, `${Number(said.slice(0, space)) - byMs}${said.slice(space)}`)
}

describe('presence', () => {
  it('says who is there, as they said it, by name in order', async () => {
    await using open = openLog()
    const { link, fleet } = open
    for (const each of [proxy('proxy-10'), proxy('proxy-2', { stale: 'why' }), worker]) {
      await createPresence(link, fleet, each.id).beat(each)
    }
    const seen = await readFleet(link, fleet)
    expect(seen.proxies.map(({ id }) => id)).toStrictEqual(['proxy-2', 'proxy-10'])
    expect(seen.proxies[0]).toMatchObject({ ...proxy('proxy-2', { stale: 'why' }), live: true })
    expect(seen.workers).toMatchObject([{ ...worker, live: true }])
    expect(Math.abs(seen.now - Date.now())).toBeLessThan(10_000)
    expect(seen.proxies[0]?.seenMsAgo).toBeLessThan(LEASE_MS)
  })

  it('answers a beat with how far the clock of Redis is ahead', async () => {
    await using open = openLog()
    const offset = await createPresence(open.link, open.fleet, 'p').beat(proxy('p'))
    expect(Math.abs(offset)).toBeLessThan(1_000)
  })

  it('names whoever was lost, until an hour later', async () => {
    await using open = openLog()
    const { link, fleet } = open
    for (const id of ['here', 'lost', 'forgotten']) {
      await createPresence(link, fleet, id).beat(proxy(id))
    }
    await age(open, 'lost', LEASE_MS + 1_000)
    await age(open, 'forgotten', 3_601_000)
    const seen = await readFleet(link, fleet)
    expect(seen.proxies.map(({ id, live }) => [id, live])).toStrictEqual([
      ['here', true],
      ['lost', false],
    ])
    expect(seen.proxies[1]?.seenMsAgo).toBeGreaterThan(LEASE_MS)
    expect(await link.client.hexists(`${fleetTag(fleet)}:presence`, 'forgotten')).toBe(0)
  })

  it('does not miss whoever said good-bye', async () => {
    await using open = openLog()
    const presence = createPresence(open.link, open.fleet, 'p')
    await presence.beat(proxy('p'))
    await presence.leave()
    expect((await readFleet(open.link, open.fleet)).proxies).toStrictEqual([])
  })

  it('comes back with the next beat after its lease ran out', async () => {
    await using open = openLog()
    const presence = createPresence(open.link, open.fleet, 'p')
    await presence.beat(proxy('p'))
    await age(open, 'p', LEASE_MS + 1)
    await presence.beat(proxy('p', { position: 9 }))
    expect((await readFleet(open.link, open.fleet)).proxies).toMatchObject([
      { live: true, position: 9 },
    ])
  })

  it('passes over what is not a presence', async () => {
    await using open = openLog()
    const { link, fleet } = open
    await createPresence(link, fleet, 'p').beat(proxy('p'))
    const garbage = {
      a: 'x',
      b: '',
      c: '1700000000000.000 {"kind":"proxy',
      d: `${Date.now()} null`,
    }
    await link.client.hset(`${fleetTag(fleet)}:presence`, garbage)
    const seen = await readFleet(link, fleet)
    expect(seen.proxies.map(({ id }) => id)).toStrictEqual(['p'])
  })

  it('goes on when Redis has forgotten the scripts', async () => {
    await using open = openLog()
    const presence = createPresence(open.link, open.fleet, 'p')
    await presence.beat(proxy('p'))
    await open.link.client.script('FLUSH')
    await presence.beat(proxy('p'))
    expect((await readFleet(open.link, open.fleet)).proxies).toHaveLength(1)
  })
})
