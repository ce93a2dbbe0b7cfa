/**
 * Every proxy of a machine is replaced while it serves. The clients are strict: a refused connection, or
 * one that is closed with a question open, is a failure.
 */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { WebSocket } from 'ws'
import { ask, open } from '../support/client.ts'
import { command } from '../support/command.ts'
import { eventually } from '../support/eventually.ts'
import { startLoad, type Load } from '../support/load.ts'
import { isAlive } from '../support/machine.ts'
import { startOwnRedis, type OwnRedis } from '../support/own-redis.ts'
import { startUp, type TestUp } from '../support/up.ts'
import { DOWNLOAD_BYTES, startUpstream, type Upstream } from '../support/upstream.ts'

const HOST = 'shop.test'
const ROUNDS = 3
const ROUNDS_MS_MAX = 120_000
const STOP_GRACE_MS = 3_000
const WAITING = 50
const REPLACED_MS_MAX = 20_000

let up: TestUp
let blue: Upstream

beforeAll(async () => {
  blue = await startUpstream('blue')
  up = await startUp({ redisUrl: inject('redisUrl') })
  await deployBlue(up)
})
afterAll(async () => {
  await up[Symbol.asyncDispose]()
  await blue.stop()
})

describe('upgrade', () => {
  it(
    'L11 I9 replaces every proxy, several times in a row, without a failed request or a refused connection',
    async () => {
      await using kept = await load(up)
      await using fresh = await load(up, { newConnections: true })
      const readiness = askReadiness(up.adminPort)
      for (let round = 1; round <= ROUNDS; round += 1) {
        const before = await proxiesOf(up)
        const ran = await up.cmd('upgrade', '--quiet')
        expect(ran).toMatchObject({ exit: 0, stderr: '' })
        const after = await proxiesOf(up)
        expect(Object.keys(after)).toHaveLength(2)
        for (const id of Object.keys(after)) expect(before).not.toHaveProperty(id)
        expect(Object.values(before).filter(isAlive)).toEqual([])
        await Promise.all([kept.answers(100), fresh.answers(100)])
      }
      expect(await readiness.stop()).toEqual(new Set(['200 ready\n']))
      for (const report of [await kept.stop(), await fresh.stop()]) {
        expect(report).toMatchObject({ failed: 0, failures: [] })
      }
    },
    ROUNDS_MS_MAX,
  )

  it('L11 does the same at SIGUSR2', async () => {
    await using fresh = await load(up, { newConnections: true })
    const before = await proxiesOf(up)
    up.process.signal('SIGUSR2')
    await up.says('every proxy was replaced')
    const after = await proxiesOf(up)
    for (const id of Object.keys(after)) expect(before).not.toHaveProperty(id)
    expect(await fresh.stop()).toMatchObject({ failed: 0, failures: [] })
  })

  it('L11 leaves the proxy that serves where its successor cannot start, and says why', async () => {
    await using kept = await load(up)
    await using fresh = await load(up, { newConnections: true })
    const before = await proxiesOf(up)
    const [first = ''] = Object.keys(before).toSorted()
    const next = first.endsWith('b') ? first.slice(0, -1) : `${first}b`
    // Where the successor's local copy is to be, there is a file.
    const copy = join(up.dataDir, `copy-${up.fleet}-${next}`)
    await rm(copy, { recursive: true, force: true })
    await writeFile(copy, '')
    const ran = await up.cmd('upgrade')
    expect(ran.exit).toBe(1)
    expect(ran.stderr).toMatch(
      new RegExp(
        `^${first} was not replaced: ${next} ended with exit code 1 \\(Cannot keep a local copy .+; what served before still serves$`,
        'm',
      ),
    )
    expect(await proxiesOf(up)).toEqual(before)
    await rm(copy)
    await Promise.all([kept.answers(100), fresh.answers(100)])
    for (const report of [await kept.stop(), await fresh.stop()]) {
      expect(report).toMatchObject({ failed: 0, failures: [] })
    }
  })

  it('says that nothing runs where nothing does, with exit 1', async () => {
    const nowhere = join(up.dataDir, 'nowhere')
    const ran = await command({ GATEHOUSE_DATA: nowhere }, 'upgrade')
    expect(ran).toMatchObject({ exit: 1, stdout: '' })
    expect(ran.stderr).toContain(`nothing runs for ${nowhere}: npm start does; `)
  })
})

// They tell one story, in their order.
describe('a single proxy that is replaced', () => {
  let redis: OwnRedis
  let alone: TestUp

  beforeAll(async () => {
    redis = await startOwnRedis()
    alone = await startUp({
      redisUrl: redis.url,
      proxies: 1,
      settings: { GATEHOUSE_GRACE_MS: String(STOP_GRACE_MS) },
    })
    await deployBlue(alone)
  })
  afterAll(async () => {
    await alone[Symbol.asyncDispose]()
    await redis[Symbol.asyncDispose]()
  })

  it('L11 I8 L3 lets a download and a WebSocket end by themselves, counts them until then, and cuts what outlives the grace', async () => {
    await using fresh = await load(alone, { newConnections: true })
    const download = await open(alone.port, { host: HOST, path: '/download' })
    const endless = await open(alone.port, { host: HOST, path: '/endless' })
    const ending = await socketTo(alone)
    const staying = await socketTo(alone)
    const upgrade = alone.startCmd('upgrade', '--json')
    await eventually(
      'the fleet sees both, and what the one that stops still holds',
      async () => {
        const [first, next] = await alone.members()
        expect(first).toMatchObject({ id: 'proxy-1', live: true, notes: ['stopping'], inFlight: 4 })
        expect(next).toMatchObject({ id: 'proxy-1b', live: true, notes: [] })
        return true
      },
      REPLACED_MS_MAX,
    )
    const second = await alone.cmd('upgrade')
    expect(second.exit).toBe(5)
    expect(second.stderr).toContain('an upgrade is under way already')

    blue.release()
    expect(await download.ended()).toBe('complete')
    expect(download.body()).toHaveLength(DOWNLOAD_BYTES)
    ending.socket.send('still here')
    await eventually('it is answered', () => ending.seen.includes('still here'))
    ending.socket.close(1000)
    await eventually('it ends in order', () => ending.code() === 1000)
    expect(staying.code()).toBeUndefined()

    const { exit, stdout } = await upgrade.finished
    // RFC 6455 §7.4.1 by way of IANA's list: the service restarts, come back.
    await eventually('what stayed was asked to come back', () => staying.code() === 1012)
    expect(await endless.ended()).toBe('cut')
    expect(exit).toBe(8)
    const { proxies } = JSON.parse(stdout)
    expect(proxies).toMatchObject([{ id: 'proxy-1b', succeeds: 'proxy-1' }])
    expect(proxies[0].cut).toBeGreaterThan(0)
    expect(Object.keys(await proxiesOf(alone))).toEqual(['proxy-1b'])
    expect(await fresh.stop()).toMatchObject({ failed: 0, failures: [] })
  })

  it('L11 A22 stays where its successor cannot read the log: an older local copy does not make it ready', async () => {
    // Now the copy of proxy-1 is from before the next release.
    await using green = await startUpstream('green')
    const flags = ['--host', HOST, '--target', green.url, '--release', 'green']
    expect(await alone.cmd('deploy', 'shop', ...flags)).toMatchObject({ exit: 0 })
    await using fresh = await startLoad({
      ports: [alone.port],
      host: HOST,
      accept: ['green'],
      newConnections: true,
    })
    await redis.stop()
    const ran = await alone.cmd('upgrade', '--ready-timeout', '4s')
    expect(ran.exit).toBe(4)
    expect(ran.stderr).toMatch(
      /^proxy-1b was not replaced: proxy-1 was not ready within 4 s \(.+\) \(log: .+\); what served before still serves$/m,
    )
    expect(await fresh.stop()).toMatchObject({ failed: 0, failures: [] })
    await redis.start()
    await eventually(
      'the fleet is as it was',
      async () => Object.keys(await proxiesOf(alone)).join() === 'proxy-1b',
      REPLACED_MS_MAX,
    )
  })
})

describe('connections that nobody has accepted yet', () => {
  it('L11 are answered by the successor, and not reset with the proxy in whose queue they came', async () => {
    await using alone = await startUp({
      redisUrl: inject('redisUrl'),
      proxies: 1,
      settings: { GATEHOUSE_PROXY_ID: 'edge' },
    })
    await deployBlue(alone)
    const { 'edge-1': before = Number.NaN } = await proxiesOf(alone)
    // It accepts nothing more, as if all of them came in its very last moment.
    process.kill(before, 'SIGSTOP')
    try {
      const asked = Array.from({ length: WAITING }, () => ask(alone.port, { host: HOST }))
      const upgrade = alone.cmd('upgrade')
      const answers = await Promise.all(asked)
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
      expect(isAlive(before)).toBe(true)
      process.kill(before, 'SIGCONT')
      expect(await upgrade).toMatchObject({ exit: 0 })
    } finally {
      if (isAlive(before)) process.kill(before, 'SIGCONT')
    }
  })
})

describe('a proxy that crashes', () => {
  it('is started again, after pauses that grow, and meanwhile no new connection waits for it', async () => {
    const [doomed = ''] = Object.keys(await proxiesOf(up)).toSorted()
    let killed = Number.NaN
    for (const pause of ['500 ms', '1 s', '2 s']) {
      killed = await eventually(
        'it is back',
        async () => {
          const { [doomed]: pid } = await proxiesOf(up)
          return pid === killed ? undefined : pid
        },
        REPLACED_MS_MAX,
      )
      process.kill(killed, 'SIGKILL')
      await up.says(`${doomed} ended with SIGKILL; it is started again in ${pause} (log: `)
    }
    // Half of them would have come to the socket that nobody accepts from.
    const asked = Array.from({ length: WAITING }, () => ask(up.port, { host: HOST }))
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect((await proxiesOf(up))[doomed], 'it is not back yet').toBe(killed)

    // It need not wait for the end of its pause: what comes next may be what mends it.
    expect(await up.cmd('upgrade', '--quiet')).toMatchObject({ exit: 0 })
    const after = await proxiesOf(up)
    expect(Object.keys(after)).toHaveLength(2)
    expect(Object.keys(after)).toContain(doomed)
    expect(Object.values(after).filter(isAlive)).toHaveLength(2)
  })
})

const deployBlue = async (on: TestUp): Promise<void> => {
  const flags = ['--host', HOST, '--target', blue.url, '--release', 'blue']
  const ran = await on.cmd('deploy', 'shop', ...flags)
  if (ran.exit !== 0) throw new Error(ran.stderr)
}

const load = (on: TestUp, more: { readonly newConnections?: boolean } = {}): Promise<Load> =>
  startLoad({
    ports: [on.port],
    host: HOST,
    accept: ['blue'],
    connectionsPerPort: 8,
    pauseMs: 10,
    ...more,
  })

/** The process of every proxy by its name. Nobody may be missed: that would be one that was lost. */
const proxiesOf = async (on: TestUp): Promise<Readonly<Record<string, number>>> => {
  const members = await on.members()
  expect(members.filter(({ live }) => !live)).toEqual([])
  return Object.fromEntries(
    members.filter(({ kind }) => kind === 'proxy').map(({ id, pid }) => [id, pid]),
  )
}

/** What the admin listener of one proxy says, asked again and again on a new connection each time. */
const askReadiness = (port: number): { readonly stop: () => Promise<ReadonlySet<string>> } => {
  const seen = new Set<string>()
  const ending = new AbortController()
  const asking = (async () => {
    while (!ending.signal.aborted) {
      const answer = await ask(port, { host: 'localhost', path: '/readyz' })
      seen.add(`${answer.status} ${answer.body}`)
    }
  })()
  return {
    stop: async () => {
      ending.abort()
      await asking
      return seen
    },
  }
}

interface OpenSocket {
  readonly socket: WebSocket
  /** Every message so far. */
  readonly seen: readonly string[]
  /** How it was closed; undefined while it is open. */
  readonly code: () => number | undefined
}

const socketTo = async (on: TestUp): Promise<OpenSocket> => {
  const socket = new WebSocket(`ws://127.0.0.1:${on.port}/socket`, { headers: { host: HOST } })
  const seen: string[] = []
  let code: number | undefined
  socket.on('message', (data: unknown) => seen.push(String(data)))
  socket.on('error', () => undefined)
  socket.on('close', (closed) => (code = closed))
  await eventually('the WebSocket greets', () => seen.includes('blue'))
  return { socket, seen, code: () => code }
}
