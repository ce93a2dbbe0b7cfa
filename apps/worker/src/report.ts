/** How a worker says what it found: as a command like any other, which the domain may find too late. */
import { randomUUID } from 'node:crypto'
import { subjectOf, type Report as ReportCommand } from '@gatehouse/domain'
import {
  submit,
  TOOL,
  type EventLog,
  type Meta,
  type Position,
  type Replica,
} from '@gatehouse/events'
import type { Logger } from 'pino'
import type { Exclusive } from './exclusive.ts'
import type { QueuedJob } from './queued-job.ts'

/**
 * Answers with a position by which the state has what was reported. Throws when it could not be said; the
 * job is asked for again then, as long as the state calls for it.
 */
export type Report = (command: ReportCommand, queued: QueuedJob) => Promise<Position>

export interface ReportOptions {
  readonly log: EventLog
  readonly replica: Replica
  /** A submit brings the replica forward, and so does the follower: they take turns. */
  readonly exclusive: Exclusive
  /** Who says it: the worker's id. */
  readonly worker: string
  readonly logger: Logger
}

export const createReport =
  ({ log, replica, exclusive, worker, logger }: ReportOptions): Report =>
  async (command, { cause, traceparent }) => {
    const about = { command: command.type, ...subjectOf(command) }
    const meta: Meta = {
      command: randomUUID(),
      actor: worker,
      tool: TOOL,
      ...(cause === undefined ? {} : { cause }),
      ...(traceparent === undefined ? {} : { traceparent }),
    }
    const submitted = await exclusive(() => submit(log, replica, command, meta))
    switch (submitted.kind) {
      case 'accepted': {
        const { first, last, events } = submitted
        logger.info(
          { ...about, first, last, events: events.map((event) => event.type) },
          'reported',
        )
        return last
      }
      case 'nothing-to-do':
        logger.info(about, 'the report changes nothing')
        return replica.place.position
      case 'rejected':
        throw new Error(`A ${command.type} was rejected: ${submitted.rejection.reason}`)
      case 'contended':
        throw new Error(`A ${command.type} found the log too busy, and was not appended`)
    }
  }
