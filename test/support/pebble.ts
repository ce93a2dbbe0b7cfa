/**
 * A real ACME server of a test's own: Pebble, with a name service beside it that the test rules.
 *
 * ```ts
 * const unable = await whyNoPebble()      // a sentence, for `skip(unable)`
 * await using pebble = await startPebble()
 * ```
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Agent, request } from 'undici'
import type { Packaged } from '../../apps/cmd/src/up/private-copy.ts'
import { findDebianProgram, type FoundProgram } from './debian-program.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startDns, type TestDns } from './pebble-dns.ts'
import { startProcess, type TestProcess } from './process.ts'
import { cert, key } from './self-signed.ts'

export interface Pebble extends AsyncDisposable {
  /** What a worker is told: GATEHOUSE_ACME_DIRECTORY. */
  readonly directory: string
  /** A PEM file with what vouches for the server itself: GATEHOUSE_ACME_CA. */
  readonly caFile: string
  /** Where it looks for answers to http-01 and tls-alpn-01, at whatever address the name has. */
  readonly httpPort: number
  readonly tlsPort: number
  readonly dns: TestDns
  /** What it issues under, as PEM; another one after each start. */
  readonly issuingRoot: () => Promise<string>
  /** What it says of a certificate by its serial number in hexadecimal digits: `Valid` or `Revoked`. */
  readonly statusOf: (serial: string) => Promise<string>
  /** What it counts: accounts and orders that it was asked for since its start. */
  readonly accounts: () => number
  readonly orders: () => number
  readonly output: () => string
}

export interface PebbleOptions {
  /** How long a certificate holds, in seconds. */
  readonly validitySeconds?: number
  /** Accounts need a binding; keys in base64url by their id. */
  readonly accountBindings?: Readonly<Record<string, string>>
  /** Another name service than its own, at 127.0.0.1. */
  readonly nameServerPort?: number
  /** Of a hundred good nonces, so many are refused. */
  readonly noncesRefused?: number
  /** Of a hundred authorizations that are valid still, so many are not asked for again. */
  readonly authorizationsReused?: number
}

const PACKAGED: Packaged = { package: 'pebble', program: 'usr/bin/pebble', bareNeeds: ['pebble'] }
const START_MS_MAX = 30_000

/** Undefined where there is a Pebble, or one could be fetched. */
export const whyNoPebble = async (): Promise<string | undefined> => {
  const found = await findPebble()
  return 'missing' in found ? found.missing : undefined
}

/** Throws where `whyNoPebble` has a reason. */
export const startPebble = async (options: PebbleOptions = {}): Promise<Pebble> => {
  const found = await findPebble()
  if ('missing' in found) throw new Error(found.missing)
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-pebble-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const dns = stack.use(await startDns())
  const [port, managementPort, httpPort, tlsPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const caFile = join(folder, 'listener.pem')
  await writeFile(caFile, cert)
  await writeFile(join(folder, 'key.pem'), key)
  const { validitySeconds = 90 * 86_400, accountBindings } = options
  const settings = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: caFile,
    privateKey: join(folder, 'key.pem'),
    httpPort,
    tlsPort,
    ocspResponderURL: '',
    certificateValidityPeriod: validitySeconds,
    externalAccountBindingRequired: accountBindings !== undefined,
    externalAccountMACKeys: accountBindings ?? {},
  }
  const config = join(folder, 'pebble.json')
  await writeFile(config, JSON.stringify({ pebble: settings }))
  const server: TestProcess = stack.use(
    startProcess(
      found.path,
      ['-config', config, '-dnsserver', `127.0.0.1:${options.nameServerPort ?? dns.port}`],
      {
        PATH: process.env['PATH'],
        // Without these it waits up to fifteen seconds before it looks.
        PEBBLE_VA_NOSLEEP: '1',
        PEBBLE_WFE_NONCEREJECT: String(options.noncesRefused ?? 0),
        PEBBLE_AUTHZREUSE: String(options.authorizationsReused ?? 0),
      },
    ),
  )
  const trusting = new Agent({ connect: { ca: cert } })
  stack.defer(() => trusting.close())
  const ask = async (url: string): Promise<string> => {
    const { statusCode, body } = await request(url, { dispatcher: trusting })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${text}`)
    return text
  }
  const directory = `https://localhost:${port}/dir`
  await eventually(
    'Pebble answers',
    () => {
      if (!server.running()) throw new Error(server.output())
      return ask(directory)
    },
    START_MS_MAX,
  )
  const owned = stack.move()
  const counted = (pattern: RegExp): number =>
    Math.max(0, ...[...server.output().matchAll(pattern)].map(([, count]) => Number(count)))
  return {
    directory,
    caFile,
    httpPort,
    tlsPort,
    dns,
    issuingRoot: () => ask(`https://localhost:${managementPort}/roots/0`),
    statusOf: async (serial) => {
      const url = `https://localhost:${managementPort}/cert-status-by-serial/${serial}`
      return String(Object(JSON.parse(await ask(url))).Status)
    },
    accounts: () => counted(/There are now (\d+) accounts in memory/g),
    orders: () => counted(/There are now (\d+) orders in the db/g),
    output: server.output,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** One question for the whole run of a test file. */
let asked: Promise<FoundProgram> | undefined

const findPebble = (): Promise<FoundProgram> => (asked ??= findDebianProgram(PACKAGED))
