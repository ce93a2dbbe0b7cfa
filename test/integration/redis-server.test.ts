import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import {
  findRedisServer,
  redisSocketPath,
  startRedisServer,
  type RedisBinary,
  type RedisServer,
  type RedisServerOptions,
} from '../../apps/cmd/src/up/redis-server.ts'

const projectRoot = dirname(dirname(import.meta.dirname))
const cacheDir = join(projectRoot, '.gatehouse', 'cache')

let folder = ''
let binary: RedisBinary
let started: RedisServer[] = []

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gh-redis-'))
  const found = await findRedisServer({ cacheDir, environment: process.env })
  if ('missing' in found) throw new Error(found.missing)
  binary = found
})

afterEach(async () => {
  await Promise.all(started.map((server) => server.stop()))
  started = []
  rmSync(folder, { recursive: true, force: true })
})

describe('the private Redis server', () => {
  it('keeps every acknowledged write when it is killed without warning', async () => {
    const options = { binary, socketPath: join(folder, 'r.sock'), dataDir: join(folder, 'data') }
    const first = await start(options)
    await using client = connect(first.url)
    await client.redis.set('kept', 'yes')
    process.kill(first.pid ?? Number.NaN, 'SIGKILL')
    await first.ended

    const second = await start(options)
    await using again = connect(second.url)
    expect(second.reused).toBe(false)
    expect(await again.redis.get('kept')).toBe('yes')
  })

  it('runs with durable settings on a socket that only its owner can open', async () => {
    const socketPath = join(folder, 'r.sock')
    const server = await start({ binary, socketPath, dataDir: folder })
    await using client = connect(server.url)
    const settings = await client.redis.config('GET', 'app*', 'maxmemory-policy', 'save', 'port')
    expect(settings).toEqual(
      expect.arrayContaining(['appendonly', 'yes', 'appendfsync', 'always', 'noeviction', '0']),
    )
    expect((await stat(socketPath)).mode & 0o777).toBe(0o700)
  })

  it('is reused by the next start, and by starts at the same moment', async () => {
    const options = { binary, socketPath: join(folder, 'r.sock'), dataDir: join(folder, 'data') }
    const servers = await Promise.all([1, 2, 3].map(() => start(options)))
    expect(servers.filter((server) => server.reused)).toHaveLength(2)
    const [owner] = servers.filter((server) => !server.reused)
    const [guest] = servers.filter((server) => server.reused)
    await guest?.stop()
    await owner?.ended
    expect(await readFile(join(folder, 'data', 'redis.log'), 'utf8')).toContain('bye bye')
  })

  it('starts again after a start that was killed half-way left its mark', async () => {
    const neverAProcess = 2 ** 22 + 1
    writeFileSync(join(folder, 'starting'), String(neverAProcess))
    const socketPath = join(folder, 'r.sock')
    const server = await start({ binary, socketPath, dataDir: folder })
    expect(server.reused).toBe(false)
  })

  it('says in its error what Redis itself said', async () => {
    const { port } = new URL(inject('redisTcpUrl'))
    const options = { binary, socketPath: join(folder, 'r.sock'), dataDir: folder }
    await expect(start({ ...options, port: Number(port) })).rejects.toThrow(
      /did not start: it ended with 1\.[^]*Address already in use/,
    )
  })

  it('refuses a socket path that the system would cut short', async () => {
    const socketPath = join(folder, 'x'.repeat(100), 'r.sock')
    await expect(start({ binary, socketPath, dataDir: folder })).rejects.toThrow(
      /too long: at most 103 bytes/,
    )
  })

  it('has a short socket path of its own for every data directory', () => {
    const [one, same, other] = ['/a'.repeat(200), '/a'.repeat(200), '/b'].map(redisSocketPath)
    expect(one).toBe(same)
    expect(one).not.toBe(other)
    expect(one?.length).toBeLessThan(104)
  })
})

describe('finding a Redis server', () => {
  it('takes one from the PATH when it is recent enough, and passes over an old one', async () => {
    const old = join(folder, 'redis-server')
    writeFileSync(old, '#!/bin/sh\necho "Redis server v=6.2.1 sha=0"\n', { mode: 0o755 })
    const recent = join(folder, 'valkey-server')
    writeFileSync(recent, '#!/bin/sh\necho "Valkey server v=8.1.3 sha=0"\n', { mode: 0o755 })
    const environment = { PATH: folder }
    const found = await findRedisServer({ cacheDir: folder, environment })
    expect(found).toMatchObject({ path: recent, version: '8.1.3' })
  })

  it('runs without any of our secrets in its environment', async () => {
    const environment = { ...process.env, GATEHOUSE_SECRET_KEY: 'secret' }
    const found = await findRedisServer({ cacheDir, environment })
    expect(JSON.stringify(found)).not.toContain('secret')
  })

  it('says what to install where none is found and none can be fetched', async () => {
    const found = await findRedisServer({ cacheDir: folder, environment: { PATH: folder } })
    expect(found).toEqual({ missing: expect.stringMatching(/not Debian or Ubuntu.*brew install/) })
  })

  it('gives starts at the same moment one whole private copy', async () => {
    // Stand-ins for the packages' tools: they download nothing and unpack a server that can only
    // say its version, slowly enough that the two fetches overlap.
    const tools = join(folder, 'tools')
    mkdirSync(tools)
    const script = (name: string, lines: readonly string[]): void =>
      writeFileSync(
        join(tools, name),
        ['#!/bin/sh', 'PATH=/usr/bin:/bin', ...lines, ''].join('\n'),
        { mode: 0o755 },
      )
    script('apt-get', ['touch redis.deb'])
    script('dpkg-deb', [
      'mkdir -p "$3/usr/bin" "$3/usr/lib/x86_64-linux-gnu"',
      'sleep 0.1',
      'printf \'#!/bin/sh\\necho "v=7.2.4"\\n\' > "$3/usr/bin/redis-server"',
      'chmod 755 "$3/usr/bin/redis-server"',
    ])
    const environment = { PATH: tools }
    const search = { cacheDir: join(folder, 'cache'), environment }
    const found = await Promise.all([1, 2, 3].map(() => findRedisServer(search)))
    const copy = join(folder, 'cache', 'redis')
    const expected = {
      path: join(copy, 'usr', 'bin', 'redis-server'),
      version: '7.2.4',
      env: { LD_LIBRARY_PATH: join(copy, 'usr', 'lib', 'x86_64-linux-gnu') },
    }
    expect(found).toMatchObject([expected, expected, expected])
    expect(await readdir(join(folder, 'cache'))).toEqual(['redis'])
  })

  it('repeats what the package manager complained about', async () => {
    const apt = join(folder, 'apt-get')
    writeFileSync(apt, '#!/bin/sh\necho "E: Could not resolve the mirror." >&2\nexit 100\n', {
      mode: 0o755,
    })
    const found = await findRedisServer({ cacheDir: folder, environment: { PATH: folder } })
    expect(found).toEqual({ missing: expect.stringContaining('Could not resolve the mirror.') })
  })
})

/** A server that is gone after the test, however the test ends. */
async function start(options: RedisServerOptions): Promise<RedisServer> {
  const server = await startRedisServer(options)
  started.push(server)
  return server
}

/** A client that is gone at the end of the test, and never prints what it could not reach. */
function connect(url: string): { readonly redis: Redis } & AsyncDisposable {
  const redis = new Redis(url, { retryStrategy: () => null })
  redis.on('error', () => {})
  return {
    redis,
    [Symbol.asyncDispose]: async () => redis.disconnect(),
  }
}
