import { once } from 'node:events'
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { credentials, ServerCredentials } from '@grpc/grpc-js'
import { expect, it } from 'vitest'
import { cert, key } from '../../support/self-signed.ts'
import { bodyOf, getAndClose, startEdge } from './edge.ts'
import { CALLS, grpcClient, startGrpcTarget, type Message } from './grpc.ts'

it('D19 speaks HTTP/2 over TLS to an h2 target whose certificate it can verify, and to no other', async () => {
  const server = createSecureServer({ key, cert })
  const sessions: ServerHttp2Session[] = []
  const protocols: unknown[] = []
  server.on('session', (session) => sessions.push(session))
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    protocols.push([stream.session?.alpnProtocol, headers[':scheme'], headers[':authority']])
    stream.respond({ ':status': 200 })
    stream.end('over TLS')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const targets = [`h2://localhost:${(server.address() as AddressInfo).port}`]
  await using edge = await startEdge({ targetTrust: { ca: cert } })
  edge.route({ targets })
  expect(bodyOf(await edge.ask(getAndClose()))).toContain('over TLS')
  expect(protocols).toEqual([['h2', 'https', 'app.test']])
  await using distrustful = await startEdge()
  distrustful.route({ targets })
  expect(await distrustful.ask(getAndClose())).toMatch(
    /^HTTP\/1\.1 502 [^]*error=tls_protocol_error/,
  )
  for (const session of sessions) session.destroy()
  server.close()
})

it('D19 answers 502 for an h2 target that offers only HTTP/1.1', async () => {
  const server = createTlsServer({ key, cert, ALPNProtocols: ['http/1.1'] })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using edge = await startEdge({ targetTrust: { ca: cert } })
  edge.route({ targets: [`h2://localhost:${(server.address() as AddressInfo).port}`] })
  expect(await edge.ask(getAndClose())).toMatch(/^HTTP\/1\.1 502 [^]*error=tls_protocol_error/)
  server.close()
})

it('N15 carries gRPC over TLS to its target', async () => {
  await using edge = await startEdge({ targetTrust: { ca: cert } })
  const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) }
  using target = await startGrpcTarget(ServerCredentials.createSsl(null, [pair]))
  edge.route({ targets: [`h2://localhost:${target.port}`] })
  using client = grpcClient(edge.port, credentials.createInsecure())
  const answer = await new Promise((resolve, reject) => {
    client.makeUnaryRequest<Message, Message>(...CALLS.double, { n: 4 }, (error, value) =>
      error === null ? resolve(value) : reject(error),
    )
  })
  expect(answer).toEqual({ n: 8 })
})
