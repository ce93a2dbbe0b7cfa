/** Clients over TLS: which certificate they see, what targets hear of them, and where they are sent. */
import { once } from 'node:events'
import { Agent } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createAuthority } from '../../support/certificates.ts'
import { eventually } from '../../support/eventually.ts'
import { bodyOf, get, getAndClose, statusOf } from './edge.ts'
import { ok, startTarget } from './target.ts'
import { AUTHORITY, bundleOf, startSecureEdge, type SecureEdge } from './tls-edge.ts'
import { startWebSocketTarget } from './web-sockets.ts'

const APP = AUTHORITY.issue('app.test')
const WILD = AUTHORITY.issue('*.wild.test')
const DEFAULT = AUTHORITY.issue('default.test')

const certified = ({ edge }: SecureEdge): void => {
  const { certificates } = edge.plane
  certificates.set('app', bundleOf(APP))
  certificates.set('wild', bundleOf(WILD))
}

/** Answers every request with its own head. */
const mirror = () =>
  startTarget(async (connection) => {
    for (;;) {
      const head = await connection.head()
      connection.send(ok(head))
    }
  })

it('F1 F2 F3 shows the certificate of the name, of its wildcard, or else the default', async () => {
  await using secure = await startSecureEdge()
  certified(secure)
  const lenient = { rejectUnauthorized: false }
  expect((await secure.connect('app.test')).serial).toBe(APP.serial)
  expect((await secure.connect('APP.Test')).serial).toBe(APP.serial)
  expect((await secure.connect('app.test.', lenient)).serial).toBe(APP.serial)
  expect((await secure.connect('a.wild.test')).serial).toBe(WILD.serial)
  await expect(secure.connect('b.a.wild.test')).rejects.toThrow(/unrecognized name/)
  await expect(secure.connect('other.test')).rejects.toThrow(/unrecognized name/)
  await expect(secure.connect('')).rejects.toThrow(/unrecognized name/)
  secure.edge.plane.certificates.setDefault(bundleOf(DEFAULT))
  expect((await secure.connect('other.test', lenient)).serial).toBe(DEFAULT.serial)
  expect((await secure.connect('', lenient)).serial).toBe(DEFAULT.serial)
  await expect
    .poll(() => secure.edge.plane.counters.handshakes)
    .toMatchObject({ full: 6, 'unknown-name': 3 })
})

it('F6 shows one certificate for each of its names, and of several for a name the one that lasts', async () => {
  await using secure = await startSecureEdge()
  const { certificates } = secure.edge.plane
  const both = AUTHORITY.issue('one.test', 'two.test')
  certificates.set('both', bundleOf(both))
  expect((await secure.connect('one.test')).serial).toBe(both.serial)
  expect((await secure.connect('two.test')).serial).toBe(both.serial)
  const brief = AUTHORITY.issueUntil(Date.now() + 60_000, 'two.test')
  certificates.set('brief', bundleOf(brief))
  expect((await secure.connect('two.test')).serial).toBe(both.serial)
  certificates.set('both', undefined)
  expect((await secure.connect('two.test')).serial).toBe(brief.serial)
  await expect(secure.connect('one.test')).rejects.toThrow(/unrecognized name/)
})

it('D7 tells targets that clients came over https', async () => {
  await using target = await mirror()
  await using secure = await startSecureEdge()
  certified(secure)
  secure.edge.route({ targets: [target.url] })
  const answer = await secure.ask('app.test', getAndClose('/', 'X-Forwarded-Proto: http'))
  expect(statusOf(answer)).toBe(200)
  expect(bodyOf(answer)).toContain('\r\nX-Forwarded-Proto: https\r\n')
  expect(bodyOf(answer)).not.toContain('X-Forwarded-Proto: http\r\n')
})

it('F12 O6 changes certificates under an open download and an open WebSocket', async () => {
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst')
    await eventually('the certificate was changed', () => changed)
    connection.send('later')
  })
  await using sockets = await startWebSocketTarget()
  await using secure = await startSecureEdge()
  certified(secure)
  let changed = false
  secure.edge.route({ targets: [target.url], hosts: ['app.test'] })
  secure.edge.route({ targets: [sockets.url], hosts: ['ws.wild.test'], service: 'ws' })
  const download = await secure.connect('app.test')
  download.raw.send(getAndClose())
  await download.raw.sees('first')
  const socket = openSecurely(secure)
  await once(socket, 'open')

  const [app, wild] = [AUTHORITY.issue('app.test'), AUTHORITY.issue('*.wild.test')]
  secure.edge.plane.certificates.set('app', bundleOf(app))
  secure.edge.plane.certificates.set('wild', bundleOf(wild))
  changed = true
  await download.raw.sees('firstlater')
  socket.send('still there?')
  expect(String((await once(socket, 'message'))[0])).toBe('still there?')
  socket.terminate()
  expect((await secure.connect('app.test')).serial).toBe(app.serial)
})

const openSecurely = ({ port }: SecureEdge): WebSocket =>
  new WebSocket(`wss://127.0.0.1:${port}/`, {
    headers: { host: 'ws.wild.test' },
    agent: new Agent({
      servername: 'ws.wild.test',
      ca: AUTHORITY.ca,
      checkServerIdentity: () => undefined,
    }),
  })

it('E12 opens a WebSocket over TLS, echoes and closes', async () => {
  await using sockets = await startWebSocketTarget()
  await using secure = await startSecureEdge()
  certified(secure)
  secure.edge.route({ targets: [sockets.url] })
  const socket = openSecurely(secure)
  await once(socket, 'open')
  for (const size of [1, 1_000, 300_000]) {
    socket.send(Buffer.alloc(size, 'x'))
    const [echoed] = await once(socket, 'message')
    expect(echoed).toHaveLength(size)
  }
  socket.close(1000, 'done')
  expect(await once(socket, 'close')).toMatchObject([1000, Buffer.from('done')])
})

it('passes large bodies both ways over TLS, to a client that reads slowly', async () => {
  const size = 20_000_000
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`)
  })
  await using secure = await startSecureEdge()
  certified(secure)
  secure.edge.route({ targets: [target.url] })
  const { socket, raw } = await secure.connect('app.test')
  raw.discard()
  raw.send(getAndClose())
  socket.on('data', () => {
    socket.pause()
    setImmediate(() => socket.resume())
  })
  await once(socket, 'end')
  expect(raw.bytes).toBeGreaterThan(size)
})

it('RFC 9110 §15.5.20 tells a client that the connection is for another host', async () => {
  await using target = await mirror()
  await using secure = await startSecureEdge()
  certified(secure)
  secure.edge.route({ targets: [target.url] })
  const { raw } = await secure.connect('app.test')
  raw.send(get().replace('app.test', 'other.test'))
  await raw.sees('misdirected')
  expect(statusOf(raw.text)).toBe(421)
  // The connection is good for the host that it was made to.
  raw.send(getAndClose())
  await raw.sees('HTTP/1.1 200')
  expect(secure.edge.plane.counters.failures.misdirected).toBe(1)
})

it('F13 sends clear text to https with path and query, and lets no POST become a GET', async () => {
  await using target = await mirror()
  await using secure = await startSecureEdge({ trustedPeers: ['127.0.0.2'] })
  certified(secure)
  const ingress = { tls: 'manual', forceHttps: true, hstsSeconds: 600 } as const
  secure.edge.route({ targets: [target.url], release: { ingress } })
  const redirected = await secure.edge.ask(getAndClose('/a%2Fb?c=d&e'))
  expect(redirected).toMatch(/^HTTP\/1\.1 308 /)
  expect(redirected).toContain('\r\nLocation: https://app.test/a%2Fb?c=d&e\r\n')
  expect(redirected).not.toContain('Strict-Transport-Security')
  const byPort = await secure.edge.ask(getAndClose('/x').replace('app.test', 'app.test:8080'))
  expect(byPort).toContain(`\r\nLocation: https://app.test:${secure.port}/x\r\n`)
  const posted = await secure.edge.ask(
    'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
  )
  expect(posted).toMatch(/^HTTP\/1\.1 308 /)
  expect(await secure.ask('app.test', getAndClose())).toMatch(
    /^HTTP\/1\.1 200 [^]*\r\nStrict-Transport-Security: max-age=600\r\n/,
  )

  const spoofed = await secure.edge.ask(getAndClose('/', 'X-Forwarded-Proto: https'))
  expect(statusOf(spoofed)).toBe(308)
  const balancer = secure.edge.client('127.0.0.2')
  balancer.send(getAndClose('/', 'X-Forwarded-Proto: https'))
  await balancer.sees('HTTP/1.1 200')
})

it('F13 leaves a Strict-Transport-Security of the target alone', async () => {
  const own = 'Strict-Transport-Security: max-age=1\r\n'
  await using target = await startTarget(async (connection) => {
    await connection.head()
    connection.send(`HTTP/1.1 200 OK\r\n${own}Content-Length: 0\r\n\r\n`)
  })
  await using secure = await startSecureEdge()
  certified(secure)
  const ingress = { tls: 'manual', forceHttps: true, hstsSeconds: 600 } as const
  secure.edge.route({ targets: [target.url], release: { ingress } })
  const answer = await secure.ask('app.test', getAndClose())
  expect(answer.match(/strict-transport-security: .*/gi)).toEqual([own.trim()])
})

it('N8 sends every other host of a service to its canonical one, in one step', async () => {
  await using target = await mirror()
  await using secure = await startSecureEdge()
  certified(secure)
  const hosts = ['app.test', 'www.wild.test']
  const ingress = { tls: 'manual', forceHttps: true, canonicalHost: 'app.test' } as const
  secure.edge.route({ targets: [target.url], hosts, release: { hosts, ingress } })
  const www = getAndClose('/a?b').replace('app.test', 'www.wild.test')
  expect(await secure.edge.ask(www)).toContain('\r\nLocation: https://app.test/a?b\r\n')
  expect(await secure.ask('www.wild.test', www)).toContain('\r\nLocation: https://app.test/a?b\r\n')
  expect(statusOf(await secure.ask('app.test', getAndClose()))).toBe(200)
})

it('F4 answers authorities on any host and before every other rule, and knows no other token', async () => {
  await using secure = await startSecureEdge()
  certified(secure)
  const { challenges } = secure.edge.plane
  challenges.set('token-1', 'token-1.thumbprint')
  const ingress = { tls: 'auto', forceHttps: true } as const
  const stopped = { mode: 'stopped', message: '' } as const
  secure.edge.route({ hosts: ['app.test'], traffic: stopped, release: { ingress } })
  const path = '/.well-known/acme-challenge/token-1'
  for (const host of ['app.test', 'nobody.test']) {
    const answer = await secure.edge.ask(getAndClose(path).replace('app.test', host))
    expect([statusOf(answer), bodyOf(answer)]).toEqual([200, 'token-1.thumbprint'])
    expect(statusOf(await secure.edge.ask(getAndClose(`${path}x`).replace('app.test', host)))).toBe(
      404,
    )
  }
  challenges.delete('token-1')
  expect(statusOf(await secure.edge.ask(getAndClose(path)))).toBe(404)
})

it('O2 shows an authority that speaks acme-tls/1 the certificate of the challenge, and nobody else', async () => {
  await using secure = await startSecureEdge()
  certified(secure)
  const challenge = AUTHORITY.issue('app.test')
  const asAuthority = { ALPNProtocols: ['acme-tls/1'] }
  await expect(secure.connect('app.test', asAuthority)).rejects.toThrow(/unrecognized name/)
  secure.edge.plane.certificates.setChallenge('app.test', bundleOf(challenge))
  const { serial, socket } = await secure.connect('app.test', asAuthority)
  expect([serial, socket.alpnProtocol]).toEqual([challenge.serial, 'acme-tls/1'])
  await once(socket.resume(), 'close')
  expect((await secure.connect('app.test')).serial).toBe(APP.serial)
  secure.edge.plane.certificates.setChallenge('app.test', undefined)
  await expect(secure.connect('app.test', asAuthority)).rejects.toThrow(/unrecognized name/)
})

it('N9 lets clients of a service in by their certificate, and tells the target whose it was', async () => {
  await using target = await mirror()
  await using secure = await startSecureEdge()
  certified(secure)
  const people = createAuthority('people')
  const ann = people.issue('ann.test')
  const ingress = { tls: 'manual', forceHttps: true, clientCa: people.ca } as const
  const hosts = ['app.test']
  secure.edge.route({ targets: [target.url], hosts, release: { hosts, ingress } })
  secure.edge.route({ targets: [target.url], hosts: ['b.wild.test'], service: 'open' })

  const { raw } = await secure.connect('app.test', { cert: ann.cert, key: ann.key })
  raw.send(
    getAndClose(
      '/',
      'X-Client-Cert-Subject: CN=root',
      'Client-Cert: :AA==:',
      'X_Client_Cert_Serial: 1',
    ),
  )
  await raw.sees('X-Client-Cert-Fingerprint')
  await eventually('the end', () => raw.over)
  const told = raw.text.match(/.*client.cert.*/gi)
  expect(told).toEqual([
    'X-Client-Cert-Subject: CN=ann.test',
    `X-Client-Cert-Serial: ${ann.serial}`,
    `X-Client-Cert-Fingerprint: ${ann.fingerprint}`,
  ])

  const nobody = await secure.connect('app.test')
  await once(nobody.socket.resume(), 'error')
  const stranger = AUTHORITY.issue('ann.test')
  const other = await secure.connect('app.test', { cert: stranger.cert, key: stranger.key })
  other.raw.send(get())
  await eventually('it is closed', () => other.raw.over)
  expect(other.raw.text).toBe('')

  // Nor by way of a service that asks for none.
  const open = await secure.connect('b.wild.test')
  open.raw.send(getAndClose())
  await open.raw.sees('421')
})

it('D7 drops what says whose certificate a client has, where nobody asked for one', async () => {
  await using target = await mirror()
  await using secure = await startSecureEdge({ trustedPeers: ['127.0.0.1'] })
  certified(secure)
  secure.edge.route({ targets: [target.url] })
  const answer = await secure.ask(
    'app.test',
    getAndClose('/', 'X-Client-Cert-Subject: CN=root', 'Client-Cert-Chain: :AA==:'),
  )
  expect(bodyOf(answer)).not.toMatch(/client.cert/i)
})

it('P2 counts handshakes among connections, and resets what is beyond the limit before any work', async () => {
  await using secure = await startSecureEdge({ limits: { clientConnectionsMax: 1 } })
  certified(secure)
  const silent = connectPlain({ port: secure.port, host: '127.0.0.1' })
  await eventually('it is counted', () => secure.edge.plane.counters.clients.open === 1)
  await expect(secure.connect('app.test')).rejects.toThrow(/ECONNRESET|disconnected/)
  silent.destroy()
  await eventually('it is gone', () => secure.edge.plane.counters.clients.open === 0)
  expect((await secure.connect('app.test')).serial).toBe(APP.serial)
})
