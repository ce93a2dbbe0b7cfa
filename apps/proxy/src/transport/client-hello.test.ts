import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { connect } from 'node:tls'
import { expect, it } from 'vitest'
import { readClientHello } from './client-hello.ts'

/** What a client of Node's says first. */
const helloOf = async (servername: string, protocols: readonly string[]): Promise<Buffer> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  // It listens on TCP, so it has an address with a port.
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', servername, ALPNProtocols: [...protocols] })
  client.on('error', () => {})
  try {
    const [socket] = await once(server, 'connection')
    const [bytes] = await once(socket, 'data')
    return bytes as Buffer
  } finally {
    client.destroy()
    server.close()
  }
}

const HELLO = await helloOf('App.Example.com', ['h2', 'http/1.1'])
const read = (bytes: Buffer) => readClientHello(bytes, bytes.length)

it('F2 reads the name and the protocols that a client asks for', async () => {
  expect(read(HELLO)).toEqual({
    serverName: 'App.Example.com',
    applicationProtocols: ['h2', 'http/1.1'],
  })
  expect(read(await helloOf('', []))).toEqual({ serverName: undefined, applicationProtocols: [] })
})

it('F2 waits for the rest of a message that was cut at any byte', () => {
  for (let length = 0; length < HELLO.length; length += 1) {
    expect(readClientHello(HELLO, length)).toBe('incomplete')
  }
})

it('F2 reads a message that comes in several records', () => {
  const record = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([22, 3, 1, bytes.length >> 8, bytes.length & 255]), bytes])
  const message = HELLO.subarray(5)
  for (let at = 1; at < message.length; at += 1) {
    const bytes = Buffer.concat([record(message.subarray(0, at)), record(message.subarray(at))])
    expect(read(bytes)).toEqual(read(HELLO))
  }
  const crumbs = Buffer.concat([...message].map((byte) => record(Buffer.from([byte]))))
  expect(read(crumbs)).toBe('malformed')
})

it('F2 takes nothing for a message that is none', () => {
  expect(read(Buffer.from('GET / HTTP/1.1\r\n'))).toBe('not-tls')
  expect(read(Buffer.from([22, 2, 0, 0, 1]))).toBe('not-tls')
  expect(read(Buffer.from([22, 3, 1, 0, 0]))).toBe('malformed')
  expect(read(Buffer.from([22, 3, 1, 0, 1, 2]))).toBe('malformed')
})

it('F2 never reads a broken message as another one: one name, one of each extension, and no rest', () => {
  const name = Buffer.from('App.Example.com')
  const at = HELLO.indexOf(name)
  const broken = (offset: number, value: number): Buffer => {
    const bytes = Buffer.from(HELLO)
    bytes[at + offset] = value
    return bytes
  }
  expect(read(broken(0, 0))).toBe('malformed')
  expect(read(broken(0, 0xe9))).toBe('malformed')
  // The type of the name, its length, and that of the list.
  expect(read(broken(-3, 1))).toBe('malformed')
  expect(read(broken(-1, name.length - 1))).toBe('malformed')
  expect(read(broken(-4, name.length + 4))).toBe('malformed')
  // Another extension with the number of this one.
  const twice = Buffer.from(HELLO)
  const protocols = twice.indexOf(Buffer.from([0, 16, 0]))
  twice[protocols + 1] = 0
  expect(read(twice)).toBe('malformed')
})

it('F2 outlives any byte being another', () => {
  const outcomes = new Set<string>()
  for (let at = 0; at < HELLO.length; at += 1) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const bytes = Buffer.from(HELLO)
      bytes[at] = (bytes[at] ?? 0) ^ flip
      const hello = read(bytes)
      outcomes.add(typeof hello === 'string' ? hello : 'read')
    }
  }
  expect([...outcomes].toSorted()).toEqual(['incomplete', 'malformed', 'not-tls', 'read'])
})
