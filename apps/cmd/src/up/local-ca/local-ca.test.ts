import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer } from 'node:tls'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { newKeys, signCertificate } from './certificate.ts'
import { openLocalCa } from './local-ca.ts'
import { trustSteps } from './trust-steps.ts'

const NAMES = ['localhost', '*.localhost', 'hello.localhost', '127.0.0.1']
const DAY_MS = 86_400_000

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-ca-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const text = (path: string): string => readFileSync(path, 'utf8')

/** Shakes hands with a server that has the certificate; rejects with what the client does not like. */
const shakeHands = async (
  host: string,
  { ca, cert, key }: { readonly ca: string; readonly cert: string; readonly key: string },
): Promise<void> => {
  const server = createServer({ cert, key }, (socket) => socket.on('error', () => {}).end())
  server.on('tlsClientError', () => {}).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // It listens on TCP, so it has an address with a port.
  const { port } = server.address() as AddressInfo
  const client = connect({ host: '127.0.0.1', port, servername: host, ca })
  try {
    await once(client, 'secureConnect')
  } finally {
    client.destroy()
    server.close()
  }
}

it('H1 makes an authority and a certificate that clients take, in files for nobody else', async () => {
  const { authority, cert, key } = await openLocalCa(folder, NAMES)
  for (const file of [authority, cert, key, join(folder, 'tls', 'ca.key')]) {
    expect(statSync(file).mode & 0o777).toBe(0o600)
  }
  const files = { ca: text(authority), cert: text(cert), key: text(key) }
  await shakeHands('localhost', files)
  await shakeHands('hello.localhost', files)
  await expect(shakeHands('other.localhost', files)).rejects.toThrow(/does not match/)
})

it('H1 H7 keeps both, and makes anew what is about to expire, or lacks a name', async () => {
  const now = Date.now()
  const { authority, cert } = await openLocalCa(folder, NAMES, now)
  const before = [text(authority), text(cert)]
  await openLocalCa(folder, NAMES, now)
  expect([text(authority), text(cert)]).toEqual(before)
  await openLocalCa(folder, [...NAMES, 'more.localhost'], now)
  expect(text(authority)).toBe(before[0])
  expect(text(cert)).not.toBe(before[1])
  const named = text(cert)
  await openLocalCa(folder, NAMES, now + 380 * DAY_MS)
  expect(text(authority)).toBe(before[0])
  expect(text(cert)).not.toBe(named)
  await openLocalCa(folder, NAMES, now + 3_640 * DAY_MS)
  expect(text(authority)).not.toBe(before[0])
})

it('H1 is an authority for local names and no others, whoever has its key', async () => {
  const signer = { name: 'stolen', keys: newKeys() }
  const times = { notBefore: Date.now() - DAY_MS, notAfter: Date.now() + DAY_MS }
  const ca = signCertificate({
    ...times,
    name: signer.name,
    publicKey: signer.keys.publicKey,
    signer,
    use: { kind: 'authority', domains: ['localhost'], loopback: true },
  })
  const own = newKeys()
  const cert = signCertificate({
    ...times,
    name: 'bank.example',
    publicKey: own.publicKey,
    signer,
    use: { kind: 'identity', names: ['bank.example'] },
  })
  const key = own.privateKey.export({ type: 'pkcs8', format: 'pem' })
  await expect(shakeHands('bank.example', { ca, cert, key })).rejects.toThrow(/permitted subtree/)
})

it('writes dates before 2050 with two digits for the year, and later ones with four', () => {
  const signer = { name: 'us', keys: newKeys() }
  const signed = signCertificate({
    name: 'localhost',
    publicKey: signer.keys.publicKey,
    signer,
    notBefore: Date.UTC(2_049, 11, 31, 23, 59, 59),
    notAfter: Date.UTC(2_050, 0, 1),
    use: { kind: 'identity', names: ['localhost'] },
  })
  const { raw, validFromDate, validToDate } = new X509Certificate(signed)
  expect(raw.includes('491231235959Z')).toBe(true)
  expect(raw.includes('20500101000000Z')).toBe(true)
  expect([validFromDate.getUTCFullYear(), validToDate.getUTCFullYear()]).toEqual([2_049, 2_050])
})

it('H1 tells for each system how to trust it', () => {
  const steps = trustSteps("/srv/o'hara/ca.pem")
  expect(steps.map(({ where }) => where)).toEqual([
    'macOS',
    'Debian, Ubuntu',
    'Fedora, RHEL',
    'Windows',
    'Firefox',
    'curl, Node',
    'elsewhere',
  ])
  expect(steps[1]?.how).toBe(
    "sudo cp '/srv/o'\\''hara/ca.pem' /usr/local/share/ca-certificates/gatehouse-local.crt && sudo update-ca-certificates",
  )
})
