/** What holds of every transport, asked of each through real sockets. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createUringSockets } from './uring/uring.ts'
import { createHandleSockets } from './handle.ts'
import { netSockets } from './net.ts'
import { transportProblem } from './self-test.ts'
import {
  accepted,
  closeAll,
  onCloseAll,
  noise,
  sha1,
  text,
  Witness,
  type Kind,
} from './testing/witness.ts'

const handleSockets = createHandleSockets()
const uringSockets = createUringSockets()
const all = [netSockets, handleSockets, uringSockets].filter((sockets) => sockets !== undefined)
const kinds: readonly Kind[] = all.flatMap((sockets) => [
  { name: sockets.name, sockets, secure: false },
  { name: `${sockets.name} TLS`, sockets, secure: true },
])

afterEach(closeAll)

describe.each(kinds)('the $name transport', (kind) => {
  it('writes text and bytes in order, and ends after them', async () => {
    const { transport, peer } = await accepted(kind)
    const large = noise(300_000)
    transport.write('one ')
    transport.send('two ', Buffer.from('three'), 0, 5, ' four ')
    transport.send('<', large, 10, 290_000, '>')
    transport.forward(Buffer.from('xfivex'), 1, 5)
    transport.write('é'.repeat(20_000))
    transport.end()
    expect(transport.write('late')).toBe(false)
    expect(await text(peer)).toBe(
      `one two three four <${large.toString('latin1', 10, 290_000)}>five${'é'.repeat(20_000)}`,
    )
  })

  it('sends what is little after what is much, and after what is little', async () => {
    const { transport, peer } = await accepted(kind)
    const large = noise(100_000)
    const expected: string[] = []
    for (let round = 0; round < 50; round += 1) {
      const little = `<${round}>`
      transport.write(little)
      transport.write(little)
      transport.forward(large, 0, large.length - round)
      transport.write(little)
      transport.send(little, large, 0, round, little)
      const much = large.toString('latin1', 0, large.length - round)
      expected.push(little, little, much, little)
      expected.push(little, large.toString('latin1', 0, round), little)
    }
    transport.end()
    expect((await text(peer)) === expected.join('')).toBe(true)
  })

  it('passes on bytes that are read over in the next moment, to a reader that is slow', async () => {
    const from = await accepted(kind)
    const to = await accepted(kind)
    const content = noise(40_000_000)
    let waits = 0
    from.witness.onBytes = (buffer, length) => {
      if (to.transport.forward(buffer, 0, length)) return
      waits += 1
      from.transport.pause()
    }
    to.witness.onDrain = () => from.transport.resume()
    from.witness.onEnd = () => to.transport.end()
    from.peer.end(content)
    await expect.poll(() => waits).toBeGreaterThan(0)
    const received = createHash('sha1')
    for await (const chunk of to.peer) {
      received.update(chunk as Buffer)
      to.peer.pause()
      setImmediate(() => to.peer.resume())
    }
    expect(received.digest('hex')).toBe(sha1(content))
  })

  it('keeps what it could not write yet, while the same and other sockets read on', async () => {
    const to = await accepted(kind)
    to.peer.pause()
    const sources = [await accepted(kind), await accepted(kind), await accepted(kind)]
    const sent = createHash('sha1')
    const content = noise(15_000_000)
    for (const { witness, transport, peer } of sources) {
      witness.onBytes = (buffer, length) => {
        sent.update(buffer.subarray(0, length))
        to.transport.forward(buffer, 0, length)
      }
      witness.onEnd = () => transport.end()
      peer.end(content)
    }
    await Promise.all(sources.map(({ witness }) => witness.closed))
    to.transport.end()
    const received = createHash('sha1')
    for await (const chunk of to.peer) received.update(chunk as Buffer)
    expect(received.digest('hex')).toBe(sent.digest('hex'))
  })

  it('passes on one read to several sockets at once, each of which may be slow', async () => {
    const from = await accepted(kind)
    const targets = [await accepted(kind), await accepted(kind), await accepted(kind)]
    const content = noise(30_000_000)
    let waiting = 0
    from.witness.onBytes = (buffer, length) => {
      for (const { transport } of targets) if (!transport.forward(buffer, 0, length)) waiting += 1
      if (waiting > 0) from.transport.pause()
    }
    for (const { witness } of targets) {
      witness.onDrain = () => {
        waiting -= 1
        if (waiting === 0) from.transport.resume()
      }
    }
    from.witness.onEnd = () => {
      for (const { transport } of targets) transport.end()
    }
    from.peer.end(content)
    const digests = targets.map(async ({ peer }) => {
      const digest = createHash('sha1')
      for await (const chunk of peer) digest.update(chunk as Buffer)
      return digest.digest('hex')
    })
    expect(await Promise.all(digests)).toEqual(targets.map(() => sha1(content)))
  })

  it('hears nothing while it is paused, and everything afterwards', async () => {
    const { transport, witness, peer } = await accepted(kind)
    transport.pause()
    transport.pause()
    peer.end('hello')
    const other = await accepted(kind)
    other.peer.end('x')
    await expect.poll(() => other.witness.events).toContain('end')
    expect([witness.bytes, witness.events]).toEqual([0, []])
    transport.resume()
    transport.resume()
    await expect.poll(() => witness.events).toEqual(['end'])
    expect(witness.bytes).toBe(5)
  })

  it('goes on writing after the peer has ended, and closes once both have', async () => {
    const { transport, witness, peer } = await accepted(kind)
    peer.end('question')
    await expect.poll(() => witness.events).toEqual(['end'])
    transport.write('answer')
    transport.end()
    expect(await text(peer)).toBe('answer')
    await witness.closed
    expect(witness.events).toEqual(['end', 'close'])
    expect(witness.error).toBeUndefined()
  })

  it('goes on reading after it has ended', async () => {
    const { transport, witness, peer } = await accepted(kind)
    transport.end()
    await once(peer.resume(), 'end')
    peer.end('still here')
    await witness.closed
    expect([witness.bytes, witness.events]).toEqual([10, ['end', 'close']])
  })

  it.each(['destroy', 'reset'] as const)(
    'says once that it is closed after %s, and not within that',
    async (way) => {
      const { transport, witness, peer } = await accepted(kind)
      const gone = new Promise((resolve) => void peer.on('close', resolve))
      witness.call(() => {
        transport[way]()
        transport[way]()
        transport.destroy()
        transport.end()
        transport.pause()
        transport.resume()
        expect(transport.write('late')).toBe(false)
        expect(transport.forward(Buffer.from('late'), 0, 4)).toBe(false)
      })
      await witness.closed
      peer.resume()
      peer.end()
      await gone
      expect(witness.events).toEqual(['close'])
    },
  )

  it('gives a peer that it resets an error rather than an end', async () => {
    const { transport, peer } = await accepted(kind)
    const failed = once(peer, 'error')
    transport.write('half of it')
    peer.resume()
    transport.reset()
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }])
  })

  it('drops what is queued when it is destroyed', async () => {
    const { transport, witness, peer } = await accepted(kind)
    peer.pause()
    expect(transport.send('', noise(20_000_000), 0, 20_000_000, '')).toBe(false)
    expect(transport.queued).toBe(true)
    transport.destroy()
    await witness.closed
    let read = 0
    for await (const chunk of peer.resume()) read += (chunk as Buffer).length
    expect(read).toBeLessThan(20_000_000)
  })

  it('says that it drained, once everything queued is taken', async () => {
    const { transport, witness, peer } = await accepted(kind)
    peer.pause()
    let writes = 0
    while (transport.write('x'.repeat(10_000))) writes += 1
    expect(witness.events).toEqual([])
    let read = 0
    peer.on('data', (chunk: Buffer) => (read += chunk.length))
    peer.resume()
    await expect.poll(() => witness.events).toEqual(['drain'])
    expect(transport.queued).toBe(false)
    await expect.poll(() => read).toBe((writes + 1) * 10_000)
  })

  it('closes with an error when its peer is gone, whoever notices first', async () => {
    const { transport, witness, wire } = await accepted(kind)
    transport.pause()
    wire.resetAndDestroy()
    await once(wire, 'close')
    await expect.poll(() => witness.call(() => transport.write('anybody?'))).toBe(false)
    await witness.closed
    expect(witness.error).toMatchObject({ code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) })
  })

  it('knows the address of its peer', async () => {
    expect((await accepted(kind)).transport.remoteAddress).toBe('127.0.0.1')
  })

  it('P4 outlives both ends being cut at every step of a conversation', async () => {
    const ways = ['destroy', 'reset', 'end'] as const
    const content = noise(1_000_000)
    for (let step = 0; step < 45; step += 1) {
      const { transport, witness, peer, wire } = await accepted(kind)
      const way = ways[step % 3] ?? 'destroy'
      let events = 0
      let isCut = false
      const cutNow = (): void => {
        events += 1
        if (events !== Math.floor(step / 3)) return
        isCut = true
        transport[way]()
      }
      witness.onBytes = (buffer, length) => {
        cutNow()
        transport.write('x')
        cutNow()
        const flows = transport.forward(buffer, 0, length)
        cutNow()
        // What is taken of what was written before an end is told to nobody.
        if (!flows && !isCut && transport.queued) transport.pause()
      }
      witness.onDrain = () => {
        transport.resume()
        cutNow()
      }
      witness.onEnd = () => {
        cutNow()
        transport.end()
      }
      peer.on('data', () => step % 2 === 0 && events > 5 && wire.resetAndDestroy())
      peer.end(content)
      await witness.closed
      expect(witness.events.filter((event) => event === 'close')).toEqual(['close'])
    }
  })
})

it.each(kinds)('$name keeps bytes that another transport has lent it', async (kind) => {
  const lenders = kinds.filter(
    ({ sockets }) => sockets === handleSockets || sockets === uringSockets,
  )
  for (const lender of lenders) {
    const [from, to] = [await accepted(lender), await accepted(kind)]
    to.peer.pause()
    const content = noise(6_000_000)
    from.witness.onBytes = (buffer, length) => void to.transport.forward(buffer, 0, length)
    from.witness.onEnd = () => to.transport.end()
    from.peer.end(content)
    await expect.poll(() => from.witness.bytes, { timeout: 4_000 }).toBe(content.length)
    const received = createHash('sha1')
    for await (const chunk of to.peer) received.update(chunk as Buffer)
    expect(received.digest('hex')).toBe(sha1(content))
  }
})

describe.each(all)('the $name sockets', (sockets) => {
  it('passes its own test', async () => {
    expect(await transportProblem(sockets)).toBeUndefined()
  })

  it('connects by address, by name, and by path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
    onCloseAll(() => rmSync(folder, { recursive: true }))
    const socketPath = join(folder, 'x.sock')
    const greet = (socket: Socket): unknown => socket.end('welcome')
    const tcp = createServer(greet).listen(0, '127.0.0.1')
    const unix = createServer(greet).listen(socketPath)
    onCloseAll(() => void [tcp.close(), unix.close()])
    await Promise.all([once(tcp, 'listening'), once(unix, 'listening')])
    // It listens on TCP, so it has an address with a port.
    const { port } = tcp.address() as AddressInfo
    const basePath = ''
    for (const address of [
      { kind: 'tcp', hostname: '127.0.0.1', port, tls: false, basePath },
      { kind: 'tcp', hostname: 'localhost', port, tls: false, basePath },
      { kind: 'unix', socketPath, basePath },
    ] as const) {
      const witness = new Witness()
      const transport = sockets.connect(address, witness)
      await expect.poll(() => witness.events).toEqual(['connect', 'end'])
      expect(witness.bytes).toBe('welcome'.length)
      transport.end()
      await witness.closed
    }
  })

  it('says why it could not connect', async () => {
    const witness = new Witness()
    const address = {
      kind: 'tcp',
      hostname: '127.0.0.1',
      port: 1,
      tls: false,
      basePath: '',
    } as const
    sockets.connect(address, witness)
    await witness.closed
    expect(witness.events).toEqual(['close'])
    expect(witness.error).toMatchObject({ code: 'ECONNREFUSED', syscall: 'connect' })
  })

  it.each(['destroy', 'reset'] as const)('can be left by %s while it connects', async (way) => {
    const witness = new Witness()
    // TEST-NET-1 of RFC 5737: nobody answers.
    const address = {
      kind: 'tcp',
      hostname: '192.0.2.1',
      port: 9,
      tls: false,
      basePath: '',
    } as const
    const transport = sockets.connect(address, witness)
    witness.call(() => transport[way]())
    await witness.closed
    expect(witness.events).toEqual(['close'])
  })

  it('rejects with a sentence when it cannot listen', async () => {
    const options = { host: '127.0.0.1', port: 0, backlog: 8, reusePort: false }
    const listener = await sockets.listen(options, () => {})
    onCloseAll(() => listener.close())
    const { port } = listener
    await expect(sockets.listen({ ...options, port }, () => {})).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`,
    )
  })
})
