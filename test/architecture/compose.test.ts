import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { readManifest, projects, root } from './sources.ts'

/** Every setting of ours that may stand in a container's environment. */
const settings = [
  'GATEHOUSE_REDIS_URL',
  'GATEHOUSE_FLEET',
  'GATEHOUSE_LISTEN',
  'GATEHOUSE_LISTEN_TLS',
  'GATEHOUSE_TLS_CERT',
  'GATEHOUSE_TLS_KEY',
  'GATEHOUSE_ADMIN',
  'GATEHOUSE_DATA',
  'GATEHOUSE_SECRET_KEY',
  'GATEHOUSE_SECRET_KEY_FILE',
  'GATEHOUSE_PROXIES',
  'GATEHOUSE_PROXY_ID',
  'GATEHOUSE_TRANSPORT',
  'GATEHOUSE_TRUSTED_PROXIES',
  'GATEHOUSE_CONNECTIONS_MAX',
  'GATEHOUSE_REQUEST_BYTES_PER_SECOND_MIN',
  'GATEHOUSE_CONNECTIONS_PER_ADDRESS_MAX',
  'GATEHOUSE_PARANOID',
  'GATEHOUSE_HTTP2',
  'GATEHOUSE_GRACE_MS',
  'GATEHOUSE_SUCCEEDS',
  'GATEHOUSE_ACME_DIRECTORY',
  'GATEHOUSE_ACME_EMAIL',
  'GATEHOUSE_ACME_CA',
  'GATEHOUSE_ACME_EAB_KID',
  'GATEHOUSE_ACME_EAB_KEY',
  'GATEHOUSE_ACME_PROFILE',
  'GATEHOUSE_ACME_CHALLENGES',
  'GATEHOUSE_ACME_DNS_EXEC',
  'GATEHOUSE_ACME_DNS_RFC2136',
  'GATEHOUSE_ACME_DNS_TSIG',
  'GATEHOUSE_ACME_DNS_WAIT_MS',
  'GATEHOUSE_ON_DEMAND_ASK',
  'GATEHOUSE_ON_DEMAND_HOSTS',
  'GATEHOUSE_ON_DEMAND_PER_HOUR_MAX',
]

const compose = z.object({
  services: z.record(
    z.string(),
    z.object({
      image: z.string(),
      command: z.array(z.string()).optional(),
      entrypoint: z.array(z.string()).optional(),
      environment: z.record(z.string(), z.string()).default({}),
      ports: z.array(z.string()).default([]),
      volumes: z.array(z.string()).default([]),
    }),
  ),
  volumes: z.record(z.string(), z.null()),
})

const { services, volumes } = compose.parse(parse(read('docker-compose.yml'), { merge: true }))
const dockerfile = read('Dockerfile')

describe('docker-compose.yml', () => {
  it('has a whole fleet and two releases of the example', () => {
    const expected = ['redis', 'proxy-1', 'proxy-2', 'worker', 'cmd', 'hello-blue', 'hello-green']
    expect(Object.keys(services)).toEqual(expected)
  })

  it('sets only what the programs read', () => {
    const set = Object.values(services).flatMap(({ environment }) => Object.keys(environment))
    const inImage = [...dockerfile.matchAll(/\bGATEHOUSE_[A-Z_]+/g)].map(([name]) => name)
    const ours = [...set, ...inImage].filter((name) => name.startsWith('GATEHOUSE_'))
    expect(ours.length).toBeGreaterThan(10)
    expect(ours.filter((name) => !settings.includes(name))).toEqual([])
  })

  it('keeps every acknowledged event through a crash of Redis', () => {
    const command = services['redis']?.command?.join(' ') ?? ''
    expect(command).toContain('--appendonly yes --appendfsync always')
    expect(command).toContain('--maxmemory-policy noeviction')
    expect(services['redis']?.volumes).toEqual(['redis:/data'])
  })

  it('gives every proxy a name, a port and a volume of its own', () => {
    const proxies = [services['proxy-1'], services['proxy-2']]
    const own = [
      proxies.map((proxy) => proxy?.environment['GATEHOUSE_PROXY_ID']),
      proxies.map((proxy) => proxy?.ports.find((port) => port.endsWith(':8080'))),
      proxies.map((proxy) => proxy?.ports.find((port) => port.endsWith(':8443'))),
      proxies.flatMap((proxy) => proxy?.volumes ?? []),
    ]
    for (const values of own) expect(new Set(values).size).toBe(2)
  })

  it('names only volumes that it declares', () => {
    const used = Object.values(services).flatMap((service) => service.volumes)
    const names = used.flatMap((volume) => volume.split(':')[0] ?? [])
    expect(names.toSorted()).toEqual(Object.keys(volumes).toSorted())
  })

  it('starts programs that exist', () => {
    const programs = Object.values(services)
      .flatMap(({ command = [], entrypoint = [] }) => [...entrypoint, ...command])
      .filter((word) => /\.m?[jt]s$/.test(word))
    expect(programs.length).toBeGreaterThan(4)
    expect(programs.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

describe('the image', () => {
  it('copies the manifest of every project before it installs', () => {
    const beforeInstall = dockerfile.slice(0, dockerfile.indexOf('npm ci'))
    for (const project of projects) {
      expect(readManifest(project).name).toBeTruthy()
      expect(beforeInstall).toContain(`COPY ${project}/package.json ${project}/\n`)
    }
  })

  it('runs as an ordinary user and stops at SIGTERM', () => {
    expect(dockerfile).toMatch(/^USER node$/m)
    expect(dockerfile).toMatch(/^STOPSIGNAL SIGTERM$/m)
    expect(dockerfile).toMatch(/^HEALTHCHECK /m)
  })

  it('contains what it copies', () => {
    const ignore = read('.dockerignore').split('\n')
    const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, from = '']) =>
      from.split(' '),
    )
    for (const path of copied) {
      expect(ignore).toContain(`!${path.split('/')[0]}`)
    }
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}
