/** What holds of TLS handshakes on every transport, asked of each through real sockets. */
import { once } from 'node:events'
import { connect as connectPlain, type Socket } from 'node:net'
import { connect, createSecureContext, type ConnectionOptions } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { createHandleSockets } from './handle.ts'
import { netSockets } from './net.ts'
import { cert, key } from './testing/self-signed.ts'
import { closeAll, noise, onCloseAll, text, TLS_TERMS, Witness } from './testing/witness.ts'
import { tlsProblem } from './tls-self-test.ts'
import { TLS_ALERT, type HandshakeOutcome, type TlsChoice, type TlsTerms } from './tls-terms.ts'
import type { Sockets, Transport } from './transport.ts'

const handleSockets = createHandleSockets()
const all = handleSockets === undefined ? [netSockets] : [netSockets, handleSockets]

afterEach(closeAll)

interface Listening {
  readonly port: number
  readonly outcomes: HandshakeOutcome[]
  readonly witnesses: Witness[]
}

const listen = async (sockets: Sockets, terms: Partial<TlsTerms> = {}): Promise<Listening> => {
  const outcomes: HandshakeOutcome[] = []
  const witnesses: Witness[] = []
  const transports: Transport[] = []
  const tls = {
    ...TLS_TERMS,
    onHandshake: (outcome: HandshakeOutcome) => void outcomes.push(outcome),
    ...terms,
  }
  const listener = await sockets.listen(
    { host: '127.0.0.1', port: 0, backlog: 8, reusePort: false, tls },
    (transport) => {
      const witness = new Witness()
      witness.transport = transport
      witness.onBytes = (buffer, length) => void transport.forward(buffer, 0, length)
      witness.onEnd = () => {
        witness.events.push('end')
        transport.end()
      }
      transport.owner = witness
      witnesses.push(witness)
      transports.push(transport)
    },
  )
  onCloseAll(() => {
    listener.close()
    for (const transport of transports) transport.destroy()
  })
  return { port: listener.port, outcomes, witnesses }
}

const secureClient = (port: number, options: ConnectionOptions = {}) => {
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  client.on('error', () => {})
  onCloseAll(() => client.destroy())
  return client
}

/** However it came to that. */
const closed = (client: Socket): Promise<void> =>
  new Promise((resolve) => void client.resume().once('close', () => resolve()))

const plainClient = (port: number): Socket => {
  const client = connectPlain({ port, host: '127.0.0.1' })
  client.on('error', () => {})
  onCloseAll(() => client.destroy())
  return client
}

const serving = (choice: Partial<Extract<TlsChoice, { kind: 'serve' }>>): Partial<TlsTerms> => ({
  choose: (hello) => {
    const usual = TLS_TERMS.choose(hello)
    return usual.kind === 'serve' ? { ...usual, ...choice } : usual
  },
})

describe.each(all)('TLS on the $name transport', (sockets) => {
  it('passes its own test', async () => {
    expect(await tlsProblem(sockets)).toBeUndefined()
  })

  it('F2 says whom a client asked for, and what both speak', async () => {
    const { port, witnesses, outcomes } = await listen(sockets)
    const client = secureClient(port, { servername: 'a.test', ALPNProtocols: ['http/1.1'] })
    await once(client, 'secureConnect')
    await expect.poll(() => witnesses[0]?.events).toEqual(['connect'])
    expect(witnesses[0]?.transport?.tls).toMatchObject({
      serverName: 'a.test',
      applicationProtocol: 'http/1.1',
      clientCertificate: undefined,
    })
    expect(outcomes).toEqual(['full'])
  })

  it('F2 tells a client whose name nobody has by the alert for that, before any work', async () => {
    const { port, witnesses, outcomes } = await listen(sockets, {
      choose: () => ({ kind: 'refuse', alert: TLS_ALERT.unrecognizedName, reason: 'unknown-name' }),
    })
    const client = connect({ port, host: '127.0.0.1', servername: 'nobody.test' })
    await expect(once(client, 'secureConnect')).rejects.toMatchObject({
      code: 'ERR_SSL_TLSV1_UNRECOGNIZED_NAME',
    })
    await expect.poll(() => outcomes).toEqual(['unknown-name'])
    await witnesses[0]?.closed
    expect(witnesses[0]?.events).toEqual(['close'])
  })

  it('tells a client that speaks plain HTTP so, in its own language', async () => {
    const { port, outcomes } = await listen(sockets)
    const client = plainClient(port)
    client.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n')
    expect(await text(client)).toContain('400 Bad Request')
    await expect.poll(() => outcomes).toEqual(['not-tls'])
  })

  it('P2 gives a client that says nothing, or half a word, its time and no more', async () => {
    const { port, outcomes } = await listen(sockets, { handshakeMs: 100 })
    const silent = plainClient(port)
    const halting = plainClient(port)
    halting.write(Buffer.from([22, 3, 1, 2, 0, 1]))
    await Promise.all([once(silent.resume(), 'close'), once(halting.resume(), 'close')])
    await expect.poll(() => outcomes).toEqual(['timeout', 'timeout'])
  })

  it('counts a client that goes before it has done its part', async () => {
    const { port, outcomes, witnesses } = await listen(sockets)
    const client = plainClient(port)
    client.end(Buffer.from([22, 3, 1, 2, 0, 1]))
    await expect.poll(() => outcomes).toEqual(['left'])
    await witnesses[0]?.closed
    expect(witnesses[0]?.events).toEqual(['close'])
  })

  it.each([
    [
      'no-shared-version',
      { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'ALL@SECLEVEL=0' },
    ],
    ['no-shared-application-protocol', { ALPNProtocols: ['spdy/3'] }],
    ['no-shared-cipher', { ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }],
  ] as const)('names the reason of a handshake that fails: %s', async (reason, options) => {
    const context = createSecureContext({ key, cert, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' })
    const { port, outcomes } = await listen(sockets, serving({ context }))
    secureClient(port, {
      ...options,
      ALPNProtocols: [...('ALPNProtocols' in options ? options.ALPNProtocols : [])],
    })
    await expect.poll(() => outcomes).toEqual([reason])
  })

  it('N9 lets in only clients with a certificate that is trusted, where one is required', async () => {
    const context = createSecureContext({ key, cert, ca: cert })
    const { port, outcomes, witnesses } = await listen(
      sockets,
      serving({ context, clientCertificate: 'required' }),
    )
    const without = secureClient(port)
    await closed(without)
    await expect.poll(() => outcomes).toEqual(['client-certificate'])
    const client = secureClient(port, { key, cert })
    client.write('hello')
    const [echoed] = await once(client, 'data')
    expect(String(echoed)).toBe('hello')
    expect(witnesses[1]?.transport?.tls?.clientCertificate?.subject).toBe('CN=localhost')
  })

  it('N9 lets nobody in with a certificate that somebody else signed', async () => {
    const context = createSecureContext({ key, cert })
    const { port, outcomes, witnesses } = await listen(
      sockets,
      serving({ context, clientCertificate: 'required' }),
    )
    const client = secureClient(port, { key, cert })
    client.write('let me in')
    await closed(client)
    await expect.poll(() => outcomes).toEqual(['client-certificate'])
    expect(witnesses[0]?.events).not.toContain('connect')
  })

  it('answers a request that came with the end of the handshake', async () => {
    const { port } = await listen(sockets)
    const client = secureClient(port)
    const content = noise(200_000)
    client.end(content)
    const parts: Buffer[] = []
    for await (const part of client) parts.push(part as Buffer)
    expect(Buffer.concat(parts).equals(content)).toBe(true)
  })

  it.each(['destroy', 'reset'] as const)(
    'can be left by %s as soon as it is accepted',
    async (way) => {
      const outcomes: HandshakeOutcome[] = []
      const witness = new Witness()
      const listener = await sockets.listen(
        {
          host: '127.0.0.1',
          port: 0,
          backlog: 8,
          reusePort: false,
          tls: { ...TLS_TERMS, onHandshake: (outcome) => void outcomes.push(outcome) },
        },
        (transport) => {
          transport.owner = witness
          witness.call(() => transport[way]())
        },
      )
      onCloseAll(() => listener.close())
      secureClient(listener.port)
      await witness.closed
      expect([witness.events, outcomes]).toEqual([['close'], []])
    },
  )
})
