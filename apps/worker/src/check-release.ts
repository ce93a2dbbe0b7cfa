/** The job behind a deploy and a switch: put the candidate through its health gate and report. */
import { releaseOf, type Gateway, type Job } from '@gatehouse/domain'
import { gateProgress, newGate, runGate } from './health-gate.ts'
import type { QueuedJob, Turn } from './queued-job.ts'
import type { Report } from './report.ts'

export const checkRelease = async (
  job: Extract<Job, { type: 'CheckRelease' }>,
  queued: QueuedJob,
  gateway: Gateway,
  report: Report,
  signal: AbortSignal,
): Promise<Turn> => {
  const service = gateway.services.get(job.service)
  const known = service && releaseOf(service, service.candidate?.revision)
  if (known === undefined) return { kind: 'done' }
  const before = gateProgress.safeParse(queued.progress)
  const result = await runGate(known.release, before.success ? before.data : newGate, signal)
  switch (result.kind) {
    case 'interrupted':
      return { kind: 'again', afterMs: 0, progress: result.progress }
    case 'finished': {
      const { service: name, generation } = job
      const { outcome } = result
      await report({ type: 'ReportHealth', service: name, generation, outcome }, queued)
      return { kind: 'done' }
    }
  }
}
