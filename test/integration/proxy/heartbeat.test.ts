/** How a proxy says where it is, to a Redis that may be slow, refuse, or be gone. */
import type { PresenceWriter, ProxyPresence } from '@gatehouse/events'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { createFleetClock } from '../../../apps/proxy/src/control/clock.ts'
import { startHeartbeat } from '../../../apps/proxy/src/control/heartbeat.ts'
import { eventually } from '../../support/eventually.ts'

const LEAVE_MS_MAX = 1_500

const start = (writer: Partial<PresenceWriter>) => {
  let position = 0
  const lines: string[] = []
  const clock = createFleetClock(() => 10_000)
  const presence = (): ProxyPresence => ({
    kind: 'proxy',
    id: 'proxy-1',
    host: 'test',
    pid: 1,
    version: '0.1.0',
    listen: [],
    startedAt: 0,
    position,
    tableHash: 'h',
    receipts: [],
    quarantined: 0,
    work: [],
    stopping: false,
  })
  const heartbeat = startHeartbeat(
    { beat: () => Promise.resolve(0), leave: () => Promise.resolve(), ...writer },
    presence,
    clock,
    pino({ base: null }, { write: (line: string) => void lines.push(line) }),
  )
  return {
    ...heartbeat,
    clock,
    at: (next: number) => {
      position = next
      heartbeat.beat()
    },
    said: () => lines.map((line) => String(Object(JSON.parse(line)).msg)),
    [Symbol.asyncDispose]: () => heartbeat.stop(),
  }
}

it('L1 says one thing at a time, and what came meanwhile right after, once and as it is then', async () => {
  const heard: number[] = []
  let answer = Promise.withResolvers<number>()
  await using heartbeat = start({
    beat: (presence) => {
      heard.push(presence.position)
      return answer.promise
    },
  })
  for (const position of [1, 2, 3]) heartbeat.at(position)
  expect(heard).toEqual([0])
  expect(heartbeat.heardAt()).toBeUndefined()
  const slow = answer
  answer = Promise.withResolvers<number>()
  answer.resolve(250)
  slow.resolve(250)
  await eventually('the newest is said', () => heard.length > 1)
  expect(heard).toEqual([0, 3])
  await eventually('it was heard', () => heartbeat.heardAt() !== undefined)
  expect(heartbeat.clock.now()).toBe(10_250)
})

it('L3 says by itself that it is still there', async () => {
  let beats = 0
  await using heartbeat = start({
    beat: () => {
      beats += 1
      return Promise.resolve(0)
    },
  })
  await eventually('it beats again', () => beats > 1)
  expect(heartbeat.refused()).toBeUndefined()
})

it('A22 says once what Redis says that refuses it, and forgets it when it is heard', async () => {
  let reason: string | undefined = 'Redis is a replica'
  await using heartbeat = start({
    beat: () => (reason === undefined ? Promise.resolve(0) : Promise.reject(new Error(reason))),
  })
  await eventually('it is told', () => heartbeat.refused() === reason)
  heartbeat.beat()
  heartbeat.beat()
  await eventually('it beats by itself, too', () => heartbeat.said().length > 0)
  expect(heartbeat.said()).toEqual(['the fleet does not hear this proxy: Redis is a replica'])
  expect(heartbeat.heardAt()).toBeUndefined()
  reason = undefined
  heartbeat.beat()
  await eventually('it is heard', () => heartbeat.heardAt() !== undefined)
  expect(heartbeat.refused()).toBeUndefined()
})

it('I8 says good-bye, says nothing more, and waits for no answer that does not come', async () => {
  let beats = 0
  let left = false
  const heartbeat = start({
    beat: () => {
      beats += 1
      return Promise.resolve(0)
    },
    leave: () => {
      left = true
      return new Promise<never>(() => undefined)
    },
  })
  await eventually('it is heard', () => heartbeat.heardAt() !== undefined)
  const stoppedAt = performance.now()
  await heartbeat.stop()
  expect(performance.now() - stoppedAt).toBeLessThan(LEAVE_MS_MAX)
  expect(left).toBe(true)
  const before = beats
  heartbeat.beat()
  expect(beats).toBe(before)
})
