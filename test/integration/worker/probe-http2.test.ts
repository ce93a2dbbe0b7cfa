import { once } from 'node:events'
import { constants, createSecureServer, createServer, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { HEALTH_DEFAULTS, type HealthCheck, type Release } from '@gatehouse/domain'
import { Server as GrpcServer, ServerCredentials, status as grpcStatus } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { probe, type Probe } from '../../../apps/worker/src/probe.ts'
import { cert, key } from '../../support/self-signed.ts'
import { answering, startUpstream } from './upstream.ts'

const attempt = (
  url: string,
  health: Partial<HealthCheck> = {},
  tls?: Release['tls'],
): Promise<Probe> =>
  probe({
    target: { url },
    health: { ...HEALTH_DEFAULTS, ...health },
    hosts: ['app.example.com'],
    tls,
    withinMs: 5_000,
    signal: new AbortController().signal,
  })

const listening = async <Listening extends Server>(
  server: Listening,
): Promise<Listening & AsyncDisposable & { readonly port: number }> => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close()
    },
  })
}

/** The service of every gRPC server, with as much of protobuf as its two messages need. */
const startGrpcHealth = async (statuses: Readonly<Record<string, number>>) => {
  const server = new GrpcServer()
  server.addService(
    {
      check: {
        path: '/grpc.health.v1.Health/Check',
        requestStream: false,
        responseStream: false,
        requestDeserialize: (bytes: Buffer) => ({ service: bytes.subarray(2).toString() }),
        requestSerialize: ({ service }: { service: string }) => Buffer.from(service),
        responseSerialize: (status: number) => Buffer.from(status === 0 ? [] : [8, status]),
        responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
      },
    },
    {
      check: (
        call: { readonly request: { readonly service: string } },
        reply: (error: object | null, value?: number) => void,
      ) => {
        const status = statuses[call.request.service]
        if (status === undefined) reply({ code: grpcStatus.NOT_FOUND, details: 'unknown' })
        else reply(null, status)
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return { url: `h2c://127.0.0.1:${port}`, [Symbol.dispose]: () => server.forceShutdown() }
}

describe('one health attempt at a target of HTTP/2', () => {
  it('N15 is made in HTTP/2, without TLS and with it', async () => {
    const asked: unknown[] = []
    const answer = (stream: ServerHttp2Stream, headers: object): void => {
      asked.push(headers)
      stream.respond({ ':status': 204 }, { endStream: true })
    }
    await using plain = await listening(createServer().on('stream', answer))
    await using secure = await listening(createSecureServer({ key, cert }).on('stream', answer))
    expect(await attempt(`h2c://127.0.0.1:${plain.port}/base`)).toEqual({
      kind: 'passed',
      status: 204,
    })
    const trusting = { verify: false }
    expect(await attempt(`h2://localhost:${secure.port}`, {}, trusting)).toEqual({
      kind: 'passed',
      status: 204,
    })
    expect(asked).toMatchObject([
      { ':scheme': 'http', ':path': '/base/up', ':authority': 'app.example.com' },
      { ':scheme': 'https', ':path': '/up', 'user-agent': 'gatehouse-health' },
    ])
    const distrusted = await attempt(`h2://localhost:${secure.port}`)
    expect(distrusted).toMatchObject({ kind: 'failed' })
    expect('reason' in distrusted && distrusted.reason).toContain(
      'was not sent, because TLS failed',
    )
  })

  it('N15 says what was answered instead, with an excerpt', async () => {
    await using app = await listening(
      createServer().on('stream', (stream: ServerHttp2Stream) => {
        stream.respond({ ':status': 503 })
        stream.end('starting')
      }),
    )
    const url = `h2c://127.0.0.1:${app.port}`
    expect(await attempt(url)).toEqual({
      kind: 'failed',
      status: 503,
      reason: `GET ${url}/up answered 503, expected 200-399`,
      excerpt: 'starting',
    })
  })

  it('N15 says so when the target speaks something else, resets, or says nothing', async () => {
    await using old = await startUpstream(answering(200))
    const oldUrl = `h2c://127.0.0.1:${old.port}`
    expect(await attempt(oldUrl)).toMatchObject({
      reason: `GET ${oldUrl}/up was answered with something that is not HTTP/2`,
    })
    await using choosy = await listening(createTlsServer({ key, cert }))
    const choosyUrl = `h2://localhost:${choosy.port}`
    expect(await attempt(choosyUrl, {}, { verify: false })).toMatchObject({
      reason: `GET ${choosyUrl}/up was not sent: the target does not offer h2 (ALPN)`,
    })
    await using rude = await listening(
      createServer().on('stream', (stream: ServerHttp2Stream) => {
        stream.on('error', () => {})
        stream.close(constants.NGHTTP2_REFUSED_STREAM)
      }),
    )
    const rudeUrl = `h2c://127.0.0.1:${rude.port}`
    expect(await attempt(rudeUrl)).toMatchObject({
      reason: `GET ${rudeUrl}/up was cut off by the target before it answered`,
    })
    await using mute = await listening(createServer().on('stream', () => {}))
    const muteUrl = `h2c://127.0.0.1:${mute.port}`
    expect(await attempt(muteUrl, { attemptMs: 100 })).toMatchObject({
      kind: 'failed',
      reason: `GET ${muteUrl}/up did not answer within 100 ms`,
    })
  })
})

describe('one gRPC health attempt', () => {
  it('N15 passes for a server, or a service of it, that is SERVING', async () => {
    using server = await startGrpcHealth({ '': 1, 'shop.v1.Cart': 1 })
    expect(await attempt(server.url, { grpc: '' })).toEqual({ kind: 'passed', status: 200 })
    expect(await attempt(server.url, { grpc: 'shop.v1.Cart' })).toEqual({
      kind: 'passed',
      status: 200,
    })
  })

  it.each([
    [{ '': 2 }, '', 'is NOT_SERVING, expected SERVING'],
    [{ '': 0 }, '', 'is UNKNOWN, expected SERVING'],
    [{ '': 1 }, 'shop', 'was answered NOT_FOUND: it knows no service "shop"'],
  ])('N15 fails when %j is asked about %j', async (statuses, grpc, expected) => {
    using server = await startGrpcHealth(statuses)
    const about = grpc === '' ? '' : `"${grpc}" at `
    expect(await attempt(server.url, { grpc })).toEqual({
      kind: 'failed',
      reason: `gRPC health of ${about}${server.url} ${expected}`,
    })
  })

  it('N15 fails with a sentence where no gRPC, or no health of it, is offered', async () => {
    using bare = await startBareGrpc()
    expect(await attempt(bare.url, { grpc: '' })).toMatchObject({
      reason: `gRPC health of ${bare.url} was answered UNIMPLEMENTED: it does not offer grpc.health.v1.Health`,
    })
    await using web = await listening(
      createServer().on('stream', (stream: ServerHttp2Stream) => {
        stream.respond({ ':status': 404 }, { endStream: true })
      }),
    )
    const url = `h2c://127.0.0.1:${web.port}`
    expect(await attempt(url, { grpc: '' })).toMatchObject({
      reason: `gRPC health of ${url} was answered 404, and not by gRPC`,
    })
  })
})

const startBareGrpc = async () => {
  const server = new GrpcServer()
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  return { url: `h2c://127.0.0.1:${port}`, [Symbol.dispose]: () => server.forceShutdown() }
}
