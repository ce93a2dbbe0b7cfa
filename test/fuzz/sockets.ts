/**
 * The same books over real sockets: a data plane that listens, a target that listens, and clients whose
 * writes the kernel cuts and joins as it likes. Slower than memory, and with nothing left out.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { HEALTH_DEFAULTS, LIMIT_DEFAULTS, type Route } from '@gatehouse/domain'
import { createDataPlane } from '../../apps/proxy/src/data-plane.ts'
import { chooseSockets } from '../../apps/proxy/src/transport/choose.ts'
import { netSockets } from '../../apps/proxy/src/transport/net.ts'
import type { Sockets } from '../../apps/proxy/src/transport/transport.ts'
import { accountFor } from './account.ts'
import type { Case, Level, Verdict } from './case.ts'
import { piecesOf } from './memory-plane.ts'
import { stream } from './pipelines.ts'
import { Conversation, createLedger, type Ledger } from './target.ts'

export interface SocketLevel extends Level, AsyncDisposable {}

/** Far above the longest deadline of a case, which is that for lingering. */
const SETTLED_MS = 10_000

const LIMITS = { lingerMs: 100, halfClosedMs: 100, targetIdleMs: 60_000 }

/** Each case over every transport that works here. */
export const openSockets = async (): Promise<SocketLevel> => {
  await using opened = new AsyncDisposableStack()
  const { sockets } = await chooseSockets('auto')
  const kinds = sockets.name === 'net' ? [netSockets] : [netSockets, sockets]
  const lanes: Lane[] = []
  for (const kind of kinds) lanes.push(opened.use(await openLane(kind)))
  const stack = opened.move()
  return {
    name: 'sockets',
    generate: (random) => stream('sockets', random),
    judge: async (example) => {
      const verdicts = await Promise.all(lanes.map((lane) => lane.judge(example)))
      const worst = verdicts.find(({ kind }) => kind === 'disagreement') ?? verdicts[0]
      if (worst === undefined) throw new Error('there is no transport')
      return worst
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** A data plane on one transport, with a target of its own. */
interface Lane extends AsyncDisposable {
  judge(example: Case): Promise<Verdict>
}

const openLane = async (sockets: Sockets): Promise<Lane> => {
  await using opened = new AsyncDisposableStack()
  const log = { debug: () => {}, warn: () => {} }
  const plane = createDataPlane({ log, limits: LIMITS, sockets })
  opened.defer(async () => void (await plane.finish(0)))
  const target = await openTarget()
  opened.defer(() => target.close())
  const { port } = await plane.listen({ host: '127.0.0.1', port: 0 })
  plane.setRoute('web', routeTo(target.port))
  const stack = opened.move()

  /** Until nobody has anything more to tell about the case, and what is left is idle. */
  const settled = async (): Promise<void> => {
    const end = performance.now() + SETTLED_MS
    while (!isQuiet()) {
      if (performance.now() > end) throw new Error('a case does not come to its end')
      await new Promise(setImmediate)
    }
  }
  const isQuiet = (): boolean =>
    plane.counters.clients.open === 0 &&
    plane.counters.upstreams.open === target.open() &&
    plane.work().length === 0

  return {
    judge: async (example) => {
      const ledger = createLedger()
      target.begin(example, ledger)
      const { received, wasReset } = await send(example, port)
      await settled()
      return accountFor(example.input, { ...ledger, received, wasReset })
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

interface Received {
  readonly received: string
  readonly wasReset: boolean
}

const send = (example: Case, port: number): Promise<Received> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    let received = ''
    let wasReset = false
    socket.on('data', (chunk) => (received += chunk.toString('latin1')))
    socket.on('end', () => socket.end())
    socket.on('error', () => (wasReset = true))
    socket.on('close', () => resolve({ received, wasReset }))
    void writePieces(socket, piecesOf(example))
  })

/** Each piece is a write of its own, and most will be a read of their own. */
const writePieces = async (socket: Socket, pieces: readonly string[]): Promise<void> => {
  for (const piece of pieces) {
    if (!socket.writable) return
    socket.write(piece, 'latin1')
    await new Promise(setImmediate)
  }
  if (socket.writable) socket.end()
}

interface SocketTarget {
  readonly port: number
  open(): number
  begin(example: Case, ledger: Ledger): void
  close(): Promise<void>
}

const openTarget = async (): Promise<SocketTarget> => {
  const sockets = new Set<Socket>()
  let begun: { example: Case; ledger: Ledger } | undefined
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket)
    // A connection is kept from case to case, as a pool does.
    let round = begun
    let talk: Conversation | undefined
    const line = {
      send: (text: string) => void socket.write(text, 'latin1'),
      end: () => void socket.end(),
    }
    socket.on('data', (chunk) => {
      if (begun === undefined) return
      if (talk === undefined || round !== begun) {
        round = begun
        talk?.close()
        talk = new Conversation(begun.example, begun.ledger, line)
      }
      talk.read(chunk.toString('latin1'))
    })
    socket.on('end', () => {
      talk?.onEnd()
      if (socket.writable) socket.end()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      talk?.close()
      sockets.delete(socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    open: () => sockets.size,
    begin: (example, ledger) => {
      begun = { example, ledger }
    },
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const routeTo = (port: number): Route => ({
  service: 'web',
  hosts: ['default'],
  traffic: { mode: 'running' },
  drains: [],
  active: {
    revision: 1,
    ejected: [],
    release: {
      id: 'r1',
      hosts: ['default'],
      targets: [{ url: `http://127.0.0.1:${port}` }],
      health: HEALTH_DEFAULTS,
      drainMs: 1_000,
      limits: LIMIT_DEFAULTS,
      hostHeader: 'preserve',
      metadata: {},
    },
  },
})
