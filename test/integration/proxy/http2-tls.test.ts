import { createHash } from 'node:crypto'
import { connect } from 'node:tls'
import { expect, it } from 'vitest'
import { startHttp2Client } from './http2-client.ts'
import { AUTHORITY, bundleOf, startSecureEdge, type SecureEdge } from './tls-edge.ts'
import { always, ok, startTarget } from './target.ts'

const APP = AUTHORITY.issue('app.test')
const certified = ({ edge }: SecureEdge): void => edge.plane.certificates.set('app', bundleOf(APP))
const secureClient = ({ port }: SecureEdge) =>
  startHttp2Client(port, {
    createConnection: () =>
      connect({
        port,
        host: '127.0.0.1',
        servername: 'app.test',
        ca: AUTHORITY.ca,
        ALPNProtocols: ['h2'],
      }),
  })

it('D22 is chosen by ALPN over TLS, with everything that TLS asks for', async () => {
  await using target = await startTarget(always((head) => ok(head)))
  await using secure = await startSecureEdge()
  certified(secure)
  const ingress = { tls: 'manual', forceHttps: true, hstsSeconds: 600 } as const
  secure.edge.route({ targets: [target.url], release: { ingress } })
  await using client = await secureClient(secure)
  expect(client.session.alpnProtocol).toBe('h2')
  const answer = await client.ask({ ':scheme': 'https' })
  expect(answer.body).toContain('X-Forwarded-Proto: https\r\n')
  expect(answer.headers['strict-transport-security']).toBe('max-age=600')
  const other = await client.ask({ ':scheme': 'https', ':authority': 'other.test' })
  expect([other.status, other.code]).toEqual([421, 0])
  expect((await client.ask({ ':scheme': 'https' })).status).toBe(200)
  await using plain = await startHttp2Client(secure.edge.port)
  const redirect = await plain.ask({ ':path': '/a?b' })
  expect([redirect.status, redirect.headers.location]).toEqual([308, 'https://app.test/a?b'])
})

it('D22 brings large bodies both ways over TLS', async () => {
  const size = 3_000_000
  await using target = await startTarget(async (connection) => {
    for (;;) {
      await connection.head()
      connection.send(ok(await connection.read(size)))
    }
  })
  await using secure = await startSecureEdge()
  certified(secure)
  secure.edge.route({ targets: [target.url] })
  await using client = await secureClient(secure)
  const content = Buffer.alloc(size, 'over TLS ')
  const answers = await Promise.all(
    Array.from({ length: 4 }, () =>
      client.ask({ ':method': 'POST', 'content-length': size }, content),
    ),
  )
  const digest = (body: string | Buffer) => createHash('md5').update(body).digest('hex')
  for (const { body } of answers) expect(digest(body)).toBe(digest(content))
})
