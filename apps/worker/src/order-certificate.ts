/**
 * The job behind a certificate: attempts of one order, until it is fulfilled, given up, or replaced by a
 * newer one. Each attempt is reported, with the moment of the next; between attempts the job waits in the
 * queue. However many workers there are, a job is one turn at a time, so the fleet has one order.
 */
import {
  openOrder,
  type AuthorityChallenge,
  type CertificateReport,
  type Gateway,
  type Job,
  type OrderOutcome,
} from '@gatehouse/domain'
import { answeredEverywhere } from './acme/answered-everywhere.ts'
import type { Authority, ProxyShowing } from './acme/authority.ts'
import { pauseAfter } from './acme/back-off.ts'
import { checkIssued, renewalAt } from './acme/issued.ts'
import { AcmeFailure } from './acme/problem.ts'
import type { ProxyProof } from './acme/prove.ts'
import type { AcmeStore } from './acme/redis-store.ts'
import type { BundleStore } from './bundle-store.ts'
import type { QueuedJob, Turn } from './queued-job.ts'
import type { Report } from './report.ts'
import type { FleetReader } from './watch-drain.ts'

type OrderJob = Extract<Job, { type: 'OrderCertificate' }>

/** What certificates take: made when the first one is called for. */
export interface CertificateWork {
  readonly authority: Authority
  readonly orders: AcmeStore
  readonly bundles: BundleStore
  readonly fleet: FleetReader
  readonly report: Report
  /** Told what went wrong in a way that nobody expected. */
  readonly onTrouble: (error: Error) => void
}

export const orderCertificate = async (
  job: OrderJob,
  queued: QueuedJob,
  gateway: Gateway,
  work: CertificateWork,
  signal: AbortSignal,
): Promise<Turn> => {
  const { certificate: name, generation } = job
  const certificate = gateway.certificates.get(name)
  const order = certificate && openOrder(certificate)
  if (order?.generation !== generation) return { kind: 'done' }
  const waitMs = (order.failure?.retryAt ?? 0) - Date.now()
  if (waitMs > 0) return { kind: 'again', afterMs: waitMs, progress: undefined }

  const { report, orders, bundles } = work
  const attempts = order.failure?.attempts ?? 0
  const key = `${name}/${generation}`
  const publisher = publisherFor(job, queued, work, signal)
  const end = async (outcome: OrderOutcome): Promise<void> => {
    await report({ type: 'ReportCertificate', certificate: name, generation, outcome }, queued)
    await publisher.forget()
  }
  try {
    const replaces = await chainOf(certificate?.current, bundles)
    const wanted = { order: key, names: order.names, attempts, replaces }
    const ordered = await work.authority.order(wanted, publisher, signal)
    const { bundle, facts } = checkIssued(ordered, order.names)
    await bundles.save(bundle)
    const renewAt = renewalAt(facts, Math.random())
    await end({ kind: 'issued', renewAt, ...facts })
    await orders.order(key).remove()
    return { kind: 'done' }
  } catch (error) {
    // The order is over, or the worker leaves: whoever takes the next turn finds out.
    if (signal.aborted) return { kind: 'again', afterMs: 0, progress: undefined }
    const failure = asFailure(error, work.onTrouble)
    const pauseMs = pauseAfter(failure, attempts + 1, Math.random())
    await end({
      kind: 'failed',
      reason: failure.message,
      ...(pauseMs === undefined ? {} : { retryAt: Date.now() + pauseMs }),
    })
    return pauseMs === undefined
      ? { kind: 'done' }
      : { kind: 'again', afterMs: pauseMs, progress: undefined }
  }
}

/** The chain that a renewal takes the place of, if its authority can be told. */
const chainOf = async (
  current: { readonly fingerprint: string; readonly source: string } | undefined,
  bundles: BundleStore,
): Promise<string | undefined> =>
  current?.source === 'issued' ? (await bundles.load(current.fingerprint))?.chain : undefined

interface Publisher extends ProxyShowing {
  /** Removes what nobody needs any more once the outcome of the attempt is known. */
  readonly forget: () => Promise<void>
}

const publisherFor = (
  { certificate, generation }: OrderJob,
  queued: QueuedJob,
  { report, bundles, fleet }: CertificateWork,
  signal: AbortSignal,
): Publisher => {
  const saved: string[] = []
  const challengeOf = async (proof: ProxyProof): Promise<AuthorityChallenge> => {
    switch (proof.kind) {
      case 'http-01':
        return proof
      case 'tls-alpn-01': {
        const { kind, host, ...bundle } = proof
        const fingerprint = await bundles.save(bundle)
        saved.push(fingerprint)
        return { kind, host, fingerprint }
      }
    }
  }
  const change = (
    what: Extract<CertificateReport, { type: 'ReportChallenge' }>['change'],
  ): Promise<number> =>
    report({ type: 'ReportChallenge', certificate, generation, change: what }, queued)
  return {
    publish: async (proofs) => {
      const challenges = await Promise.all(proofs.map(challengeOf))
      const position = await change({ kind: 'published', challenges })
      await answeredEverywhere(position, fleet, signal)
    },
    withdraw: async () => void (await change({ kind: 'withdrawn' })),
    forget: async () => void (await Promise.all(saved.map(bundles.remove))),
  }
}

/**
 * What nobody expected is a failed attempt as well: a CA that answers with nonsense must not be asked again
 * and again without a pause. When it is Redis that is away, the report is not made either.
 */
const asFailure = (error: unknown, onTrouble: (error: Error) => void): AcmeFailure => {
  if (error instanceof AcmeFailure) return error
  const unexpected = error instanceof Error ? error : new Error(String(error))
  onTrouble(unexpected)
  return new AcmeFailure(unexpected.message, { cause: error })
}
