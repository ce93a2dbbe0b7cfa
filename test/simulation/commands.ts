/**
 * What people ask for, at random, in a world so small that they get in each other's way all the time:
 * three services, six hosts, a handful of release ids in two definitions each.
 */
import { type Command, type Job, type Release, type Gateway, type Service } from '@gatehouse/domain'
import { deploy, release } from '@gatehouse/domain/testing'
import {
  someBundle,
  someCertificateCommand,
  someCertificateReport,
} from './certificate-commands.ts'
import { type Random } from './random.ts'

const SERVICES = ['web', 'api', 'docs'] as const
const HOSTS = ['a.test', 'b.test', 'c.test', '*.test', '*.b.test', 'default'] as const
const RELEASE_IDS = 20

/** How often what happens in one history: with one mood for all, what is rare would never meet. */
export interface Mood {
  readonly services: readonly string[]
  readonly stage: number
  readonly takeOver: number
  readonly skip: number
  readonly healthy: number
  /** How often a release wants hosts that belong to others. */
  readonly greed: number
  /** How often somebody asks for a certificate, and how often a release wants one. */
  readonly certificates: number
}

export const someMood = (random: Random): Mood => ({
  services: SERVICES.slice(0, 1 + random.below(SERVICES.length)),
  stage: random.pick([0.1, 0.1, 0.6]),
  takeOver: random.pick([0.05, 0.25, 0.5]),
  skip: random.pick([0, 0.25, 0.5]),
  healthy: random.pick([0.3, 0.7, 0.9]),
  greed: random.pick([0.2, 0.5, 0.9]),
  certificates: random.pick([0, 0.1, 0.4]),
})

export const someCommand = (random: Random, mood: Mood, gateway: Gateway): Command => {
  const service = random.pick(mood.services)
  const known = gateway.services.get(service)
  const version = known?.version ?? 0
  const expected = random.chance(0.1) ? { expectVersion: version - random.below(2) } : {}
  const kind = random.below(100)
  if (random.chance(mood.certificates)) return someCertificateCommand(random, service, gateway)
  if (kind < 45) {
    const wanted = someRelease(random, mood, service)
    return deploy(service, wanted, {
      stage: random.chance(mood.stage),
      takeOver: random.chance(mood.takeOver),
      ifAbsent: random.chance(0.05),
      ...(wanted.ingress?.tls === 'manual' ? { bundle: someBundle(random) } : {}),
      ...expected,
    })
  }
  if (kind < 62) return { type: 'Switch', service, release: someId(random, known), ...expected }
  if (kind < 72) {
    const to = random.chance(0.3) ? { to: someId(random, known) } : {}
    return { type: 'Rollback', service, ...to, ...expected }
  }
  if (kind < 80) {
    const named = random.chance(0.5) ? { release: someId(random, known) } : {}
    const drainMs = random.chance(0.5)
      ? { drainMs: random.pick([1_000, 9_000, 'infinity'] as const) }
      : {}
    return { type: 'Drain', service, ...named, ...drainMs, ...expected }
  }
  if (kind < 86) return { type: 'Pause', service, holdMs: 1_000 * random.below(3), ...expected }
  if (kind < 91) return { type: 'Resume', service, ...expected }
  if (kind < 95) return { type: 'Stop', service, message: 'back soon', ...expected }
  return { type: 'Remove', service, ...expected }
}

/** What a worker finds out about a job, at random. */
export const someReport = (random: Random, mood: Mood, job: Job, gateway: Gateway): Command => {
  if ('certificate' in job) return someCertificateReport(random, mood.healthy, job, gateway)
  const { service } = job
  switch (job.type) {
    case 'CheckRelease': {
      const outcome = random.chance(mood.healthy)
        ? { kind: 'passed' as const, attempts: 1, tookMs: 7, failing: someFailing(random) }
        : { kind: 'failed' as const, target: 't', reason: 'refused', attempts: 3, tookMs: 9 }
      return { type: 'ReportHealth', service, generation: job.generation, outcome }
    }
    case 'WatchDrain': {
      const outcome = random.chance(0.7)
        ? { kind: 'drained' as const, unreachable: [] }
        : { kind: 'timed-out' as const, cut: 1 + random.below(9), unreachable: ['proxy-2'] }
      return { type: 'ReportDrain', service, generation: job.generation, outcome }
    }
    case 'WatchTargets': {
      const known = gateway.services.get(service)?.releases
      const targets = known?.find((each) => each.revision === job.revision)?.release.targets ?? []
      const target = random.pick([...targets.map(({ url }) => url), 'http://nobody.internal:1'])
      const health = random.chance(0.5)
        ? { kind: 'up' as const }
        : { kind: 'down' as const, reason: 'refused' }
      return { type: 'ReportTarget', service, revision: job.revision, target, health }
    }
  }
}

const someFailing = (random: Random): readonly string[] =>
  random.chance(0.2) ? ['http://one.internal:1'] : []

/** Mostly a release that is known, and one of the oldest as often as any other. */
const someId = (random: Random, known: Service | undefined): string => {
  const [oldest] = known?.releases ?? []
  if (known === undefined || oldest === undefined || random.chance(0.2)) return anyId(random)
  return (random.chance(0.3) ? oldest : random.pick(known.releases)).release.id
}

const anyId = (random: Random): string => `r${random.below(RELEASE_IDS)}`

const someRelease = (random: Random, mood: Mood, service: string): Release => {
  const id = anyId(random)
  const place = SERVICES.findIndex((each) => each === service)
  const own = HOSTS.filter((_, index) => index % SERVICES.length === place)
  const wanted = random.chance(mood.greed) ? HOSTS.filter(() => random.chance(0.4)) : own
  return release(id, {
    hosts: wanted.length === 0 ? own : wanted,
    targets: random.chance(0.5)
      ? [{ url: 'http://one.internal:1' }, { url: 'http://two.internal:2' }]
      : [{ url: 'http://one.internal:1' }],
    health: { ...release(id).health, skip: random.chance(mood.skip) },
    ...(random.chance(mood.certificates * 2)
      ? {
          ingress: {
            tls: random.pick(['auto', 'auto', 'manual', 'off'] as const),
            forceHttps: true,
          },
        }
      : {}),
  })
}
