import { describe, expect, it } from 'vitest'
import { parseSpec } from '../spec/spec-file.ts'
import { toRelease } from '../spec/to-release.ts'
import { fieldsOfFlags, withFlags, withService, type DeployOptions } from './deploy-flags.ts'

const common = { wait: true, timeout: 1, color: false } as const
const context = { from: '', newId: () => 'new' }
const flags = (options: Omit<DeployOptions, keyof typeof common>) =>
  fieldsOfFlags({ ...common, ...options }, '/home/me')

describe('flags of deploy', () => {
  it('A1 make a release without any file, in the words of kamal-proxy', () => {
    const given = flags({
      target: ['web-1:3000,http://web-2:3000', 'unix:app.sock'],
      host: ['Shop.test,*.shop.test'],
      healthCheckPath: '/ok',
      healthCheckInterval: '500ms',
      healthCheckTimeout: '2s',
      deployTimeout: '1m',
      drainTimeout: 'infinity',
      targetTimeout: '10s',
      maxRequestBody: '1MiB',
      metadata: ['version=1', 'note=a=b'],
      force: true,
    })
    expect(toRelease(withService(given, 'shop'), context)).toMatchObject({
      service: 'shop',
      release: {
        id: 'new',
        hosts: ['shop.test', '*.shop.test'],
        targets: [
          { url: 'http://web-1:3000' },
          { url: 'http://web-2:3000' },
          { url: 'unix:/home/me/app.sock' },
        ],
        health: { path: '/ok', intervalMs: 500, attemptMs: 2_000, timeoutMs: 60_000, skip: true },
        drainMs: 'infinity',
        limits: { responseMs: 10_000, requestBytesMax: 1_048_576 },
        metadata: { version: '1', note: 'a=b' },
      },
    })
  })

  it('win over the fields of a file, and add to its labels', () => {
    const file = parseSpec(
      '{"service": "shop", "hosts": ["a.test"], "target_url": "http://a:1", "health_path": "/a", "metadata": {"a": "1", "b": "1"}}',
      'spec.json',
      '/',
    )
    const given = withFlags(
      file,
      flags({ healthCheckPath: '/b', metadata: ['b=2'], host: ['b.test'] }),
    )
    expect(toRelease(given, { ...context, from: 'spec.json' })).toMatchObject({
      release: { hosts: ['b.test'], health: { path: '/b' }, metadata: { a: '1', b: '2' } },
    })
  })

  it('are named as they were typed when they are wrong', () => {
    const given = flags({
      target: ['nowhere'],
      host: ['a b'],
      deployTimeout: 'soon',
      metadata: ['x'],
    })
    expect(toRelease(withService(given, 'shop'), context)).toEqual({
      problems: [
        '--metadata: found "x"; expected key=value',
        '--host: "a b" is not a valid host name',
        '--target: "nowhere" is not a URL; expected http://host:port or unix:/path',
        '--deploy-timeout: found "soon"; expected milliseconds or a duration such as "5s", "1m30s" or "250ms"',
      ],
    })
  })

  it('are asked for when nothing says what to deploy', () => {
    expect(toRelease(flags({}), context)).toEqual({
      problems: [
        'SERVICE is missing; expected a service name such as "shop"',
        '--host is missing; expected a list of host names such as ["app.example.com"]; "default" answers every host',
        '--target is missing; expected where the release listens, such as "http://10.0.0.5:3000"',
      ],
    })
  })
})
