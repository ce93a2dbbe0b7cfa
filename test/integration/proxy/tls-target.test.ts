import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bodyOf, getAndClose, startEdge, statusOf } from './edge.ts'
import { ok } from './target.ts'

let directory = ''
let certificate = ''
let port = 0
/** That clients asked for (SNI), in their order. */
const names: string[] = []
let close = (): void => {}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gatehouse-tls-'))
  const [keyFile, certificateFile] = [join(directory, 'key'), join(directory, 'certificate')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const files = ['-keyout', keyFile, '-out', certificateFile]
  execFileSync('openssl', ['req', '-x509', '-days', '1', ...curve, ...subject, ...files], {
    stdio: 'ignore',
  })
  certificate = readFileSync(certificateFile, 'utf8')
  const SNICallback = (name: string, done: (error: null) => void): void => {
    names.push(name)
    done(null)
  }
  const secret = { key: readFileSync(keyFile), cert: certificate, SNICallback }
  const server = createServer(secret, (socket) => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(ok('over TLS')))
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  close = () => server.close()
})

afterAll(() => {
  close()
  rmSync(directory, { recursive: true, force: true })
})

it('D19 speaks TLS to a target whose certificate it can verify', async () => {
  await using edge = await startEdge({ targetTrust: { ca: certificate } })
  edge.route({ targets: [`https://localhost:${port}`] })
  expect(bodyOf(await edge.ask(getAndClose()))).toBe('over TLS')
})

it('D19 answers 502 for a target whose certificate or name it cannot verify', async () => {
  await using distrustful = await startEdge()
  distrustful.route({ targets: [`https://localhost:${port}`] })
  expect(await distrustful.ask(getAndClose())).toMatch(
    /^HTTP\/1\.1 502 [^]*error=tls_protocol_error/,
  )
  await using trusting = await startEdge({ targetTrust: { ca: certificate } })
  trusting.route({ targets: [`https://127.0.0.1:${port}`] })
  expect(statusOf(await trusting.ask(getAndClose()))).toBe(502)
})

it('D19 asks for the name that the release gives, and wants a certificate with it', async () => {
  await using edge = await startEdge({ targetTrust: { ca: certificate } })
  const targets = [`https://127.0.0.1:${port}`]
  edge.route({ targets, release: { tls: { verify: true, serverName: 'localhost' } } })
  expect(bodyOf(await edge.ask(getAndClose()))).toBe('over TLS')
  expect(names.at(-1)).toBe('localhost')
  const tls = { verify: true, serverName: 'other.example' }
  edge.route({ targets: [`https://localhost:${port}`], revision: 2, release: { tls } })
  expect(statusOf(await edge.ask(getAndClose()))).toBe(502)
  expect(names.at(-1)).toBe('other.example')
})

it('D19 believes any certificate of a release that says so, and of no other one', async () => {
  await using edge = await startEdge()
  const targets = [`https://localhost:${port}`]
  edge.route({ service: 'a', hosts: ['app.test'], targets, release: { tls: { verify: false } } })
  edge.route({ service: 'b', hosts: ['other.test'], targets })
  expect(bodyOf(await edge.ask(getAndClose()))).toBe('over TLS')
  const other = getAndClose().replace('app.test', 'other.test')
  expect(statusOf(await edge.ask(other))).toBe(502)
})
