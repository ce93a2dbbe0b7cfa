/**
 * Whether a transport does on this machine, with this Node, what it must: one conversation with
 * itself over loopback, with more bytes than the kernel takes at once, in some milliseconds. It is
 * what lets us stand on something that Node does not promise.
 */
import type { Listener, Sockets, Transport, TransportOwner } from './transport.ts'

/** Longer than any machine needs, shorter than anybody waits for a proxy. */
export const SELF_TEST_MS = 5_000
/** What is sent over and over, until the kernel takes no more at once. */
const PATTERN = Buffer.alloc(65_521, 'gatehouse')
const PATTERNS_MAX = 1_000

/** Undefined when all is well, else what went wrong. */
export const transportProblem = async (sockets: Sockets): Promise<string | undefined> => {
  const { promise: late, resolve: expire } = Promise.withResolvers<string>()
  const timer = setTimeout(() => expire(`no answer within ${SELF_TEST_MS} ms`), SELF_TEST_MS)
  const open = new Set<Transport>()
  let listener: Listener | undefined
  try {
    listener = await sockets.listen(
      { host: '127.0.0.1', port: 0, backlog: 8, reusePort: false },
      (transport) => {
        open.add(transport)
        transport.owner = new Echo(transport)
      },
    )
    return await Promise.race([converse(sockets, listener.port, open), late])
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    clearTimeout(timer)
    for (const transport of open) transport.destroy()
    listener?.close()
  }
}

/** Sends until the kernel takes no more at once, and a little text; expects all of it back, and an end. */
const converse = (
  sockets: Sockets,
  port: number,
  open: Set<Transport>,
): Promise<string | undefined> =>
  new Promise((resolve) => {
    let sent = 0
    let received = 0
    let ended = false
    const send = (): void => {
      const flows = transport.send('', PATTERN, 0, PATTERN.length, '')
      sent += 1
      if (flows && sent < PATTERNS_MAX) setImmediate(send)
      else {
        transport.send(PATTERN.toString('latin1', 0, 9), PATTERN, 9, 18, 'gatehouse')
        transport.end()
        transport.resume()
      }
    }
    const transport = sockets.connect(
      { kind: 'tcp', hostname: '127.0.0.1', port, tls: false, basePath: '' },
      {
        onConnect: () => {
          transport.pause()
          send()
        },
        onData: (buffer, length) => {
          if (!isNext(buffer, length, received)) {
            resolve(`what came back differs after ${received} bytes`)
          }
          received += length
        },
        onDrain: () => {},
        onEnd: () => {
          ended = true
          transport.destroy()
        },
        onClose: (error) => {
          const expected = sent * PATTERN.length + 27
          if (error !== undefined) resolve(error.message)
          else if (!ended || received !== expected) {
            resolve(`closed after ${received} of ${expected} bytes`)
          } else resolve(undefined)
        },
      },
    )
    open.add(transport)
  })

/** Whether these bytes are what follows so many others. */
const isNext = (buffer: Buffer, length: number, before: number): boolean => {
  for (let at = 0; at < length;) {
    const from = (before + at) % PATTERN.length
    const to = Math.min(PATTERN.length, from + length - at)
    if (PATTERN.compare(buffer, at, at + to - from, from, to) !== 0) return false
    at += to - from
  }
  return true
}

export class Echo implements TransportOwner {
  readonly onConnect = (): void => {}
  readonly onClose = (): void => {}
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  onData(buffer: Buffer, length: number): void {
    if (!this.#transport.forward(buffer, 0, length)) this.#transport.pause()
  }

  onDrain(): void {
    this.#transport.resume()
  }

  onEnd(): void {
    this.#transport.end()
  }
}
