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
  const server = createServer({ key: readFileSync(keyFile), cert: certificate }, (socket) => {
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
