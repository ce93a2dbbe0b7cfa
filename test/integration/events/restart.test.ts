import { createConnection, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BEGINNING, openReplica, catchUp } from '@gatehouse/events'
import { appendAll, deploy, historyOf, options } from '../../../libs/events/src/testing.ts'
import { eventually } from '../../support/eventually.ts'
import { watch } from './followed.ts'
import { freePort } from '../../support/free-port.ts'
import { openLog, startOwnRedis, type OwnRedis } from './own-redis.ts'

const resumed = (service: string) => ({ type: 'ServiceResumed' as const, service })

let redis: OwnRedis
beforeAll(async () => {
  redis = await startOwnRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

describe('a follower', () => {
  it('gets every acknowledged event once when Redis is killed and comes back', async () => {
    await using writer = openLog(redis.url)
    await using reader = openLog(redis.url, { fleet: writer.fleet })
    await using watched = watch(reader.log, BEGINNING)
    await watched.until('caught-up')
    const acknowledged: number[] = []
    let restarted = false
    const writing = (async () => {
      for (let more = 20; more > 0; more -= restarted ? 1 : 0) {
        const appended = await writer.log.append([resumed('a')], options(0))
        if (appended.kind !== 'conflict') acknowledged.push(appended.first)
      }
    })()
    await eventually('some were written', () => acknowledged.length >= 20)
    await redis.kill()
    await eventually('it is told', () => watched.all.at(-1)?.kind === 'link')
    await redis.start()
    restarted = true
    await writing
    const { position } = await writer.log.head()
    await watched.untilPosition(position)
    expect(watched.positions()).toStrictEqual(
      Array.from({ length: position }, (_, index) => index + 1),
    )
    expect(acknowledged).toStrictEqual(watched.positions())
    const links = watched.all.flatMap((each) => (each.kind === 'link' ? [each.up] : []))
    expect(links).toStrictEqual([false, true])
    expect(watched.all.filter(({ kind }) => kind === 'caught-up')).toHaveLength(2)
  })

  it('says so when the log was emptied, stays where it is, and goes on when it fits again', async () => {
    await using open = openLog(redis.url)
    const { client } = open.link
    await appendAll(open.log, ['a', 'b', 'c'].map(resumed))
    await using watched = watch(open.log, BEGINNING)
    await watched.until('caught-up')
    const stream = await client.dumpBuffer(open.eventsKey)
    await client.flushall()
    await watched.until('diverged')
    expect(watched.all.at(-1)).toMatchObject({
      why: 'the log ends at position 0, before position 3 where this reader is',
    })

    // A shorter log, and then a longer one: both of another history.
    await appendAll(open.log, ['x'].map(resumed))
    await eventually('it sees the shorter log', () =>
      JSON.stringify(watched.all.at(-1)).includes('ends at position 1'),
    )
    await appendAll(open.log, ['x', 'y', 'z', 'v'].map(resumed))
    await eventually('it sees the other history', () =>
      JSON.stringify(watched.all.at(-1)).includes('another history at position 3'),
    )
    expect(watched.positions()).toStrictEqual([1, 2, 3])

    await client.del(open.eventsKey)
    if (stream !== null) await client.restore(open.eventsKey, 0, stream)
    await watched.until('caught-up')
    await appendAll(open.log, ['d'].map(resumed))
    await watched.untilPosition(4)
    expect(watched.positions()).toStrictEqual([1, 2, 3, 4])
  })

  it('says so when the log has lost what nobody but the follower knows, even without a gap', async () => {
    await using open = openLog(redis.url)
    const { client } = open.link
    await appendAll(open.log, ['a', 'b', 'c'].map(resumed))
    const stream = await client.dumpBuffer(open.eventsKey)
    await appendAll(open.log, ['lost'].map(resumed))
    await using watched = watch(open.log, BEGINNING)
    await watched.until('caught-up')
    await client.del(open.eventsKey)
    if (stream !== null) await client.restore(open.eventsKey, 0, stream)
    await appendAll(open.log, ['other', 'next'].map(resumed))
    await watched.until('diverged')
    expect(watched.positions()).toStrictEqual([1, 2, 3, 4])
  })

  it('asks for a snapshot when what it needs was trimmed away', async () => {
    await using open = openLog(redis.url)
    await appendAll(open.log, ['a', 'b', 'c', 'd'].map(resumed))
    const { hash } = (await open.log.range(1, 1))[0] ?? { hash: '' }
    await open.log.saveSnapshot({ ...(await open.log.head()), text: '' })
    await open.log.trim(4)
    await using watched = watch(open.log, { position: 1, hash })
    await watched.until('gap')
    expect(watched.all.at(-1)).toStrictEqual({ kind: 'gap', first: 4 })
  })

  it('notices a link that is open and silent, and comes back', async () => {
    await using relay = await startRelay(redis.tcpUrl)
    await using writer = openLog(redis.url)
    await using reader = openLog(relay.url, { fleet: writer.fleet })
    await appendAll(writer.log, ['a'].map(resumed))
    await using watched = watch(reader.log, BEGINNING)
    await watched.until('caught-up')
    relay.holdStill()
    await appendAll(writer.log, ['b'].map(resumed))
    await watched.until('link', 8_000)
    relay.goOn()
    await watched.untilPosition(2)
    expect(watched.positions()).toStrictEqual([1, 2])
  })

  it('waits for a Redis that is not there yet', async () => {
    await using later = await startOwnRedis()
    await later.kill()
    await using open = openLog(later.url)
    await using watched = watch(open.log, BEGINNING)
    await watched.until('link')
    await later.start()
    await watched.until('caught-up')
    expect(watched.brief()).toStrictEqual(['link', 'link', 'caught-up'])
  })
})

describe('a link that waits without end', () => {
  it('appends once what was on its way when Redis was killed, and the replica has it once', async () => {
    await using open = openLog(redis.url)
    const replica = await openReplica(open.log)
    await redis.kill()
    const [first, ...others] = historyOf([deploy('shop', 'v1')])
    if (first === undefined) throw new Error('no events')
    const appending = open.log.append([first, ...others], options(0))
    await redis.start()
    expect((await appending).kind).toBe('appended')
    await catchUp(open.log, replica)
    expect(replica.place.position).toBe(3)
    expect(replica.table.routes.size).toBe(1)
  })
})

/** A TCP relay that can stop passing bytes while its sockets stay open. */
const startRelay = async (target: string) => {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let still = false
  const listenPort = await freePort()
  const server = createServer((client) => {
    const upstream = createConnection(Number(port), hostname)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined)
      from.on('data', (bytes) => void (still || to.write(bytes)))
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  }).listen(listenPort, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${listenPort}`,
    holdStill: () => {
      still = true
    },
    goOn: () => {
      still = false
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
