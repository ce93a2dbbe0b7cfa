/** Sockets for the tests of transports: one end is ours, the other a plain socket of Node's. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Sockets, Transport, TransportOwner } from '../transport.ts'

const opened: (() => void)[] = []

/** Has the test clean up by `closeAll`. */
export const onCloseAll = (close: () => void): void => void opened.push(close)

export const closeAll = (): void => {
  for (const close of opened.splice(0)) close()
}

/** Remembers what its transport says, in order. */
export class Witness implements TransportOwner {
  readonly events: string[] = []
  readonly digest = createHash('sha1')
  bytes = 0
  error: Error | undefined
  readonly closed: Promise<void>
  transport: Transport | undefined
  onBytes: (buffer: Buffer, length: number) => void = () => {}
  inCall = false
  #close: () => void

  constructor() {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#close = resolve
  }

  /** Calls the transport, and will not be told of a close within that. */
  call<Value>(action: () => Value): Value {
    this.inCall = true
    const value = action()
    this.inCall = false
    return value
  }

  onConnect(): void {
    this.events.push('connect')
  }

  onData(buffer: Buffer, length: number): void {
    this.bytes += length
    this.digest.update(buffer.subarray(0, length))
    this.onBytes(buffer, length)
  }

  onDrain(): void {
    this.events.push('drain')
  }

  onEnd(): void {
    this.events.push('end')
  }

  onClose(error?: Error): void {
    this.events.push(this.inCall ? 'close within a call' : 'close')
    this.error = error
    this.#close()
  }
}

/** An accepted transport, and a plain socket at its other end. */
export const accepted = async (
  sockets: Sockets,
): Promise<{ transport: Transport; witness: Witness; peer: Socket }> => {
  const { promise, resolve } = Promise.withResolvers<Transport>()
  const witness = new Witness()
  const listener = await sockets.listen(
    { host: '127.0.0.1', port: 0, backlog: 8, reusePort: false },
    (transport) => {
      transport.owner = witness
      witness.transport = transport
      resolve(transport)
    },
  )
  const peer = connect({ port: listener.port, host: '127.0.0.1', allowHalfOpen: true })
  peer.on('error', () => {})
  const [transport] = await Promise.all([promise, once(peer, 'connect')])
  onCloseAll(() => {
    listener.close()
    transport.destroy()
    peer.destroy()
  })
  return { transport, witness, peer }
}

export const text = async (peer: Socket): Promise<string> => {
  let read = ''
  for await (const chunk of peer.setEncoding('latin1')) read += String(chunk)
  return read
}

export const noise = (bytes: number): Buffer => {
  const buffer = Buffer.allocUnsafe(bytes)
  for (let at = 0, state = 1; at < bytes; at += 1) {
    state = Math.imul(state, 1_103_515_245) + 12_345
    buffer[at] = state >>> 16
  }
  return buffer
}

export const sha1 = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex')
