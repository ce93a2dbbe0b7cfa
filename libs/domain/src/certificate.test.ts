import { describe, expect, it } from 'vitest'
import type { CertificateFacts } from './certificate-event.ts'
import { renewalsDue } from './certificate-need.ts'
import { namesCover, servedOf } from './certificate.ts'
import type { Command } from './command.ts'
import type { Ingress } from './ingress.ts'
import { outstanding } from './reactions.ts'
import { scopesOf } from './scopes.ts'
import { deploy, given, passed, release, type Past } from './testing.ts'

const ingress: Ingress = { tls: 'auto', forceHttps: true }
const web = release('blue', { hosts: ['app.example', '*.app.example', 'default'], ingress })
const names = ['app.example', '*.app.example']
const facts: CertificateFacts = {
  names,
  fingerprint: 'a'.repeat(64),
  serial: '01',
  issuer: 'An Authority',
  notBefore: 0,
  notAfter: 90,
}
const other = { ...facts, fingerprint: 'b'.repeat(64) }

const issued = (generation: number, more: Partial<CertificateFacts> = {}): Command => ({
  type: 'ReportCertificate',
  certificate: 'web',
  generation,
  outcome: { kind: 'issued', renewAt: 60, ...facts, ...more },
})
const failed = (generation: number, retryAt?: number): Command => ({
  type: 'ReportCertificate',
  certificate: 'web',
  generation,
  outcome: { kind: 'failed', reason: 'no address', ...(retryAt === undefined ? {} : { retryAt }) },
})
const request: Command = { type: 'RequestCertificate', certificate: 'web', reason: 'command' }
const renewal: Command = { ...request, reason: 'renewal' }
const imported: Command = { type: 'ImportCertificate', certificate: 'web', ...facts }
const revoke: Command = { type: 'RevokeCertificate', certificate: 'web', reason: 'keyCompromise' }

/** A service whose certificate is ordered under number 2. */
const active: readonly Past[] = [deploy('web', web), passed('web', 1)]
const certified: readonly Past[] = [...active, issued(2)]

describe('a release that has the gateway see to its certificate', () => {
  it('F5 orders it in the instant in which it becomes active, for all hosts that have a name', () => {
    given(deploy('web', web))
      .when(passed('web', 1))
      .recordsTypes('ReleasePassed', 'ReleaseActivated', 'CertificateRequested')
    const { gateway, events } = given(...active)
    expect(events.at(-1)).toEqual({
      type: 'CertificateRequested',
      certificate: 'web',
      names,
      generation: 2,
      reason: 'deploy',
    })
    expect(outstanding(gateway)).toContainEqual({
      type: 'OrderCertificate',
      certificate: 'web',
      generation: 2,
    })
  })

  it('F8 orders none while it has one for its hosts, or one is on its way', () => {
    const green = deploy('web', { ...web, id: 'green', hosts: ['app.example', 'a.app.example'] })
    for (const past of [active, certified]) {
      given(...past, green)
        .when(passed('web', 3))
        .recordsTypes('ReleasePassed', 'ReleaseActivated', 'DrainStarted')
    }
  })

  it('F6 orders one for all hosts when one more comes', () => {
    const green = { ...web, id: 'green', hosts: ['app.example', 'new.example'] }
    const { gateway } = given(...certified, deploy('web', green), passed('web', 3))
    expect(gateway.certificates.get('web')).toMatchObject({
      current: { names },
      order: { names: ['app.example', 'new.example'], generation: 4 },
    })
  })

  it('gives the order up when the service goes, or asks for none any more', () => {
    given(...active)
      .when({ type: 'Remove', service: 'web' })
      .recordsTypes('DrainStarted', 'ServiceRemoved', 'CertificateFailed')
    given(...active, deploy('web', release('green')))
      .when(passed('web', 3))
      .recordsTypes('ReleasePassed', 'ReleaseActivated', 'DrainStarted', 'CertificateFailed')
    expect(outstanding(given(...active, { type: 'Remove', service: 'web' }).gateway)).toEqual([
      { type: 'WatchDrain', service: 'web', generation: 3 },
    ])
  })

  it.each([
    ['no host with a name', ['default'], 'tls'],
    ['an address', ['app.example', '10.0.0.1'], 'hosts[1]'],
    ['an IPv6 address', ['[::1]'], 'hosts[0]'],
  ])('is refused with %s', (_what, hosts, field) => {
    const { decision } = given().when(deploy('web', release('blue', { hosts, ingress })))
    expect(decision).toMatchObject({ rejected: { reason: 'invalid', field } })
  })
})

describe('a release that brings its certificate', () => {
  const manual = { ...web, ingress: { ...ingress, tls: 'manual' as const } }

  it('F1 imports it in the same append, and needs none once it has one', () => {
    given()
      .when(deploy('web', manual, { bundle: facts }))
      .recordsTypes('ReleaseDeclared', 'CertificateImported')
    given(imported).when(deploy('web', manual)).recordsTypes('ReleaseDeclared')
  })

  it.each([
    ['none', manual, {}, /no certificate was imported/],
    [
      'one for other hosts',
      manual,
      { bundle: { ...facts, names: ['app.example'] } },
      /covers? .*host \*\.app\.example/,
    ],
    ['one that it does not ask for', web, { bundle: facts }, /is not manual/],
  ])('is refused with %s', (_what, what, more, problem) => {
    const { decision } = given().when(deploy('web', what, more))
    expect('rejected' in decision && decision.rejected).toMatchObject({
      reason: 'invalid',
      problem: expect.stringMatching(problem),
    })
  })
})

describe('a report on an order', () => {
  it('F10 is heard once, and not when another order has taken its place', () => {
    given(...certified)
      .when(issued(2, other))
      .recordsNothing()
    given(...active, failed(2))
      .when(issued(2))
      .recordsNothing()
    const anew: Command = { ...request, names: [...names, 'x.example'] }
    given(...active, anew)
      .when(issued(2))
      .recordsNothing()
    given(...active, { type: 'ImportCertificate', certificate: 'web', ...other })
      .when(issued(2))
      .recordsNothing()
  })

  it('F11 counts its attempts and keeps the order while there is a next one', () => {
    const { gateway } = given(...active, failed(2, 70), failed(2, 80))
    expect(gateway.certificates.get('web')?.order?.failure).toEqual({
      reason: 'no address',
      attempts: 2,
      retryAt: 80,
    })
    expect(outstanding(gateway)).toHaveLength(1)
    expect(outstanding(given(...active, failed(2, 70), failed(2)).gateway)).toEqual([])
  })

  it('F4 publishes each challenge once, and leaves none when the order ends', () => {
    const challenge = {
      kind: 'http-01',
      host: 'app.example',
      token: 't',
      keyAuthorization: 't.k',
    } as const
    const published: Command = {
      type: 'ReportChallenge',
      certificate: 'web',
      generation: 2,
      change: { kind: 'published', challenges: [challenge] },
    }
    given(...active)
      .when(published)
      .recordsTypes('ChallengePublished')
    given(...active, published)
      .when(published)
      .recordsNothing()
    const withdrawn: Command = { ...published, change: { kind: 'withdrawn' } }
    given(...active, published)
      .when(withdrawn)
      .recordsTypes('ChallengesWithdrawn')
    given(...active)
      .when(withdrawn)
      .recordsNothing()
    const { gateway } = given(...active, published, failed(2, 70))
    expect(gateway.certificates.get('web')?.order?.challenges).toEqual([])
  })

  it('is refused with a certificate for other names than were ordered', () => {
    given(...active)
      .when(issued(2, { names: ['app.example'] }))
      .isRejected('invalid')
  })
})

describe('a renewal', () => {
  it('F7 F8 is due from its time on, once, and while somebody has a use for it', () => {
    const { gateway } = given(...certified)
    expect(renewalsDue(gateway, 59)).toEqual([])
    expect(renewalsDue(gateway, 60).map(({ name }) => name)).toEqual(['web'])
    expect(renewalsDue(given(...certified, renewal).gateway, 60)).toEqual([])
    const removed = given(...certified, { type: 'Remove', service: 'web' })
    expect(renewalsDue(removed.gateway, 60)).toEqual([])
    removed.when(renewal).recordsNothing()
  })

  it('F10 is ordered by one of two workers that find it due, and not for what was just renewed', () => {
    given(...certified, renewal)
      .when(renewal)
      .recordsNothing()
    given(...certified)
      .when({ ...renewal, renews: other.fingerprint })
      .recordsNothing()
    given(...certified)
      .when({ ...renewal, renews: facts.fingerprint })
      .recordsTypes('CertificateRequested')
  })

  it('O6 replaces what somebody brought for a service that the gateway sees to, before it is over', () => {
    const { gateway } = given(...active, imported)
    expect(renewalsDue(gateway, 59)).toEqual([])
    expect(renewalsDue(gateway, 60)).toHaveLength(1)
    expect(renewalsDue(given(imported).gateway, 1_000)).toEqual([])
  })

  it('is not tried over and over when it was given up, until somebody asks', () => {
    const past = [...certified, renewal, failed(3)]
    expect(renewalsDue(given(...past).gateway, 1_000)).toEqual([])
    given(...past)
      .when(renewal)
      .recordsNothing()
    given(...past)
      .when(request)
      .recordsTypes('CertificateRequested')
  })
})

describe('what people ask of certificates', () => {
  it('O6 serves what is imported at once, and an order that was under way ends', () => {
    const { gateway } = given(...active, imported)
    const certificate = gateway.certificates.get('web')
    expect(certificate?.order).toBeUndefined()
    expect(certificate && servedOf(certificate)).toEqual({ names, fingerprint: facts.fingerprint })
    given(...active, imported)
      .when(imported)
      .recordsNothing()
  })

  it.each([
    ['no fingerprint', { fingerprint: 'AB:CD' }],
    ['no names', { names: [] }],
    ['no time', { notAfter: 0 }],
    ['a host of its service missing', { names: ['app.example'] }],
    ['a name that is none', { certificate: '../etc' }],
  ])('O6 refuses an import with %s', (_what, wrong) => {
    given(...active)
      .when({ type: 'ImportCertificate', certificate: 'web', ...facts, ...wrong })
      .isRejected('invalid')
  })

  it('O6 revokes: another is ordered while the old one serves, and its authority is told', () => {
    given(...certified)
      .when(revoke)
      .recordsTypes('CertificateRevoked', 'CertificateRequested')
    const { gateway } = given(...certified, revoke)
    const certificate = gateway.certificates.get('web')
    expect(certificate && servedOf(certificate)).toMatchObject({ fingerprint: facts.fingerprint })
    expect(outstanding(gateway).map(({ type }) => type)).toEqual([
      'OrderCertificate',
      'RevokeCertificate',
    ])
    given(...certified, revoke)
      .when(revoke)
      .recordsNothing()
    given(...active)
      .when(revoke)
      .isRejected('nothing-to-revoke')
    given().when(revoke).isRejected('unknown-certificate')
  })

  it('O6 takes a revoked file of somebody out at once, for nothing replaces it', () => {
    const { gateway } = given(imported, revoke)
    const certificate = gateway.certificates.get('web')
    expect(certificate && servedOf(certificate)).toBeUndefined()
    given(imported).when(revoke).recordsTypes('CertificateRevoked')
  })

  it('removes what no service needs', () => {
    const remove: Command = { type: 'RemoveCertificate', certificate: 'web' }
    given(...certified)
      .when(remove)
      .isRejected('certificate-needed')
    given(imported).when(remove).recordsTypes('CertificateRemoved')
    expect(given(imported, remove).gateway.certificates.size).toBe(0)
  })

  it('orders for a service, for names, and not again what is under way', () => {
    given(...active)
      .when(request)
      .recordsNothing()
    given(...active, failed(2, 70))
      .when(request)
      .recordsTypes('CertificateRequested')
    given().when(request).isRejected('unknown-certificate')
    given()
      .when({ ...request, names: ['x.example'] })
      .recordsTypes('CertificateRequested')
    given()
      .when({ ...request, names: ['10.0.0.1'] })
      .isRejected('invalid')
    given(...active)
      .when({ ...request, names: ['x.example'] })
      .isRejected('invalid')
    given(imported).when(request).isRejected('certificate-imported')
  })

  it('O5 orders once at the first request', () => {
    const first: Command = {
      type: 'RequestCertificate',
      certificate: 'new.example',
      reason: 'on-demand',
      names: ['new.example'],
    }
    given().when(first).recordsTypes('CertificateRequested')
    given(first).when(first).recordsNothing()
  })
})

describe('the scopes of a certificate', () => {
  const scopesFor = (command: Command, past: readonly Past[]): readonly string[] => {
    const { gateway, when } = given(...past)
    const { decision } = when(command)
    return 'accepted' in decision ? scopesOf(command, decision.accepted, gateway).toSorted() : []
  }

  it('F10 name it where a report or an activation reads it, so that two orders at once are one', () => {
    expect(scopesFor(issued(2), active)).toEqual(['certificate:web'])
    expect(scopesFor(passed('web', 1), [deploy('web', web)])).toContain('certificate:web')
    const again = [...certified, deploy('web', { ...web, id: 'green' })]
    expect(scopesFor(passed('web', 3), again)).toContain('certificate:web')
    expect(scopesFor(passed('web', 1), [deploy('web', release('plain'))])).not.toContain(
      'certificate:web',
    )
  })

  it('F10 name the service where its use for the certificate decides', () => {
    for (const command of [renewal, revoke]) {
      expect(scopesFor(command, certified)).toEqual(['certificate:web', 'service:web'])
    }
  })
})

describe('the names of a certificate', () => {
  it.each([
    ['app.example', true],
    ['a.app.example', true],
    ['a.b.app.example', false],
    ['*.app.example', true],
    ['*.a.app.example', false],
    ['other.example', false],
    ['example', false],
  ])('F3 cover %s: %s, since a wildcard is one label', (host, covers) => {
    expect(namesCover(names, host)).toBe(covers)
  })
})
