/**
 * A job as it lies in the queue, and what performing it can lead to. A job may be performed twice, or
 * late, or by a worker that has never heard of it: it ends in a report, and the domain decides
 * whether the report still matters.
 */
import { type Job } from '@gatehouse/domain'
import { z } from 'zod'

export interface QueuedJob {
  readonly job: Job
  /** A worker that is not this far yet cannot know what the job is about. */
  readonly position: number
  /** The position of the event that called for it; absent when the state did. */
  readonly cause?: number
  /** The trace that the causing event belongs to. */
  readonly traceparent?: string
  /** What earlier turns left behind. Its shape is the job's own; whoever cannot read it starts anew. */
  readonly progress?: unknown
}

export type Turn =
  | { readonly kind: 'done' }
  /** Not over: another turn in `afterMs`, by whichever worker is free. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly progress: unknown }

/** Performs one turn. The signal comes when the job is not called for any more, or the worker leaves. */
export type Perform = (queued: QueuedJob, signal: AbortSignal) => Promise<Turn>

const jobSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('CheckRelease'), service: z.string(), generation: z.int() }),
  z.object({ type: z.literal('WatchDrain'), service: z.string(), generation: z.int() }),
  z.object({ type: z.literal('WatchTargets'), service: z.string(), revision: z.int() }),
  z.object({ type: z.literal('OrderCertificate'), certificate: z.string(), generation: z.int() }),
  z.object({
    type: z.literal('RevokeCertificate'),
    certificate: z.string(),
    fingerprint: z.string(),
  }),
]) satisfies z.ZodType<Job>

const queuedJob = z.object({
  job: jobSchema,
  position: z.int(),
  cause: z.int().exactOptional(),
  traceparent: z.string().exactOptional(),
  progress: z.unknown().exactOptional(),
}) satisfies z.ZodType<QueuedJob>

/** Undefined for what another version of the worker has queued and this one does not understand. */
export const readQueuedJob = (data: unknown): QueuedJob | undefined => {
  const parsed = queuedJob.safeParse(data)
  return parsed.success ? parsed.data : undefined
}
