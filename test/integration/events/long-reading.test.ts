import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BEGINNING, emptyReplica, catchUp, type Recorded } from '@gatehouse/events'
import type { GatewayEvent } from '@gatehouse/domain'
import { options, readAll } from '../../../libs/events/src/testing.ts'
import { eventually } from '../../support/eventually.ts'
import { openLog, startOwnRedis, type OwnRedis, type TestLog } from './own-redis.ts'

const ENTRIES = 6_000
/** Pages after which a reading is long. */
const LONG_PAGES = 8
/** Far less than what a connection takes to be closed because it is silent. */
const GONE_MS_MAX = 2_000

let redis: OwnRedis
beforeAll(async () => {
  redis = await startOwnRedis()
})
afterAll(() => redis[Symbol.asyncDispose]())

const write = async (log: TestLog['log']): Promise<void> => {
  const stopped = (index: number): GatewayEvent => ({
    type: 'ServiceStopped',
    service: `s${index % 50}`,
    message: index % 7 === 0 ? `geschlossen – 閉 ${index}` : `closed ${index}`,
  })
  for (let index = 0; index < ENTRIES; index += 500) {
    const others = Array.from({ length: 499 }, (_, more) => stopped(index + 1 + more))
    await log.append([stopped(index), ...others], options(0))
  }
}

/** The connections that long readings have made for themselves, and what was asked on them last. */
const readers = async ({ link }: TestLog): Promise<readonly { id: string; asked: string }[]> => {
  const list = String(await link.client.client('LIST'))
  return list.split('\n').flatMap((line) => {
    const [, id = '', asked = ''] = /^id=(\d+) .* name=gatehouse-read .* cmd=(\S+)/.exec(line) ?? []
    return id === '' ? [] : [{ id, asked }]
  })
}

/** It is logged in, and handed over in the same moment. */
const isOpened = async (open: TestLog): Promise<boolean> =>
  (await readers(open)).some(({ asked }) => asked === 'ping')

const isGone = async (open: TestLog): Promise<boolean> => (await readers(open)).length === 0

const counted = Array.from({ length: ENTRIES }, (_, index) => index + 1)

describe('the reading of a long history', () => {
  it.each([
    ['a socket', ({ url }: OwnRedis) => url],
    [
      'TCP, with a user, a password and a database',
      ({ tcpUrl }: OwnRedis) => `${tcpUrl.replace('//', '//reader:p%40ss%3Aw@')}/3`,
    ],
  ])('has a connection of its own, and reads the very same on it, over %s', async (_how, urlOf) => {
    await using admin = openLog(redis.url)
    await admin.link.client.acl('SETUSER', 'reader', 'on', '>p@ss:w', '~*', '+@all')
    await using open = openLog(urlOf(redis))
    await write(open.log)
    const all: Recorded[] = []
    const asked: string[] = []
    for await (const page of open.log.read(BEGINNING)) {
      all.push(...page)
      asked.push((await readers(open)).map((reader) => reader.asked).join())
      if (asked.length === LONG_PAGES) await eventually('it has its own', () => isOpened(open))
    }
    // The eighth page is asked for while the seventh is read.
    expect(asked.slice(0, LONG_PAGES - 2).join('')).toBe('')
    expect(asked.slice(2 * LONG_PAGES, -1)).toContain('xrange')
    expect(all).toStrictEqual(await open.log.range(1, ENTRIES))
    await eventually('it is gone', () => isGone(open), GONE_MS_MAX)
  })

  it('goes on without a gap when that connection is cut, at any time', async () => {
    await using open = openLog(redis.url)
    await write(open.log)
    for (const cutAfter of [LONG_PAGES, LONG_PAGES + 1, LONG_PAGES + 5]) {
      const positions: number[] = []
      let pages = 0
      for await (const page of open.log.read(BEGINNING)) {
        positions.push(...page.map(({ position }) => position))
        if (++pages === LONG_PAGES) {
          await eventually('it has its connection', () => isOpened(open))
        }
        if (pages !== cutAfter) continue
        const [reader] = await readers(open)
        expect(await open.link.client.client('KILL', 'ID', reader?.id ?? '')).toBe(1)
      }
      expect(positions).toStrictEqual(counted)
    }
  })

  it('may end early, and leaves nothing behind then', async () => {
    await using open = openLog(redis.url)
    await write(open.log)
    let pages = 0
    for await (const page of open.log.read(BEGINNING)) {
      pages += page.length > 0 ? 1 : 0
      if (pages === LONG_PAGES) break
    }
    expect(pages).toBe(LONG_PAGES)
    await eventually('no connection is left', () => isGone(open), GONE_MS_MAX)
  })

  it('A25 L13 puts aside what somebody wrote far back by hand, and all of it is counted', async () => {
    await using open = openLog(redis.url)
    await write(open.log)
    await open.link.client.xadd(open.eventsKey, `${ENTRIES}-3`, 'x', 'garbage', 'y', '\r\n')
    await open.link.client.xadd(open.eventsKey, `${ENTRIES}-4`, 'e', Buffer.from([0xff, 0x0a]))
    await open.log.append([{ type: 'ServiceResumed', service: 's1' }], options(0))
    const replica = emptyReplica()
    await catchUp(open.log, replica)
    expect(replica.quarantine.total).toBe(2)
    expect(replica.place).toStrictEqual(await placeOfHead(open))
  })

  it('is told that the history is another one, far back as well', async () => {
    await using open = openLog(redis.url)
    await write(open.log)
    const value = `1700000000000.000 ${'0'.repeat(40)} {}`
    await open.link.client.xadd(open.eventsKey, `${ENTRIES + 1}-0`, 'e', value)
    await expect(readAll(open.log, BEGINNING)).rejects.toThrow(
      `the entry at position ${ENTRIES + 1} does not continue the history before it`,
    )
  })
})

const placeOfHead = async ({ log }: TestLog) => {
  const { position, hash } = await log.head()
  return { position, hash }
}
