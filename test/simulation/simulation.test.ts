import { type GatewayEvent } from '@gatehouse/domain'
import { describe, expect, it } from 'vitest'
import { readSimulationConfig } from './config.ts'
import { createRandom } from './random.ts'
import { createWorld, type World } from './world.ts'

const { seed, rounds } = readSimulationConfig()
const STEPS_PER_ROUND = 1_000
const EVENTS_SHOWN = 15
/** A hundred rounds take a few seconds; who asks for more has to get the time for them. */
const TIMEOUT_MS = 10_000 + rounds * 200

/** Runs one history; what breaks is told with its seed, its step and the events that led to it. */
const runRound = (roundSeed: number): World => {
  const world = createWorld(createRandom(roundSeed))
  let steps = 0
  try {
    for (; steps < STEPS_PER_ROUND; steps += 1) world.step()
    world.settle()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const last = world.events.slice(-EVENTS_SHOWN).map(shortOf)
    throw new Error(
      `${reason}\nRepeat it with SIMULATION_SEED=${roundSeed} SIMULATION_ROUNDS=1; step ${steps}, position ${world.events.length}, after\n${last.join('\n')}`,
      { cause },
    )
  }
  return world
}

/** An event on one line, a declared release by its name and hosts. */
const shortOf = (event: GatewayEvent): string =>
  event.type === 'ReleaseDeclared'
    ? JSON.stringify({ ...event, release: event.release.id, hosts: event.release.hosts })
    : JSON.stringify(event)

describe(`a fleet in ${rounds} random histories from seed ${seed}`, () => {
  it(
    'A7 A14 A16 A17 A18 A24 L4 L10 M13 keeps every invariant through late, repeated and lost reports, stale decisions and restarts',
    () => {
      const seen = new Set<string>()
      let conflicts = 0
      for (let round = 0; round < rounds; round += 1) {
        const world = runRound(seed + round)
        conflicts += world.counts.conflicts
        for (const event of world.events) {
          seen.add(event.type)
          if (event.type === 'ReleaseActivated' && event.takenOver.length > 0) seen.add('take-over')
          if (event.type === 'ReleaseFailed') seen.add(event.failure.kind)
          if (event.type === 'DrainEnded') seen.add(event.outcome.kind)
        }
      }
      if (rounds < 20) return
      // A world in which nothing happens keeps every invariant: these are what has to happen.
      expect([...seen].toSorted()).toEqual(EVERYTHING)
      expect(conflicts).toBeGreaterThan(rounds)
    },
    TIMEOUT_MS,
  )

  it('gives the same history for the same seed', () => {
    expect(runRound(seed).events).toEqual(runRound(seed).events)
  })
})

const EVERYTHING = [
  'CertificateFailed',
  'CertificateImported',
  'CertificateIssued',
  'CertificateRemoved',
  'CertificateRequested',
  'CertificateRevoked',
  'ChallengePublished',
  'ChallengesWithdrawn',
  'DrainEnded',
  'DrainStarted',
  'ReleaseActivated',
  'ReleaseDeclared',
  'ReleaseFailed',
  'ReleasePassed',
  'ReleaseSuperseded',
  'RevocationEnded',
  'ServicePaused',
  'ServiceRemoved',
  'ServiceResumed',
  'ServiceStopped',
  'SwitchRequested',
  'TargetEjected',
  'TargetRestored',
  'cancelled',
  'drained',
  'host-taken',
  'take-over',
  'timed-out',
  'unhealthy',
]
