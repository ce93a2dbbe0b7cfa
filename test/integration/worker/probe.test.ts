import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { HEALTH_DEFAULTS, type Release, type HealthCheck } from '@gatehouse/domain'
import { afterAll, describe, expect, it } from 'vitest'
import { probe, type Probe } from '../../../apps/worker/src/probe.ts'
import { cert, key } from '../../support/self-signed.ts'
import { answering, deadUrl, silent, startRaw, startUpstream } from './upstream.ts'

const folder = mkdtempSync(join(tmpdir(), 'gh-probe-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const attempt = (
  url: string,
  health: Partial<HealthCheck> = {},
  more: {
    readonly withinMs?: number
    readonly hosts?: readonly string[]
    readonly tls?: Release['tls']
    readonly signal?: AbortSignal
  } = {},
): Promise<Probe> =>
  probe({
    target: { url },
    health: { ...HEALTH_DEFAULTS, ...health },
    hosts: more.hosts ?? ['app.example.com'],
    tls: more.tls,
    withinMs: more.withinMs ?? 5_000,
    signal: more.signal ?? new AbortController().signal,
  })

describe('one health attempt', () => {
  it('B1 passes on 2xx and on a redirect, which it does not follow', async () => {
    const dead = await deadUrl()
    await using app = await startUpstream(answering(302, { location: `${dead}/gone` }))
    expect(await attempt(app.url)).toEqual({ kind: 'passed', status: 302 })
    app.answer = answering(204)
    expect(await attempt(app.url)).toEqual({ kind: 'passed', status: 204 })
    expect(app.requests).toHaveLength(2)
  })

  it.each([404, 500])('B1 fails on %i and says what was expected', async (status) => {
    await using app = await startUpstream(
      answering(status, {}, 'database:\r\n\u001B[31mdown\u001B[0m'),
    )
    expect(await attempt(app.url)).toEqual({
      kind: 'failed',
      status,
      reason: `GET ${app.url}/up answered ${status}, expected 200-399`,
      excerpt: 'database: \uFFFD[31mdown\uFFFD[0m',
    })
  })

  it('B4 asks below the path prefix of the target', async () => {
    await using app = await startUpstream()
    expect((await attempt(`${app.url}/base/v2`)).kind).toBe('passed')
    expect(app.requests[0]?.url).toBe('/base/v2/up')
  })

  it('N4 sends the method, path and Host of the check, and counts the statuses it names', async () => {
    await using app = await startUpstream(answering(429))
    const health = { method: 'HEAD', path: '/healthz?deep=1', host: 'probe.test' } as const
    const result = await attempt(app.url, { ...health, statusMin: 429, statusMax: 429 })
    expect(result).toEqual({ kind: 'passed', status: 429 })
    expect(app.requests).toMatchObject([
      {
        method: 'HEAD',
        url: '/healthz?deep=1',
        headers: { host: 'probe.test', 'user-agent': 'gatehouse-health' },
      },
    ])
  })

  it('sends the first exact host of the release, or else the address of the target', async () => {
    await using app = await startUpstream()
    await attempt(app.url, {}, { hosts: ['*.example.com', 'b.example.com', 'a.example.com'] })
    await attempt(app.url, {}, { hosts: ['default'] })
    expect(app.requests.map(({ headers }) => headers.host)).toEqual([
      'b.example.com',
      `127.0.0.1:${app.port}`,
    ])
  })

  it('says that nothing listens', async () => {
    const url = await deadUrl()
    expect(await attempt(url)).toEqual({ kind: 'failed', reason: `GET ${url}/up was refused` })
  })

  it('B2 says that no answer came in the time of one attempt', async () => {
    await using app = await startUpstream(silent)
    expect(await attempt(app.url, { attemptMs: 60 })).toEqual({
      kind: 'failed',
      reason: `GET ${app.url}/up did not answer within 60 ms`,
    })
  })

  it('tells an attempt that had too little time from one that failed', async () => {
    await using app = await startUpstream(silent)
    expect((await attempt(app.url, {}, { withinMs: 60 })).kind).toBe('cut')
  })

  it('ends when it is called off', async () => {
    await using app = await startUpstream(silent)
    expect(await attempt(app.url, {}, { signal: AbortSignal.timeout(30) })).toEqual({
      kind: 'aborted',
    })
  })

  it('judges by the status alone: a body that never ends does not hold it up', async () => {
    await using app = await startUpstream((_request, response) => {
      response.writeHead(200).write('still going')
    })
    expect((await attempt(app.url, {}, { withinMs: 2_000 })).kind).toBe('passed')
  })

  it('names an answer that is not HTTP, and a target that hangs up', async () => {
    await using ssh = await startRaw('SSH-2.0-OpenSSH_9.2\r\n')
    await using mute = await startRaw('')
    expect(await attempt(ssh.url)).toMatchObject({
      reason: `GET ${ssh.url}/up was answered with something that is not HTTP/1.1`,
    })
    expect(await attempt(mute.url)).toMatchObject({
      reason: `GET ${mute.url}/up was cut off by the target before it answered`,
    })
  })

  it('D20 asks over a Unix socket, and names one that is not there', async () => {
    const socketPath = join(folder, 'app.sock')
    await using app = await startUpstream(answering(200), { socketPath })
    expect((await attempt(app.url)).kind).toBe('passed')
    const missing = join(folder, 'none.sock')
    expect(await attempt(`unix:${missing}`)).toMatchObject({
      reason: `GET /up on unix:${missing} could not be sent: the socket does not exist`,
    })
  })

  it('D19 verifies the certificate of the target, whatever Host the check sends', async () => {
    const server = createServer({ key, cert }, answering(200))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    // A server that listens on a port has an address with one.
    const { port } = server.address() as AddressInfo
    const urls = [`https://127.0.0.1:${port}`, `https://localhost:${port}`]
    for (const url of urls) {
      expect(await attempt(url)).toEqual({
        kind: 'failed',
        reason: `GET ${url}/up was not sent, because TLS failed: self-signed certificate`,
      })
    }
    const verify = false
    for (const url of urls) {
      expect((await attempt(url, {}, { tls: { verify } })).kind).toBe('passed')
    }
    const before = getCACertificates()
    setDefaultCACertificates([cert])
    for (const url of urls) expect((await attempt(url)).kind).toBe('passed')
    const serverName = 'other.example'
    const other = await attempt(
      `https://localhost:${port}`,
      {},
      { tls: { verify: true, serverName } },
    )
    expect(other).toMatchObject({ reason: expect.stringContaining('TLS failed') })
    setDefaultCACertificates(before)
    await new Promise((resolve) => server.close(resolve))
  })
})
