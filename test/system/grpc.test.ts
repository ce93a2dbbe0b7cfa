/** A gRPC service from its spec to its clients, through real processes. */
import { expect, inject, it } from 'vitest'
import { startFleet } from '../support/fleet.ts'
import { CALLS, grpcClient, startGrpcTarget, type Message } from '../integration/proxy/grpc.ts'

it('N15 deploys a gRPC server that says it is serving, and refuses one that is not', async () => {
  using target = await startGrpcTarget()
  using ill = await startGrpcTarget()
  ill.isServing = false
  await using fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 1, workers: 1 })
  const spec = (port: number, release: string): Promise<string> =>
    fleet.spec({
      service: 'numbers',
      hosts: ['app.test'],
      target_url: `h2c://127.0.0.1:${port}`,
      target_id: release,
      health: { grpc: true, timeout: '1s', interval: '100ms' },
    })
  const deployed = await fleet.cmd('deploy', await spec(target.port, 'well'))
  expect(deployed).toMatchObject({ exit: 0 })
  const refused = await fleet.cmd('deploy', await spec(ill.port, 'ill'))
  expect(refused.exit).toBe(3)
  expect(refused.stderr).toContain(
    `gRPC health of h2c://127.0.0.1:${ill.port} is NOT_SERVING, expected SERVING`,
  )
  expect((await fleet.cmd('show', 'numbers')).stdout).toContain('gRPC, SERVING')
  using client = grpcClient(fleet.proxy('proxy-1').port)
  const answer = await new Promise((resolve, reject) => {
    client.makeUnaryRequest<Message, Message>(...CALLS.double, { n: 3 }, (error, value) =>
      error === null ? resolve(value) : reject(error),
    )
  })
  expect(answer).toEqual({ n: 6 })
  expect([target.begun, ill.begun]).toEqual([1, 0])
})
