/** How a proxy keeps to the log: with its copy and without, and when the log is not what it was. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createMemoryLog,
  openReplica,
  submit,
  writeSnapshot,
  type EventLog,
  type Followed,
  type Place,
  type Recorded,
} from '@gatehouse/events'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { deploy, release } from '../../../libs/domain/src/testing.ts'
import { eventually } from '../../support/eventually.ts'
import { fit, startFollowing, type Following } from './following.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-follower-'))
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const follow = (log: EventLog, check = fit): Promise<Following> =>
  startFollowing(folder, log, check)

const deployed = async (log: EventLog, service: string, id = 'v1'): Promise<Place> => {
  const what = release(id, { hosts: [`${service}.test`] })
  const command = deploy(service, { ...what, health: { ...what.health, skip: true } })
  const meta = { command: `${service} ${id}`, actor: 'test', tool: 'test' }
  await submit(log, await openReplica(log), command, meta)
  return log.head()
}

const releases = ({ routes }: Following) =>
  Object.fromEntries([...routes].map(([service, { active }]) => [service, active?.release.id]))

it('I4 has no table before it has caught up, then follows with a receipt for every position', async () => {
  const log = createMemoryLog()
  await deployed(log, 'shop')
  await using following = await follow(log)
  expect(following.follower.view().stale?.why).toBe('has not reached the log yet')
  expect(following.isReady()).toBe(false)
  await following.follower.ready
  expect(following.follower.view().stale).toBeUndefined()
  expect(releases(following)).toEqual({ shop: 'v1' })

  const before = following.progress()
  const { position } = await deployed(log, 'blog', 'v2')
  await eventually('it is there', () => following.follower.view().position === position)
  expect(releases(following)).toEqual({ shop: 'v1', blog: 'v2' })
  const { receipts, routes, tableHash } = following.follower.view()
  expect(receipts).toContainEqual({ position, at: 1_000 })
  expect(routes).toBe(2)
  expect(tableHash).toBe((await openReplica(log)).tableHash.value())
  expect(following.progress()).toBeGreaterThan(before)
})

it('A22 waits for a log that is fit, gives the reason once, and goes on by itself', async () => {
  const log = createMemoryLog()
  await deployed(log, 'shop')
  let reason: string | undefined = 'Redis is version 6.2'
  const check = async (): Promise<void> => {
    if (reason !== undefined) throw new Error(reason)
  }
  await using following = await follow(log, check)
  const why = 'cannot read the log: Redis is version 6.2'
  await eventually('it says why', () => following.follower.view().stale?.why === why)
  reason = 'Redis is a replica'
  await eventually(
    'it says what is wrong now',
    () => following.follower.view().stale?.why === 'cannot read the log: Redis is a replica',
  )
  expect(following.said().filter((line) => line.endsWith(why))).toHaveLength(1)
  expect(following.isReady()).toBe(false)
  reason = undefined
  await following.follower.ready
  expect(releases(following)).toEqual({ shop: 'v1' })
})

it('A22 L9 starts from its copy without the log, says that it is stale, and catches up', async () => {
  const log = createMemoryLog()
  await deployed(log, 'shop')
  await leaveCopy(log)
  await deployed(log, 'shop', 'v2')

  let away = true
  const check = () => (away ? new Promise<never>(() => undefined) : fit())
  {
    await using following = await follow(log, check)
    await following.follower.ready
    expect(releases(following)).toEqual({ shop: 'v1' })
    const why = 'served from the local copy, without the log'
    expect(following.follower.view().stale?.why).toBe(why)
    expect(following.said()).toContain(`the route table is stale: ${why}`)
  }
  away = false
  await using following = await follow(log, check)
  await following.follower.ready
  expect(releases(following), 'with the log there, nothing old is served').toEqual({ shop: 'v2' })
})

it('L9 says which reason there is when its copy is served for want of a log that is fit', async () => {
  const log = createMemoryLog()
  await deployed(log, 'shop')
  await leaveCopy(log)
  await using following = await follow(log, () => Promise.reject(new Error('Redis is a replica')))
  await following.follower.ready
  expect(following.follower.view().stale?.why).toBe('cannot read the log: Redis is a replica')
  expect(releases(following)).toEqual({ shop: 'v1' })
})

it('A24 goes on from a snapshot when what it has not seen was trimmed away', async () => {
  const log = createMemoryLog()
  await deployed(log, 'gone')
  await leaveCopy(log)
  const removed = { command: 'remove', actor: 'test', tool: 'test' }
  await submit(log, await openReplica(log), { type: 'Remove', service: 'gone' }, removed)
  await deployed(log, 'shop')
  await snapshotAndTrim(log)
  const { position } = await deployed(log, 'blog')

  await using following = await follow(log)
  await following.follower.ready
  expect(following.follower.view().position).toBe(position)
  expect(following.follower.view().stale).toBeUndefined()
  expect(releases(following)).toEqual({ shop: 'v1', blog: 'v1' })
})

it('A24 opens the log anew when it is trimmed past the place that it is at', async () => {
  const log = createMemoryLog()
  await deployed(log, 'shop')
  const gap = Promise.withResolvers<void>()
  let begun = 0
  const trimmed: EventLog = {
    ...log,
    async *follow(after, signal) {
      begun += 1
      if (begun > 1) return yield* log.follow(after, signal)
      yield [{ kind: 'caught-up', position: after.position }]
      await gap.promise
      yield [{ kind: 'gap', first: after.position + 2 }]
    },
  }
  await using following = await follow(trimmed)
  await following.follower.ready
  await deployed(log, 'blog')
  await snapshotAndTrim(log)
  expect(releases(following)).toEqual({ shop: 'v1' })
  gap.resolve()
  await eventually('blog is there', () => following.routes.has('blog'))
  expect(releases(following)).toEqual({ shop: 'v1', blog: 'v1' })
})

it('L6 keeps its table when the log that comes back is another, and says so', async () => {
  const log = createMemoryLog()
  await deployed(log, 'shop')
  await leaveCopy(log)
  const other = createMemoryLog()
  await deployed(other, 'evil')
  await deployed(other, 'worse')

  await using following = await follow(other)
  await following.follower.ready
  expect(following.follower.view().stale?.why).toContain('another history')
  expect(releases(following)).toEqual({ shop: 'v1' })
})

it('L6 keeps its table, and its copy, when the log that comes back is another that was trimmed', async () => {
  const log = createMemoryLog()
  await deployed(log, 'shop')
  await leaveCopy(log)
  const other = createMemoryLog()
  for (const service of ['evil', 'worse', 'worst']) await deployed(other, service)
  await snapshotAndTrim(other)

  const why = 'cannot read the log: the log has another beginning'
  {
    await using following = await follow(other)
    await eventually('it says so', () => following.follower.view().stale?.why === why)
    await following.follower.ready
    expect(releases(following)).toEqual({ shop: 'v1' })
  }
  await deployed(log, 'blog')
  await using following = await follow(log)
  await eventually('the right one is back', () => following.routes.has('blog'))
  expect(following.follower.view().stale).toBeUndefined()
  expect(releases(following)).toEqual({ shop: 'v1', blog: 'v1' })
})

it('A25 L13 passes over what it does not understand, says it once, and counts it', async () => {
  const log = createMemoryLog()
  await deployed(log, 'shop')
  const strange = (recorded: Recorded): Recorded => {
    const { position, hash, at, atText, body } = recorded
    const entry = { position, hash, at, atText, body }
    return position === 2
      ? { ...entry, kind: 'quarantined', type: 'ReleaseTeleported', why: 'is of an unknown type' }
      : recorded
  }
  const first: EventLog = {
    ...log,
    async *read(after) {
      for await (const page of log.read(after)) yield page.map(strange)
    },
    async *follow(after, signal) {
      for await (const batch of log.follow(after, signal)) {
        yield batch.map((each): Followed =>
          each.kind === 'recorded' ? { ...each, recorded: strange(each.recorded) } : each,
        )
      }
    },
  }
  // From the beginning, so that every entry comes by `follow`.
  const empty: EventLog = { ...first, async *read() {} }
  await using following = await follow(empty)
  await following.follower.ready
  const { position } = await deployed(log, 'blog')
  await eventually('it is there', () => following.follower.view().position === position)
  const { quarantine } = following.follower.view()
  expect(quarantine).toMatchObject({
    total: 1,
    newest: [{ position: 2, type: 'ReleaseTeleported' }],
  })
  expect(following.said()).toContain(
    'an event cannot be understood and is passed over: it is of an unknown type',
  )
  expect(releases(following)).toMatchObject({ blog: 'v1' })
})

it('ends when it is told to, though the log does not answer', async () => {
  const following = await follow(createMemoryLog(), () => new Promise(() => undefined))
  await following[Symbol.asyncDispose]()
  expect(following.isReady()).toBe(false)
})

/** Leaves a copy of the log as it is now behind, as a proxy does that was here before. */
const leaveCopy = async (log: EventLog): Promise<void> => {
  await using following = await follow(log)
  await following.follower.ready
}

const snapshotAndTrim = async (log: EventLog): Promise<void> => {
  const { origin, place, table, quarantine } = await openReplica(log)
  await log.saveSnapshot(writeSnapshot(place, { origin, gateway: table.gateway, quarantine }))
  await log.trim(place.position + 1)
}
