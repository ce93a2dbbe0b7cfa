/**
 * The health gate of a candidate: every target is tried again and again, all of them side by side,
 * until it passes or the gate's time is over. A target that passed once has passed.
 *
 * With `require: any` one healthy target is enough, but the others get the whole time too: a target
 * that starts a moment later than its sibling would otherwise begin its life ejected.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type { HealthOutcome, Release, Target } from '@gatehouse/domain'
import { z } from 'zod'
import { probe, type ProbeFailure } from './probe.ts'

/** What a gate that moves to another worker takes along. A gate whose worker was killed starts anew. */
export type GateProgress = z.infer<typeof gateProgress>

const targetProgress = z.object({
  attempts: z.number(),
  passed: z.boolean(),
  failure: z
    .object({
      reason: z.string(),
      status: z.number().exactOptional(),
      excerpt: z.string().exactOptional(),
    })
    .exactOptional(),
})

export const gateProgress = z.object({
  /** Time that earlier workers have spent on the gate. */
  spentMs: z.number(),
  /** By target URL. */
  targets: z.record(z.string(), targetProgress),
})

export const newGate: GateProgress = { spentMs: 0, targets: {} }

export type GateResult =
  | { readonly kind: 'finished'; readonly outcome: HealthOutcome }
  /** The signal ended it: the rest is somebody else's, or nobody's. */
  | { readonly kind: 'interrupted'; readonly progress: GateProgress }

interface TargetRun {
  readonly target: Target
  attempts: number
  passed: boolean
  /** Of the last attempt that had its full time, or of the first one when none had. */
  failure: ProbeFailure | undefined
}

/** Takes at most `health.timeoutMs` in all, however many workers it passes through. */
export const runGate = async (
  release: Release,
  before: GateProgress,
  signal: AbortSignal,
): Promise<GateResult> => {
  const startMs = performance.now() - before.spentMs
  const tookMs = (): number => Math.round(performance.now() - startMs)
  const remainingMs = (): number => release.health.timeoutMs - (performance.now() - startMs)
  const runs = release.targets.map((target) => resume(target, before))
  await Promise.all(runs.map((run) => tryUntilPassed(run, release, remainingMs, signal)))
  const healthy = runs.every((run) => run.passed)
  // The time may be over in the same moment as the signal comes: a result that is there is reported.
  if (signal.aborted && !healthy && remainingMs() > 0) {
    return { kind: 'interrupted', progress: progressOf(runs, tookMs()) }
  }
  return { kind: 'finished', outcome: outcomeOf(runs, release.health.require, tookMs()) }
}

/** One target, until it passed, the gate's time is over, or the signal comes. */
const tryUntilPassed = async (
  run: TargetRun,
  release: Release,
  remainingMs: () => number,
  signal: AbortSignal,
): Promise<void> => {
  const { health, hosts, tls } = release
  while (!run.passed) {
    const withinMs = remainingMs()
    if (withinMs <= 0 || signal.aborted) return
    const result = await probe({ target: run.target, health, hosts, tls, withinMs, signal })
    switch (result.kind) {
      case 'passed':
        run.attempts += 1
        run.passed = true
        return
      case 'failed':
        run.attempts += 1
        run.failure = failureOf(result)
        break
      case 'cut':
        run.attempts += 1
        // It had less time than an attempt may take, so an earlier answer says more than this silence.
        run.failure ??= failureOf(result)
        return
      case 'aborted':
        return
    }
    await pause(Math.min(health.intervalMs, Math.max(0, remainingMs())), signal)
  }
}

const failureOf = ({ reason, status, excerpt }: ProbeFailure): ProbeFailure => ({
  reason,
  ...(status === undefined ? {} : { status }),
  ...(excerpt === undefined ? {} : { excerpt }),
})

const pause = async (ms: number, signal: AbortSignal): Promise<void> => {
  try {
    await wait(ms, undefined, { signal })
  } catch {
    // Only the signal ends it early, and the loop asks the signal next.
  }
}

const resume = (target: Target, before: GateProgress): TargetRun => {
  const { attempts, passed, failure } = before.targets[target.url] ?? { attempts: 0, passed: false }
  return { target, attempts, passed, failure }
}

const progressOf = (runs: readonly TargetRun[], spentMs: number): GateProgress => ({
  spentMs,
  targets: Object.fromEntries(
    runs.map(({ target, attempts, passed, failure }) => [
      target.url,
      { attempts, passed, ...(failure === undefined ? {} : { failure }) },
    ]),
  ),
})

/** Of several targets that failed, the first in the release's order is named. */
const outcomeOf = (
  runs: readonly TargetRun[],
  require: 'all' | 'any',
  tookMs: number,
): HealthOutcome => {
  const failing = runs.filter((run) => !run.passed)
  const [first] = failing
  if (first === undefined || (require === 'any' && failing.length < runs.length)) {
    const attempts = Math.max(...runs.map((run) => run.attempts))
    return { kind: 'passed', attempts, tookMs, failing: failing.map(({ target }) => target.url) }
  }
  const { target, attempts, failure } = first
  const { reason, ...details } = failure ?? { reason: `${target.url} was not tried in time` }
  return { kind: 'failed', target: target.url, reason, ...details, attempts, tookMs }
}
