import { expect, it } from 'vitest'
import { guide } from './guide.ts'

const settings = {
  dataDir: '/srv/gatehouse/.gatehouse',
  fleet: 'main',
  name: 'proxy',
  redisUrl: undefined,
  listen: { host: '0.0.0.0', port: 8_080 },
  listenTls: { host: '127.0.0.1', port: 8_443 },
  listenTlsIsDefault: true,
  ownCertificate: false,
  admin: { host: '127.0.0.1', port: 9_900 },
  proxies: 2,
  stopGraceMs: 30_000,
  example: true,
}
const release = { label: 'green', port: 4_002, spec: '/srv/gatehouse/examples/green.json' } as const
const example = { blue: { ...release, label: 'blue' }, green: release } as const

it('the guide has lines that can be copied, with the ports that are in use', () => {
  const text = guide({ settings, redis: { kind: 'private' }, example, cwd: '/srv/gatehouse' })
  expect(text).toContain(
    'Gatehouse is up: 2 proxies on http://127.0.0.1:8080 and https://127.0.0.1:8443, a worker, a private Redis',
  )
  expect(text).toContain("curl -H 'Host: hello.localhost' http://127.0.0.1:8080/")
  expect(text).toContain('curl --cacert .gatehouse/tls/ca.pem https://hello.localhost:8443/')
  expect(text).toContain('npm run cmd -- deploy examples/green.json')
  expect(text).toContain('Logs: .gatehouse/logs/*.log')
})

it('the guide speaks of no example where there is none', () => {
  const text = guide({ settings, redis: { kind: 'given' }, example: undefined, cwd: '/elsewhere' })
  expect(text).not.toContain('hello')
  expect(text).toContain('the Redis of GATEHOUSE_REDIS_URL')
  expect(text).toContain('Logs: /srv/gatehouse/.gatehouse/logs/*.log')
})
