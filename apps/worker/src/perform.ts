/** One turn of a job, whatever its type: first whether it may be taken here and now, then the job. */
import { isCalledFor } from '@gatehouse/domain'
import type { Replica } from '@gatehouse/events'
import { checkRelease } from './check-release.ts'
import { orderCertificate, type CertificateWork } from './order-certificate.ts'
import type { Perform } from './queued-job.ts'
import type { Report } from './report.ts'
import { revokeCertificate } from './revoke-certificate.ts'
import { watchDrain, type FleetReader } from './watch-drain.ts'
import { watchTargets } from './watch-targets.ts'

/** How soon a job comes back that this worker could not judge yet. */
const BEHIND_MS = 100

export interface PerformOptions {
  readonly replica: Replica
  /** False while the history in Redis is not the one that this worker knows. */
  readonly isTrusted: () => boolean
  readonly fleet: FleetReader
  readonly report: Report
  /** What jobs about certificates take; made when the first one comes. */
  readonly certificates: () => Promise<CertificateWork>
}

export const createPerform =
  ({ replica, isTrusted, fleet, report, certificates }: PerformOptions): Perform =>
  async (queued, signal) => {
    const { job, position, progress } = queued
    const { gateway } = replica.table
    // Whoever asked for it knew more than this worker does now: it may not call the job needless yet.
    if (!isTrusted() || replica.place.position < position || signal.aborted) {
      return { kind: 'again', afterMs: signal.aborted ? 0 : BEHIND_MS, progress }
    }
    if (!isCalledFor(job, gateway)) return { kind: 'done' }
    switch (job.type) {
      case 'CheckRelease':
        return checkRelease(job, queued, gateway, report, signal)
      case 'WatchTargets':
        return watchTargets(job, queued, gateway, report, signal)
      case 'WatchDrain':
        return watchDrain(job, queued, gateway, fleet, report, signal)
      case 'OrderCertificate':
        return orderCertificate(job, queued, gateway, await certificates(), signal)
      case 'RevokeCertificate':
        return revokeCertificate(job, queued, gateway, await certificates(), signal)
    }
  }
