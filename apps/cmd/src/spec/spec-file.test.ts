import { describe, expect, it } from 'vitest'
import { parseSpec } from './spec-file.ts'
import { toRelease, type SpecRelease } from './to-release.ts'

const read = (text: string, name = 'spec.json'): SpecRelease =>
  toRelease(parseSpec(text, name, '/srv/app'), { from: name, newId: () => 'generated' })

const released = (text: string, name?: string) => {
  const spec = read(text, name)
  if ('problems' in spec) throw new Error(spec.problems.join('\n'))
  return spec
}

const minimal = '{"service": "shop", "hosts": ["shop.test"], "target_url": "http://10.0.0.5:3000"}'

describe('a spec', () => {
  it('A2 fills every default in when it gives only service, hosts and target_url', () => {
    expect(released(minimal)).toEqual({
      service: 'shop',
      files: {},
      release: {
        id: 'generated',
        hosts: ['shop.test'],
        targets: [{ url: 'http://10.0.0.5:3000' }],
        health: {
          skip: false,
          path: '/up',
          method: 'GET',
          statusMin: 200,
          statusMax: 399,
          timeoutMs: 5_000,
          intervalMs: 1_000,
          attemptMs: 5_000,
          rise: 2,
          fall: 3,
          require: 'all',
        },
        drainMs: 30_000,
        limits: {
          connectMs: 5_000,
          responseMs: 30_000,
          idleMs: 60_000,
          upgradedIdleMs: 3_600_000,
          requestBytesMax: 'unlimited',
          connectionsMax: 256,
          queueMax: 1_024,
        },
        hostHeader: 'preserve',
        metadata: {},
      },
    })
  })

  it('A2 means the same in snake_case, in camelCase and in YAML', () => {
    const snake = `{"service": "shop", "hosts": ["shop.test"], "target_url": "http://a:1", "target_id": "v2",
      "health_path": "/ok", "health_timeout": 2000, "drain_timeout": "1m", "skip_health_check": false,
      "metadata": {"version": "2", "build": 7}}`
    const camel = `{"service": "shop", "hosts": ["shop.test"], "targetUrl": "http://a:1", "targetId": "v2",
      "healthPath": "/ok", "healthTimeout": "2s", "drainTimeout": 60000, "skipHealthCheck": false,
      "metadata": {"version": "2", "build": "7"}}`
    const yaml = `
service: shop
hosts: [shop.test]
targets: [http://a:1]
target_id: v2
health: { path: /ok, timeout: 2s, skip: false }
drain_timeout: 60s
metadata: { version: "2", build: 7 }
`
    expect(released(camel)).toEqual(released(snake))
    expect(released(yaml, 'spec.yaml')).toEqual(released(snake))
    expect(released(snake).release).toMatchObject({
      id: 'v2',
      drainMs: 60_000,
      health: { path: '/ok', timeoutMs: 2_000, skip: false },
      metadata: { version: '2', build: '7' },
    })
  })

  it('A3 brings hosts to their normal form, each once, and drops blank ones', () => {
    const text = `{"service": "shop", "target_url": "http://a:1",
      "hosts": [" Example.COM ", "example.com.", "", "*.Shop.test", "bücher.example"]}`
    expect(released(text).release.hosts).toEqual([
      'example.com',
      '*.shop.test',
      'xn--bcher-kva.example',
    ])
  })

  it('A11 keeps a drain without a deadline', () => {
    const text = minimal.replace('}', ', "drain_timeout": "infinity"}')
    expect(released(text).release.drainMs).toBe('infinity')
  })

  it('N15 can ask a gRPC server for its health, or for that of one service', () => {
    const spec = (grpc: string, target = 'h2c://10.0.0.5:50051'): string =>
      `{"service": "shop", "hosts": ["a.test"], "target_url": "${target}", "health": {"grpc": ${grpc}}}`
    expect(released(spec('true')).release.health.grpc).toBe('')
    expect(released(spec('"shop.v1.Cart"')).release.health.grpc).toBe('shop.v1.Cart')
    expect(released(spec('false')).release.health).not.toHaveProperty('grpc')
    expect(read(spec('true', 'http://10.0.0.5:3000'))).toEqual({
      problems: [
        'spec.json:1: target_url: "http://10.0.0.5:3000" speaks no gRPC, which health.grpc asks for; expected h2c or h2',
      ],
    })
  })

  it('A12 can skip the health check', () => {
    const text = minimal.replace('}', ', "skip_health_check": true}')
    expect(released(text).release.health.skip).toBe(true)
  })

  it('B6 takes all targets when none is flagged active, and only the flagged ones otherwise', () => {
    const spec = (targets: string): string =>
      `{"service": "shop", "hosts": ["a.test"], "targets": ${targets}}`
    const urls = (text: string) => released(text).release.targets.map(({ url }) => url)
    expect(urls(spec('["http://a:1", {"url": "http://b:1"}]'))).toEqual([
      'http://a:1',
      'http://b:1',
    ])
    expect(urls(spec('["http://a:1", {"url": "http://b:1", "active": true}]'))).toEqual([
      'http://b:1',
    ])
    expect(urls(spec('[{"url": "http://a:1", "active": false}]'))).toEqual(['http://a:1'])
  })

  it('B7 takes one healthy target for enough where balance asks for health', () => {
    const text = minimal.replace(
      '}',
      ', "balance": {"policy": "round_robin", "health": "required"}}',
    )
    expect(released(text).release.health.require).toBe('any')
  })

  it('D20 means a relative socket from the folder of its file', () => {
    const text = minimal.replace('http://10.0.0.5:3000', 'unix:./run/app.sock')
    expect(released(text).release.targets).toEqual([{ url: 'unix:/srv/app/run/app.sock' }])
    const http2 = released(text.replace('unix:', 'unix+h2c:'))
    expect(http2.release.targets).toEqual([{ url: 'unix+h2c:/srv/app/run/app.sock' }])
  })

  it('N6 reads times of paths and methods, and D19 how to speak TLS', () => {
    const yaml = `
service: shop
hosts: [default]
target_url: https://a
timeouts:
  - { path: /reports, method: post, response: 120s }
  - { path: /events, idle: 1h }
tls: { verify: false, server_name: inner.test }
`
    expect(released(yaml, 'spec.yml').release).toMatchObject({
      timeouts: [
        { path: '/reports', method: 'POST', responseMs: 120_000 },
        { path: '/events', idleMs: 3_600_000 },
      ],
      tls: { verify: false, serverName: 'inner.test' },
    })
    expect(released(minimal).release).not.toHaveProperty('timeouts')
    expect(released(minimal).release).not.toHaveProperty('tls')
  })

  it.each<[string, string, object]>([
    ['a word', 'tls: auto', { tls: 'auto', forceHttps: true }],
    ['a word that YAML could read otherwise', 'tls: off', { tls: 'off', forceHttps: false }],
    [
      'a mode beside how targets are spoken to',
      'tls: { mode: auto, verify: false }\nforce_https: false',
      { tls: 'auto', forceHttps: false },
    ],
    ['files', 'tls: { cert: a.pem, key: /b.pem }', { tls: 'manual', forceHttps: true }],
    [
      'what browsers remember, and where they are led',
      'tls: auto\nhsts: 365d\ncanonical_host: Shop.Test',
      { tls: 'auto', forceHttps: true, hstsSeconds: 31_536_000, canonicalHost: 'shop.test' },
    ],
    [
      'a year of HSTS without TLS of ours',
      'hsts: true',
      { tls: 'off', forceHttps: false, hstsSeconds: 31_536_000 },
    ],
  ])('F1 F13 reads how clients come from %s', (_what, lines, ingress) => {
    const yaml = `service: shop\nhosts: [shop.test]\ntarget_url: http://a\n${lines}\n`
    expect(released(yaml, 'spec.yml').release.ingress).toEqual(ingress)
  })

  it('means the files of a certificate from the folder of the spec, and leaves targets as they were', () => {
    const yaml = `service: shop\nhosts: [shop.test]\ntarget_url: https://a\ntls: { cert: a.pem, key: /b.pem, client_ca: ../ca.pem }`
    const { files, release } = released(yaml, 'spec.yml')
    expect(files).toEqual({
      bundle: { cert: '/srv/app/a.pem', key: '/b.pem' },
      clientCa: '/srv/ca.pem',
    })
    expect(release).not.toHaveProperty('tls')
    expect(released(minimal).release).not.toHaveProperty('ingress')
  })

  it('reads sizes, statuses and the other limits', () => {
    const yaml = `
service: shop
hosts: [default]
target_url: https://a
host_header: target
health: { status: 204, method: HEAD, host: probe.test, rise: 1, fall: 5, require: any }
limits: { max_request_body: 10MiB, response_timeout: 1m30s, max_connections: 8, maxQueue: 0, max_websocket_message: 64KiB }
`
    expect(released(yaml, 'spec.yml').release).toMatchObject({
      hosts: ['default'],
      targets: [{ url: 'https://a:443' }],
      hostHeader: 'target',
      health: {
        statusMin: 204,
        statusMax: 204,
        method: 'HEAD',
        host: 'probe.test',
        require: 'any',
      },
      limits: {
        requestBytesMax: 10_485_760,
        responseMs: 90_000,
        connectionsMax: 8,
        queueMax: 0,
        webSocketMessageBytesMax: 65_536,
      },
    })
  })
})
