import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startEdge, type Edge } from './edge.ts'
import { CALLS, grpcClient, startGrpcTarget, type Message } from './grpc.ts'

const routeTo = (edge: Edge, port: number): void => {
  edge.route({ targets: [`h2c://127.0.0.1:${port}`] })
}

it('N15 carries a unary call, with what it says before and behind its answer', async () => {
  await using edge = await startEdge()
  using target = await startGrpcTarget()
  routeTo(edge, target.port)
  using client = grpcClient(edge.port)
  const sent = new Metadata()
  sent.set('x-sent', 'hello')
  const deadline = Date.now() + 5_000
  const heard: { initial?: Metadata; end?: StatusObject } = {}
  const answer = await new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest<Message, Message>(
      ...CALLS.double,
      { n: 21 },
      sent,
      { deadline },
      (error, value) => (error === null ? resolve(value) : reject(error)),
    )
    call.on('metadata', (initial) => (heard.initial = initial))
    call.on('status', (end) => (heard.end = end))
  })
  expect(answer).toEqual({ n: 42 })
  await eventually('its status', () => heard.end?.code === status.OK)
  expect(heard.initial?.get('x-saw')).toEqual(['hello'])
  expect(heard.end?.metadata.get('x-doubled')).toEqual(['21'])
  expect(target.deadlines[0]).toBeGreaterThan(3_000)
})

it('N15 carries an answer that is nothing but a status', async () => {
  await using edge = await startEdge()
  using target = await startGrpcTarget()
  routeTo(edge, target.port)
  using client = grpcClient(edge.port)
  const refusal = (call: 'refuse' | 'missing'): Promise<ServiceError | null> =>
    new Promise((resolve) => {
      client.makeUnaryRequest<Message, Message>(...CALLS[call], { n: 8 }, (error) => resolve(error))
    })
  expect(await refusal('refuse')).toMatchObject({
    code: status.FAILED_PRECONDITION,
    details: 'no größer than 7',
  })
  expect(await refusal('missing')).toMatchObject({ code: status.UNIMPLEMENTED })
})

it('N15 carries a stream of answers, whole and in order, and no faster than it is taken', async () => {
  await using edge = await startEdge()
  using target = await startGrpcTarget()
  routeTo(edge, target.port)
  using client = grpcClient(edge.port)
  const text = 'x'.repeat(10_000)
  const call = client.makeServerStreamRequest<Message, Message>(...CALLS.count, { n: 500, text })
  const numbers: number[] = []
  for await (const message of call) numbers.push((message as Message).n)
  expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
})

it('N15 carries a stream of requests', async () => {
  await using edge = await startEdge()
  using target = await startGrpcTarget()
  routeTo(edge, target.port)
  using client = grpcClient(edge.port)
  const answer = await new Promise((resolve, reject) => {
    const call = client.makeClientStreamRequest<Message, Message>(...CALLS.sum, (error, value) =>
      error === null ? resolve(value) : reject(error),
    )
    for (let n = 1; n <= 100; n += 1) call.write({ n, text: 'x'.repeat(5_000) })
    call.end()
  })
  expect(answer).toEqual({ n: 5_050 })
})

it('N15 carries both directions at once, one message at a time', async () => {
  await using edge = await startEdge()
  using target = await startGrpcTarget()
  routeTo(edge, target.port)
  using client = grpcClient(edge.port)
  const call = client.makeBidiStreamRequest<Message, Message>(...CALLS.chat)
  const heard: number[] = []
  let end: StatusObject | undefined
  call.on('data', ({ n }: Message) => heard.push(n))
  call.on('status', (each) => (end = each))
  for (let n = 1; n <= 3; n += 1) {
    call.write({ n })
    await eventually(`the answer to ${n}`, () => heard.length === n)
  }
  expect(edge.plane.work()[0]?.requests).toBe(1)
  call.end()
  await eventually('the end', () => end?.code === status.OK)
  expect(heard).toEqual([-1, -2, -3])
  await eventually('nothing is held', () => edge.plane.work().length === 0)
})

it('N15 cancels at the target what its client cancels, or gives up at its deadline', async () => {
  await using edge = await startEdge()
  using target = await startGrpcTarget()
  routeTo(edge, target.port)
  using client = grpcClient(edge.port)
  const refused = new Promise<ServiceError | null>((resolve) => {
    const call = client.makeUnaryRequest<Message, Message>(...CALLS.hang, { n: 1 }, (error) =>
      resolve(error),
    )
    void eventually('it began', () => target.begun === 1).then(() => call.cancel())
  })
  expect(await refused).toMatchObject({ code: status.CANCELLED })
  await eventually('the target knows', () => target.cancelled === 1)
  const late = new Promise<ServiceError | null>((resolve) => {
    const deadline = Date.now() + 200
    client.makeUnaryRequest<Message, Message>(...CALLS.hang, { n: 1 }, { deadline }, (error) =>
      resolve(error),
    )
  })
  expect(await late).toMatchObject({ code: status.DEADLINE_EXCEEDED })
  await eventually('the target knows', () => target.cancelled === 2)
  await eventually('nothing is held', () => edge.plane.work().length === 0)
})

it('N15 says UNAVAILABLE where there is no target', async () => {
  await using edge = await startEdge()
  using target = await startGrpcTarget()
  const { port } = target
  target[Symbol.dispose]()
  routeTo(edge, port)
  using client = grpcClient(edge.port)
  const error = await new Promise<ServiceError | null>((resolve) => {
    client.makeUnaryRequest<Message, Message>(...CALLS.double, { n: 1 }, (each) => resolve(each))
  })
  expect(error).toMatchObject({ code: status.UNAVAILABLE })
})

it('I1 lets a gRPC stream go on while its release drains, and cuts it at the deadline', async () => {
  await using edge = await startEdge()
  using before = await startGrpcTarget()
  using after = await startGrpcTarget()
  routeTo(edge, before.port)
  using client = grpcClient(edge.port)
  const call = client.makeBidiStreamRequest<Message, Message>(...CALLS.chat)
  const heard: number[] = []
  let end: StatusObject | undefined
  call.on('data', ({ n }: Message) => heard.push(n))
  call.on('status', (each) => (end = each))
  call.on('error', () => {})
  call.write({ n: 1 })
  await eventually('the first answer', () => heard.length === 1)
  edge.route({
    revision: 2,
    targets: [`h2c://127.0.0.1:${after.port}`],
    drains: [{ revision: 1, generation: 1, drainMs: 1_000 }],
  })
  call.write({ n: 2 })
  await eventually('the second answer', () => heard.length === 2)
  const answer = await new Promise((resolve) => {
    client.makeUnaryRequest<Message, Message>(...CALLS.double, { n: 1 }, (_error, value) =>
      resolve(value),
    )
  })
  expect(answer).toEqual({ n: 2 })
  expect([before.begun, after.begun]).toEqual([1, 1])
  await eventually('it was cut', () => end !== undefined)
  expect(end?.code).not.toBe(status.OK)
  await eventually('the target knows', () => before.cancelled === 1)
  expect(edge.plane.work()).toMatchObject([{ revision: 1, requests: 0, cut: 1 }])
})
