/**
 * Whether a transport does on this machine, with this Node, what it must: one conversation with
 * itself over loopback, with more bytes than the kernel takes at once, in some milliseconds. It is
 * what lets us stand on something that Node does not promise.
 */
import type { Listener, Sockets, Transport, TransportOwner } from './transport.ts'

/** Longer than any machine needs, shorter than anybody waits for a proxy. */
const SELF_TEST_MS = 5_000
/** More than the socket buffers of loopback hold, so that writes have to wait. */
const CONTENT_BYTES = 8_388_608

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

/** Sends text, much, and text again, ends, and expects the same back and an end. */
const converse = (
  sockets: Sockets,
  port: number,
  open: Set<Transport>,
): Promise<string | undefined> =>
  new Promise((resolve) => {
    const content = Buffer.alloc(CONTENT_BYTES, 'gatehouse')
    const expected = Buffer.concat([Buffer.from('head'), content, Buffer.from('tail')])
    let received = 0
    let ended = false
    const transport = sockets.connect(
      { kind: 'tcp', hostname: '127.0.0.1', port, tls: false, basePath: '' },
      {
        onConnect: () => {
          transport.send('head', content, 0, content.length, 'tail')
          transport.end()
        },
        onData: (buffer, length) => {
          const same = expected.compare(buffer, 0, length, received, received + length) === 0
          received += length
          if (!same) resolve(`what came back differs within ${received} bytes`)
        },
        onDrain: () => {},
        onEnd: () => {
          ended = true
          transport.destroy()
        },
        onClose: (error) => {
          if (error !== undefined) resolve(error.message)
          else if (!ended || received !== expected.length) {
            resolve(`closed after ${received} of ${expected.length} bytes`)
          } else resolve(undefined)
        },
      },
    )
    open.add(transport)
  })

class Echo implements TransportOwner {
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
