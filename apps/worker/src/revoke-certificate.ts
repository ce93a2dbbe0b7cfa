/** The job behind a revocation: tell the authority, again and again until it has answered, and report. */
import type { Gateway, Job, RevocationOutcome, RevocationReason } from '@gatehouse/domain'
import { z } from 'zod'
import { pauseAfter } from './acme/back-off.ts'
import { AcmeFailure, isRefusedForGood } from './acme/problem.ts'
import type { CertificateWork } from './order-certificate.ts'
import type { QueuedJob, Turn } from './queued-job.ts'

/** The codes of RFC 5280 §5.3.1. */
const CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
}

const revokeProgress = z.object({ attempts: z.int() })

export const revokeCertificate = async (
  job: Extract<Job, { type: 'RevokeCertificate' }>,
  queued: QueuedJob,
  gateway: Gateway,
  { authority, bundles, report }: CertificateWork,
  signal: AbortSignal,
): Promise<Turn> => {
  const { certificate, fingerprint } = job
  const revocations = gateway.certificates.get(certificate)?.revocations ?? []
  const revocation = revocations.find((each) => each.fingerprint === fingerprint)
  if (revocation === undefined) return { kind: 'done' }
  const before = revokeProgress.safeParse(queued.progress)
  const attempts = (before.data?.attempts ?? 0) + 1
  const end = async (outcome: RevocationOutcome): Promise<Turn> => {
    await report({ type: 'ReportRevocation', certificate, fingerprint, outcome }, queued)
    return { kind: 'done' }
  }
  const bundle = await bundles.load(fingerprint)
  if (bundle === undefined)
    return end({ kind: 'refused', reason: 'its chain is not kept any more' })
  try {
    await authority.revoke(bundle.chain, CODES[revocation.reason], signal)
  } catch (error) {
    if (signal.aborted) return { kind: 'again', afterMs: 0, progress: queued.progress }
    if (!(error instanceof AcmeFailure)) throw error
    if (isRefusedForGood(error)) return end({ kind: 'refused', reason: error.message })
    const afterMs = pauseAfter(error, attempts, Math.random()) ?? 0
    return { kind: 'again', afterMs, progress: { attempts } }
  }
  return end({ kind: 'revoked' })
}
