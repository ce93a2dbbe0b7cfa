import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import {
  checkRedis,
  ControlPlaneUnfit,
  ControlPlaneUnreachable,
  createRedisLog,
  openRedis,
  readFleet,
  type RedisLink,
} from '@gatehouse/events'
import { eventually } from '../../support/eventually.ts'
import { options } from '../../../libs/events/src/testing.ts'
import { freePort } from '../../support/free-port.ts'
import { openLog, startOwnRedis, type OwnRedis } from './own-redis.ts'

const GIVES_UP_MS_MAX = 2_500

let redis: OwnRedis
beforeAll(async () => {
  redis = await startOwnRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

/** What a link with brief patience fails with, and within which time. */
const failureOf = async (
  url: string,
  ask: (link: RedisLink) => Promise<unknown> = checkRedis,
): Promise<Error> => {
  const link = openRedis(url, { name: 'test', patience: 'brief' })
  const started = performance.now()
  try {
    const answer: unknown = await ask(link)
    throw new TypeError(`it did not fail: ${JSON.stringify(answer)}`)
  } catch (error) {
    expect(performance.now() - started).toBeLessThan(GIVES_UP_MS_MAX)
    return error as Error
  } finally {
    await link.close()
  }
}

const append = (link: RedisLink, fleet = 'test') =>
  createRedisLog(link, fleet).append([{ type: 'ServiceResumed', service: 'a' }], options(0))

/** Answers like a Redis of that version, as far as being asked for it. */
const startOldRedis = async (version: string) => {
  const port = await freePort()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.setEncoding('utf8').on('data', (text: string) => {
      for (const [, command = ''] of text.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        socket.write(answerOf(command.toLowerCase()))
      }
    })
  }).listen(port, '127.0.0.1')
  const answerOf = (command: string): string => {
    const info = `# Server\r\nredis_version:${version}\r\nloading:0\r\nrole:master\r\n`
    if (command === 'info') return `$${info.length}\r\n${info}\r\n`
    return command === 'hello' ? "-ERR unknown command 'HELLO'\r\n" : '+OK\r\n'
  }
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('a Redis that cannot be reached', () => {
  it.each([
    [
      'nobody listens there',
      async () => `redis://127.0.0.1:${await freePort()}`,
      'connection refused',
    ],
    ['there is no socket', () => 'unix:///nowhere/redis.sock', 'there is no such socket'],
    ['there is no such host', () => 'redis://no-such-host.invalid:6379', 'no-such-host.invalid'],
  ])('is told in one sentence within two seconds: %s', async (_what, urlOf, reason) => {
    const failure = await failureOf(await urlOf())
    expect(failure).toBeInstanceOf(ControlPlaneUnreachable)
    expect(failure.message).toMatch(/^Redis at \S+ cannot be reached: /)
    expect(failure.message).toContain(reason)
    expect(failure.message).not.toContain('\n')
  })

  it('is told without the password', async () => {
    const failure = await failureOf(`redis://ada:secret@127.0.0.1:${await freePort()}`)
    expect(failure.message).toMatch(/^Redis at redis:\/\/127\.0\.0\.1:\d+ cannot be reached: /)
  })

  it('is told for every kind of question', async () => {
    const url = `redis://127.0.0.1:${await freePort()}`
    for (const ask of [
      append,
      (link: RedisLink) => createRedisLog(link, 'test').head(),
      (link: RedisLink) => createRedisLog(link, 'test').snapshot(),
      (link: RedisLink) => readFleet(link, 'test'),
    ]) {
      expect(await failureOf(url, ask)).toBeInstanceOf(ControlPlaneUnreachable)
    }
  })

  it('is reported once when it goes and once when it is back', async () => {
    await using later = await startOwnRedis()
    const told: string[] = []
    const link = openRedis(later.url, {
      name: 'test',
      patience: 'endless',
      onTrouble: (reason) => told.push(`trouble: ${reason}`),
      onRecovered: () => told.push('recovered'),
    })
    await checkRedis(link)
    await later.kill()
    await eventually('trouble is told', () => told.length === 1)
    await later.start()
    await eventually('recovery is told', () => told.length === 2)
    expect(told).toStrictEqual([expect.stringMatching(/^trouble: /), 'recovered'])
    await link.close()
  })
})

describe('a Redis that is no use', () => {
  it('may be a read-only replica', async () => {
    await using replica = await startOwnRedis()
    const control = openRedis(replica.url, { name: 'test' })
    await control.client.call('REPLICAOF', '127.0.0.1', new URL(redis.tcpUrl).port)
    await eventually('it is a replica', async () =>
      (await control.client.info('replication')).includes('role:slave'),
    )
    const failure = await failureOf(replica.url)
    expect(failure).toBeInstanceOf(ControlPlaneUnfit)
    expect(failure.message).toMatch(/^Redis at \S+ is a read-only replica; expected the primary/)
    const refused = await failureOf(replica.url, append)
    expect(refused).toBeInstanceOf(ControlPlaneUnfit)
    expect(refused.message).toMatch(/is a read-only replica; expected the primary/)
    await control.close()
  })

  it.each(['6.2.14', '5.0.7'])('may be too old: %s', async (version) => {
    await using old = await startOldRedis(version)
    const failure = await failureOf(old.url)
    expect(failure).toBeInstanceOf(ControlPlaneUnfit)
    expect(failure.message).toBe(`Redis at ${old.url} is version ${version}; expected at least 7.0`)
  })

  it('may have something else under a key of ours', async () => {
    await using open = openLog()
    await open.link.client.set(open.eventsKey, 'a text')
    for (const ask of [
      (link: RedisLink) => append(link, open.fleet),
      (link: RedisLink) => createRedisLog(link, open.fleet).head(),
    ]) {
      const failure = await failureOf(inject('redisUrl'), ask)
      expect(failure).toBeInstanceOf(ControlPlaneUnfit)
      expect(failure.message).toContain('holds something else under a key of Gatehouse')
    }
  })

  it('may want another password, or any, or permit too little', async () => {
    const control = openRedis(redis.url, { name: 'test' })
    const { client } = control
    await client.call(
      'ACL',
      'SETUSER',
      'reader',
      'on',
      '>secret',
      '~*',
      '+@all',
      '-xadd',
      '-evalsha',
      '-eval',
    )
    await client.call('CONFIG', 'SET', 'requirepass', 'open')
    const at = redis.tcpUrl.replace('redis://', '')
    for (const [url, sentence] of [
      [`redis://:wrong@${at}`, 'does not accept the password'],
      [`redis://${at}`, 'expects a password'],
    ] as const) {
      const failure = await failureOf(url)
      expect(failure).toBeInstanceOf(ControlPlaneUnfit)
      expect(failure.message).toContain(sentence)
      expect(failure.message).not.toContain('wrong@')
    }
    const refused = await failureOf(`redis://reader:secret@${at}`, append)
    expect(refused).toBeInstanceOf(ControlPlaneUnfit)
    expect(refused.message).toContain('does not permit this user to do that')
    await client.call('CONFIG', 'SET', 'requirepass', '')
    await control.close()
  })

  it('may be full', async () => {
    const control = openRedis(redis.url, { name: 'test' })
    await control.client.call('CONFIG', 'SET', 'maxmemory', '1')
    const failure = await failureOf(redis.url, append)
    await control.client.call('CONFIG', 'SET', 'maxmemory', '0')
    await control.close()
    expect(failure).toBeInstanceOf(ControlPlaneUnfit)
    expect(failure.message).toContain('is out of memory and refuses to write')
  })

  it('is warned about when it may lose what it has acknowledged', async () => {
    const control = openRedis(redis.url, { name: 'test' })
    const before = await checkRedis(control)
    expect(before.warnings).toStrictEqual([])
    expect(before.version).toMatch(/^\d+\.\d+/)
    await control.client.call('CONFIG', 'SET', 'appendonly', 'no')
    await control.client.call('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    const { warnings } = await checkRedis(control)
    await control.client.call('CONFIG', 'SET', 'appendonly', 'yes')
    await control.client.call('CONFIG', 'SET', 'maxmemory-policy', 'noeviction')
    await control.close()
    expect(warnings).toStrictEqual([
      expect.stringContaining('appendonly yes'),
      expect.stringContaining('allkeys-lru'),
    ])
  })
})
