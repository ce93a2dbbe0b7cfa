import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, inject, it } from 'vitest'
import { createFleet, eventually } from './fleet.ts'

const release = ['--host', 'shop.test', '--target', 'http://127.0.0.1:9', '--release', 'blue']

describe('a command that waits', () => {
  it('A22 L5 goes on when Redis is away for a moment', async () => {
    await using relay = await createRelay()
    await using fleet = createFleet(inject('redisTcpUrl'))
    const environment = { GATEHOUSE_REDIS_URL: relay.url }
    const deploying = fleet.cmd(['deploy', 'shop', ...release], { environment })
    await eventually(async () => ((await fleet.log.head()).position === 1 ? true : undefined))
    await relay.cut()
    await fleet.submit({
      type: 'ReportHealth',
      service: 'shop',
      generation: 1,
      outcome: { kind: 'passed', attempts: 1, tookMs: 1, failing: [] },
    })
    await relay.mend()
    const ran = await deploying
    expect(ran.exit).toBe(0)
    expect(ran.stdout).toContain('shop: release blue is active (position 3)')
  })

  it('A22 exits 6 when Redis stays away, and says what was accepted', async () => {
    await using relay = await createRelay()
    await using fleet = createFleet(inject('redisTcpUrl'))
    const environment = { GATEHOUSE_REDIS_URL: relay.url }
    const limits = ['--deploy-timeout', '500ms', '--timeout', '500ms']
    const deploying = fleet.cmd(['deploy', 'shop', ...release, ...limits], { environment })
    await eventually(async () => ((await fleet.log.head()).position === 1 ? true : undefined))
    await relay.cut()
    const ran = await deploying
    expect(ran.exit).toBe(6)
    expect(ran.stderr).toContain('cannot be reached')
    expect(ran.stderr).toContain('the deploy was accepted at position 1; its end was not seen')
  })
})

interface Relay extends AsyncDisposable {
  readonly url: string
  readonly cut: () => Promise<void>
  readonly mend: () => Promise<void>
}

/** A way to Redis that can be cut without stopping Redis, which other tests use too. */
const createRelay = async (): Promise<Relay> => {
  const redis = new URL(inject('redisTcpUrl'))
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(redis.port), redis.hostname)
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.pipe(other)
      socket.on('error', () => other.destroy())
      socket.on('close', () => sockets.delete(socket))
    }
  })
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  const cut = async (): Promise<void> => {
    if (!server.listening) return
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  await listen(0)
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  return {
    url: `redis://127.0.0.1:${port}`,
    cut,
    mend: () => listen(port),
    [Symbol.asyncDispose]: cut,
  }
}
