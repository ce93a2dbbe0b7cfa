/** HTTPS of a fleet: what its log says of certificates is what its proxies show, each and after anything. */
import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { promisify } from 'node:util'
import type { Command } from '@gatehouse/domain'
import {
  BUNDLE_PURPOSE,
  createBundleStore,
  createRedisLog,
  createSealer,
  openRedis,
  openReplica,
  readBundle,
  requireSecretKeys,
  sealBundle,
  submit,
  TOOL,
} from '@gatehouse/events'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { createAuthority, type TestCertificate } from '../support/certificates.ts'
import { eventually } from '../support/eventually.ts'
import { startFleet, type TestFleet, type TestProxy } from '../support/fleet.ts'
import { startOwnRedis } from '../support/own-redis.ts'
import { DOWNLOAD_BYTES, startUpstream } from '../support/upstream.ts'

const AUTHORITY = createAuthority()
const SECRET = { GATEHOUSE_SECRET_KEY: randomBytes(32).toString('hex') }
const TLS = { GATEHOUSE_LISTEN_TLS: '127.0.0.1:0', ...SECRET }

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-https-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Where it speaks TLS: the last of its listeners. */
const tlsPort = (proxy: TestProxy): number => {
  const line = proxy
    .output()
    .split('\n')
    .find((each) => each.includes('"msg":"serving"'))
  return Number(
    JSON.parse(line ?? '{}')
      .listen.at(-1)
      .split(':')
      .at(-1),
  )
}

/** The serial number of what the proxy shows to who asks for the name; or why it shows nothing. */
const shown = async (proxy: TestProxy, servername: string): Promise<string> => {
  const socket = connect({ port: tlsPort(proxy), host: '127.0.0.1', servername, ca: AUTHORITY.ca })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerX509Certificate()?.serialNumber ?? ''
  } catch (error) {
    return String(error)
  } finally {
    socket.destroy()
  }
}

const shows = (proxy: TestProxy, servername: string, { serial }: TestCertificate) =>
  eventually(`${proxy.id} shows the certificate of ${servername}`, async () => {
    const found = await shown(proxy, servername)
    if (found === serial) return true
    throw new Error(found)
  })

/** As a command does it: the sealed bundle first, then the event that names it. */
const bring = async (
  { redisUrl, name: fleet }: TestFleet,
  name: string,
  { cert, key }: TestCertificate,
): Promise<void> => {
  const link = openRedis(redisUrl, { name: 'test' })
  try {
    const read = readBundle({ chain: cert, key }, { now: Date.now() })
    if (read.kind === 'unfit') throw new Error(read.problem)
    const { facts, bundle } = read
    const sealer = createSealer(requireSecretKeys(SECRET), fleet, BUNDLE_PURPOSE)
    const sealed = sealBundle(sealer, facts.fingerprint, bundle)
    await createBundleStore(link, fleet).write(facts.fingerprint, sealed, facts.notAfter)
    const log = createRedisLog(link, fleet)
    const command: Command = { type: 'ImportCertificate', certificate: name, ...facts }
    const meta = { actor: 'test', reason: '', command: randomUUID(), tool: TOOL }
    const submitted = await submit(log, await openReplica(log), command, meta)
    if (submitted.kind !== 'accepted') throw new Error(JSON.stringify(submitted))
  } finally {
    await link.close()
  }
}

describe('certificates of a fleet', () => {
  it('F2 F12 O6 are shown by every proxy as soon as the log names them, and so are their successors', async () => {
    await using fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 0, workers: 0 })
    const proxies = [await fleet.startProxy('one', TLS), await fleet.startProxy('two', TLS)]
    const [first, second] = [AUTHORITY.issue('app.test'), AUTHORITY.issue('app.test')]
    await bring(fleet, 'app', first)
    for (const proxy of proxies) await shows(proxy, 'app.test', first)
    await bring(fleet, 'app', second)
    for (const proxy of proxies) await shows(proxy, 'app.test', second)
    const expiry = 'gatehouse_cert_not_after_seconds{certificate="app"}'
    expect(await proxies[0]?.metric(expiry)).toBeGreaterThan(Date.now() / 1_000)
  })

  it('O7 F14 are there after a start without Redis, from copies that nobody can read', async () => {
    await using redis = await startOwnRedis()
    await using fleet = await startFleet({ redisUrl: redis.url, proxies: 0, workers: 0 })
    const settings = { ...TLS, GATEHOUSE_DATA: folder }
    const certificate = AUTHORITY.issue('app.test')
    const proxy = await fleet.startProxy('one', settings)
    await bring(fleet, 'app', certificate)
    await shows(proxy, 'app.test', certificate)
    await redis.stop()
    expect(await shown(proxy, 'app.test')).toBe(certificate.serial)
    await proxy.stop()
    const kept = join(folder, `certificates-${fleet.name}-one`)
    const files = await readdir(kept)
    expect(files).toEqual([`${certificate.fingerprint}.sealed`])
    for (const file of files) {
      expect((await stat(join(kept, file))).mode & 0o777).toBe(0o600)
      expect(await readFile(join(kept, file), 'utf8')).not.toMatch(/BEGIN|PRIVATE/)
    }
    await using again = await fleet.startProxy('one', settings)
    await shows(again, 'app.test', certificate)
  })

  it('O7 that a proxy cannot unseal are named in what it says of itself, and served once it can', async () => {
    await using fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 0, workers: 0 })
    const certificate = AUTHORITY.issue('app.test')
    const stranger = { ...TLS, GATEHOUSE_SECRET_KEY: randomBytes(32).toString('hex') }
    const proxy = await fleet.startProxy('one', stranger)
    await bring(fleet, 'app', certificate)
    const notes = await eventually('it says so', async () => {
      const [member] = await fleet.members()
      return member?.notes.find((note) => note.startsWith('certificate app is not served: '))
    })
    expect(notes).toContain('is sealed with key')
    expect(await shown(proxy, 'app.test')).toMatch(/unrecognized name/)
    await proxy.stop()
    const both = `${SECRET.GATEHOUSE_SECRET_KEY},${stranger.GATEHOUSE_SECRET_KEY}`
    await using again = await fleet.startProxy('one', { ...TLS, GATEHOUSE_SECRET_KEY: both })
    await shows(again, 'app.test', certificate)
    expect((await fleet.members())[0]?.notes).toEqual([])
  })

  it('O8 resume a session of one proxy at another, and after it was started again', async () => {
    await using fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 0, workers: 0 })
    const proxies = [await fleet.startProxy('one', TLS), await fleet.startProxy('two', TLS)]
    const certificate = AUTHORITY.issue('app.test')
    await bring(fleet, 'app', certificate)
    for (const proxy of proxies) await shows(proxy, 'app.test', certificate)
    for (const version of ['-tls1_2', '-tls1_3']) {
      const session = join(folder, `session${version}`)
      const [one, two] = proxies as [TestProxy, TestProxy]
      expect(await handshake(one, version, '-sess_out', session)).toContain('New, ')
      expect(await handshake(two, version, '-sess_in', session)).toContain('Reused, ')
    }
    expect(await proxies[1]?.metric('gatehouse_tls_handshakes_total{outcome="resumed"}')).toBe(2)
  })
})

const handshake = async (proxy: TestProxy, ...options: readonly string[]): Promise<string> => {
  const to = ['-connect', `127.0.0.1:${tlsPort(proxy)}`, '-servername', 'app.test']
  // It reads a while, because tickets of TLS 1.3 come behind the handshake.
  const ask =
    '(printf "GET / HTTP/1.1\\r\\nHost: app.test\\r\\nConnection: close\\r\\n\\r\\n"; cat)'
  const command = `${ask} < /dev/null | openssl s_client ${[...to, ...options].join(' ')} -ign_eof`
  const { stdout } = await promisify(execFile)('sh', ['-c', command])
  return stdout
}

describe('a proxy with a certificate of its own', () => {
  const files = () => ({
    GATEHOUSE_TLS_CERT: join(folder, 'cert.pem'),
    GATEHOUSE_TLS_KEY: join(folder, 'key.pem'),
  })
  const put = async ({ cert, key }: TestCertificate): Promise<void> => {
    await writeFile(files().GATEHOUSE_TLS_CERT, cert)
    await writeFile(files().GATEHOUSE_TLS_KEY, key)
  }

  it('I9 I10 reads it again at SIGHUP, under a download that goes on, on the same port', async () => {
    await using upstream = await startUpstream('blue')
    await using fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 0 })
    const [first, second] = [AUTHORITY.issue('app.test'), AUTHORITY.issue('app.test')]
    await put(first)
    const proxy = await fleet.startProxy('one', { ...TLS, ...files() })
    await fleet.deploy('app', 'app.test', { label: 'blue', url: upstream.url })
    await shows(proxy, 'app.test', first)
    const port = tlsPort(proxy)
    const download = request({
      port,
      host: '127.0.0.1',
      servername: 'app.test',
      headers: { host: 'app.test' },
      path: '/download',
      ca: AUTHORITY.ca,
    }).end()
    const [response] = await once(download, 'response')
    let bytes = 0
    response.on('data', (part: Buffer) => (bytes += part.length))
    await eventually('the download has begun', () => bytes > 0)

    await put(second)
    proxy.child.kill('SIGHUP')
    await shows(proxy, 'app.test', second)
    await writeFile(files().GATEHOUSE_TLS_KEY, first.key)
    proxy.child.kill('SIGHUP')
    await eventually('it says what is wrong', () =>
      proxy.output().includes('does not belong to its private key'),
    )
    expect(await shown(proxy, 'app.test')).toBe(second.serial)
    upstream.release()
    await once(response, 'end')
    expect(bytes).toBe(DOWNLOAD_BYTES)
  })

  it.each([
    [
      'that is not there',
      async () => {},
      /GATEHOUSE_TLS_CERT is .*cert\.pem, which cannot be read/,
    ],
    [
      'whose key is another one',
      async () => {
        await put(AUTHORITY.issue('app.test'))
        await writeFile(files().GATEHOUSE_TLS_KEY, AUTHORITY.issue('app.test').key)
      },
      /which does not belong to its private key/,
    ],
    [
      'that is garbage',
      () => put({ ...AUTHORITY.issue('app.test'), cert: 'garbage' }),
      /which is no certificate in PEM form/,
    ],
  ])('F1 does not start with one %s, and says so in one sentence', async (_, prepare, sentence) => {
    await prepare()
    await using fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 0, workers: 0 })
    const started = fleet.launchProxy('one', { ...TLS, ...files() })
    const { exit, stderr } = await started.finished
    expect(exit).toBe(1)
    expect(stderr).toMatch(sentence)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })
})
