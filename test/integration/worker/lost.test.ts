import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { fleetTag, openReplica, submit } from '@gatehouse/events'
import { describe, expect, it } from 'vitest'
import { holding, switchAway } from './draining.ts'
import { deploy, openFleet } from './fleet.ts'
import { startUpstream } from './upstream.ts'

describe('a worker and a Redis that forgets', { concurrent: true }, () => {
  it('a queue that is lost is made good from the state', async () => {
    await using fleet = await openFleet()
    const proxy = await fleet.startProxy('p1')
    fleet.startWorker()
    const position = await switchAway(fleet)
    await proxy.say({ position, work: holding({ upgraded: 1 }) })
    const delayed = `${fleetTag(fleet.name)}:changes:delayed`
    await expect.poll(() => fleet.redis.zcard(delayed), { timeout: 3_000 }).toBe(1)

    const lost = await fleet.redis.keys(`${fleetTag(fleet.name)}:changes*`)
    await fleet.redis.del(lost)
    await proxy.say({ work: [] })
    expect(await fleet.until('DrainEnded')).toMatchObject({ outcome: { kind: 'drained' } })
  })

  it('L6 a log with another history is not acted upon', async () => {
    await using fleet = await openFleet()
    await using known = await startUpstream()
    await using unknown = await startUpstream()
    fleet.startWorker()
    await fleet.submit(deploy('web', 'blue', [known.url, `${known.url}/second`]))
    await fleet.until('ReleaseActivated')
    await expect.poll(() => known.requests.length).toBeGreaterThan(8)

    const tag = fleetTag(fleet.name)
    await fleet.redis.del(`${tag}:events`, `${tag}:scopes`)
    const replica = await openReplica(fleet.log)
    for (const service of ['a', 'b', 'c', 'd', 'e']) {
      const meta = { command: randomUUID(), actor: 'test', tool: 'test/0' }
      const command = deploy(service, 'blue', [unknown.url])
      expect((await submit(fleet.log, replica, command, meta)).kind).toBe('accepted')
    }
    // The watch of its own targets rests too. Nothing says when something does not happen: half a
    // second is ten turns of a watch.
    await wait(200)
    const asked = known.requests.length
    await wait(500)
    expect(known.requests).toHaveLength(asked)
    expect(unknown.requests).toHaveLength(0)
    expect((await fleet.log.head()).position).toBe(5)
  })

  it('a snapshot is kept after a thousand events, by whichever worker is first', async () => {
    await using fleet = await openFleet()
    fleet.startWorker()
    fleet.startWorker()
    await switchAway(fleet)
    await fleet.until('DrainEnded')
    const { position: before } = await fleet.log.head()
    const paused = { type: 'ServicePaused', service: 'web', holdMs: 1 } as const
    await fleet.log.append([paused, ...Array.from({ length: 999 }, () => paused)], {
      readPosition: before,
      scopes: ['service:web'],
      idempotencyKey: randomUUID(),
      meta: { command: randomUUID(), actor: 'test', tool: 'test/0' },
    })
    const saved = (): Promise<number> => fleet.log.snapshot().then((found) => found?.position ?? 0)
    await expect.poll(saved, { timeout: 5_000 }).toBeGreaterThanOrEqual(1_000)
    const fromSnapshot = await openReplica(fleet.log)
    expect(fromSnapshot.place).toEqual(
      await fleet.log.head().then(({ position, hash }) => ({ position, hash })),
    )
  })
})
