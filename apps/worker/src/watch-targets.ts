/**
 * The job behind ejection: every turn tries each target of an active release once, and reports those
 * that cross a threshold. Which targets are ejected is read from the state, so a report that got lost
 * is made again by the next turn.
 */
import { releaseOf, type Gateway, type Job, type KnownRelease } from '@gatehouse/domain'
import { probe, type Probe } from './probe.ts'
import type { QueuedJob, Turn } from './queued-job.ts'
import type { Report } from './report.ts'
import { countAttempt, crossingOf, targetCounts, type TargetCounts } from './target-counts.ts'

export const watchTargets = async (
  job: Extract<Job, { type: 'WatchTargets' }>,
  queued: QueuedJob,
  gateway: Gateway,
  report: Report,
  signal: AbortSignal,
): Promise<Turn> => {
  const service = gateway.services.get(job.service)
  const known = service && releaseOf(service, job.revision)
  if (known === undefined) return { kind: 'done' }
  const { health, targets, hosts, tls } = known.release
  const read = targetCounts.safeParse(queued.progress)
  const before = read.success ? read.data : {}

  const after: TargetCounts = {}
  const attempts = await Promise.all(
    targets.map(async (target) => {
      const result = await probe({ target, health, hosts, tls, withinMs: health.attemptMs, signal })
      return { url: target.url, result }
    }),
  )
  // A turn that was called off has seen nothing; the next one counts on from where this one began.
  if (signal.aborted) return { kind: 'again', afterMs: 0, progress: before }
  for (const { url, result } of attempts) {
    after[url] = countAttempt(before[url] ?? 0, result.kind === 'passed', health)
    const crossing = crossingOf(after[url], isEjected(gateway, job, url), health)
    if (crossing === undefined) continue
    const { service: name, revision } = job
    await report(
      {
        type: 'ReportTarget',
        service: name,
        revision,
        target: url,
        health: crossing === 'up' ? { kind: 'up' } : { kind: 'down', reason: reasonOf(result) },
      },
      queued,
    )
  }
  return { kind: 'again', afterMs: health.intervalMs, progress: after }
}

/** Asked anew for each target: the state has moved on while the targets were tried. */
const isEjected = (
  gateway: Gateway,
  { service, revision }: Extract<Job, { type: 'WatchTargets' }>,
  url: string,
): boolean => releaseAt(gateway, service, revision)?.ejected.includes(url) ?? false

const releaseAt = (gateway: Gateway, name: string, revision: number): KnownRelease | undefined => {
  const service = gateway.services.get(name)
  return service === undefined ? undefined : releaseOf(service, revision)
}

const reasonOf = (result: Probe): string => ('reason' in result ? result.reason : 'it failed')
