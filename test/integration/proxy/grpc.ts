/** A gRPC service on grpc-js, and clients of it. Messages are JSON: what they say is not the point. */
import {
  Client,
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  status,
  type ChannelCredentials,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from '@grpc/grpc-js'

export interface Message {
  readonly n: number
  readonly text?: string
}

export interface GrpcTarget extends Disposable {
  readonly port: number
  /** Deadlines that came along, in milliseconds from then. */
  readonly deadlines: readonly number[]
  /** Calls that began, and those that their client cancelled. */
  readonly begun: number
  readonly cancelled: number
  /** What it says about its health. */
  isServing: boolean
}

const write = (message: Message): Buffer => Buffer.from(JSON.stringify(message))
const read = (bytes: Buffer): Message => JSON.parse(bytes.toString()) as Message

const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Numbers/${name}`,
  requestStream,
  responseStream,
  requestSerialize: write,
  requestDeserialize: read,
  responseSerialize: write,
  responseDeserialize: read,
})

const SERVICE = {
  double: method('Double', false, false),
  refuse: method('Refuse', false, false),
  hang: method('Hang', false, false),
  count: method('Count', false, true),
  sum: method('Sum', true, false),
  chat: method('Chat', true, true),
}

export const startGrpcTarget = async (
  serverCredentials = ServerCredentials.createInsecure(),
): Promise<GrpcTarget> => {
  const server = new Server({ 'grpc.max_receive_message_length': -1 })
  const deadlines: number[] = []
  let begun = 0
  let cancelled = 0
  const note = (call: {
    getDeadline(): Date | number
    on(event: 'cancelled', listener: () => void): unknown
  }): void => {
    begun += 1
    const deadline = call.getDeadline()
    if (deadline !== Number.POSITIVE_INFINITY) deadlines.push(Number(deadline) - Date.now())
    call.on('cancelled', () => (cancelled += 1))
  }
  server.addService(SERVICE, {
    double: (call: ServerUnaryCall<Message, Message>, reply: sendUnaryData<Message>) => {
      note(call)
      const trailers = new Metadata()
      trailers.set('x-doubled', String(call.request.n))
      const initial = new Metadata()
      initial.set('x-saw', String(call.metadata.get('x-sent')[0] ?? ''))
      call.sendMetadata(initial)
      reply(null, { ...call.request, n: call.request.n * 2 }, trailers)
    },
    refuse: (call: ServerUnaryCall<Message, Message>, reply: sendUnaryData<Message>) => {
      note(call)
      reply({ code: status.FAILED_PRECONDITION, details: 'no größer than 7' })
    },
    hang: (call: ServerUnaryCall<Message, Message>) => note(call),
    count: (call: ServerWritableStream<Message, Message>) => {
      note(call)
      for (let n = 1; n <= call.request.n; n += 1) call.write({ n, text: call.request.text ?? '' })
      call.end()
    },
    sum: (call: ServerReadableStream<Message, Message>, reply: sendUnaryData<Message>) => {
      note(call)
      let n = 0
      call.on('data', (message: Message) => (n += message.n))
      call.on('end', () => reply(null, { n }))
    },
    chat: (call: ServerDuplexStream<Message, Message>) => {
      note(call)
      call.on('data', ({ n }: Message) => call.write({ n: -n }))
      call.on('end', () => call.end())
    },
  })
  server.addService(HEALTH, {
    check: (_call: ServerUnaryCall<object, boolean>, reply: sendUnaryData<boolean>) =>
      reply(null, target.isServing),
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', serverCredentials, (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  const target: GrpcTarget = {
    port,
    isServing: true,
    deadlines,
    get begun() {
      return begun
    },
    get cancelled() {
      return cancelled
    },
    [Symbol.dispose]: () => server.forceShutdown(),
  }
  return target
}

/** As much of grpc.health.v1 as its answer needs: one field, 1 for SERVING and 2 for NOT_SERVING. */
const HEALTH = {
  check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: () => ({}),
    responseSerialize: (isServing: boolean) => Buffer.from([0x08, isServing ? 1 : 2]),
    responseDeserialize: (bytes: Buffer) => bytes[1] === 1,
  },
}

type Call = readonly [path: string, write: typeof write, read: typeof read]

/** What a client needs of a method. */
export const CALLS: Readonly<Record<CallName, Call>> = {
  double: ['/test.Numbers/Double', write, read],
  refuse: ['/test.Numbers/Refuse', write, read],
  hang: ['/test.Numbers/Hang', write, read],
  count: ['/test.Numbers/Count', write, read],
  sum: ['/test.Numbers/Sum', write, read],
  chat: ['/test.Numbers/Chat', write, read],
  missing: ['/test.Numbers/Missing', write, read],
}

type CallName = 'double' | 'refuse' | 'hang' | 'count' | 'sum' | 'chat' | 'missing'

/** Disposing of it closes its connection. */
export const grpcClient = (
  port: number,
  channelCredentials: ChannelCredentials = credentials.createInsecure(),
): Client & Disposable => {
  const client = new Client(`127.0.0.1:${port}`, channelCredentials, {
    'grpc.default_authority': 'app.test',
    'grpc.max_receive_message_length': -1,
    // Of its own, so that a test is not served on the connection of another.
    'grpc.use_local_subchannel_pool': 1,
  })
  return Object.assign(client, { [Symbol.dispose]: () => client.close() })
}
