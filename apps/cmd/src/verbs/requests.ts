/** The verbs that need no file: each becomes one request to the domain, and says what to wait for. */
import type { Request } from '@gatehouse/domain'
import { type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput } from '../output/output.ts'
import { withSession } from '../session.ts'
import { change, type ChangeRequest } from './change.ts'
import { outputOptions, type ChangeOptions } from './options.ts'

/** How long a paused request waits, and how long pause and stop wait for what is in flight. */
export const HOLD_MS_DEFAULT = 30_000
export const QUIET_MS_DEFAULT = 30_000

export interface RollbackOptions extends ChangeOptions {
  readonly to?: string
}

export interface DrainOptions extends ChangeOptions {
  readonly drainTimeout?: number | 'infinity'
}

export interface PauseOptions extends ChangeOptions {
  readonly drainTimeout: number
  readonly maxPause: number
}

export interface StopOptions extends ChangeOptions {
  readonly drainTimeout: number
  readonly message: string
}

export const switchTo = (service: string, release: string, options: ChangeOptions): ChangeRequest =>
  asked('switch', { type: 'Switch', service, release }, options)

export const rollback = (service: string, options: RollbackOptions): ChangeRequest => {
  const { to } = options
  return asked(
    'rollback',
    { type: 'Rollback', service, ...(to === undefined ? {} : { to }) },
    options,
  )
}

export const drain = (
  service: string,
  release: string | undefined,
  options: DrainOptions,
): ChangeRequest => {
  const { drainTimeout: drainMs } = options
  return asked(
    'drain',
    {
      type: 'Drain',
      service,
      ...(release === undefined ? {} : { release }),
      ...(drainMs === undefined ? {} : { drainMs }),
    },
    options,
  )
}

export const pause = (service: string, options: PauseOptions): ChangeRequest => ({
  ...asked('pause', { type: 'Pause', service, holdMs: options.maxPause }, options),
  quietMs: options.drainTimeout,
})

export const resume = (service: string, options: ChangeOptions): ChangeRequest =>
  asked('resume', { type: 'Resume', service }, options)

export const stop = (service: string, options: StopOptions): ChangeRequest => ({
  ...asked('stop', { type: 'Stop', service, message: options.message }, options),
  quietMs: options.drainTimeout,
})

export const remove = (service: string, options: ChangeOptions): ChangeRequest =>
  asked('remove', { type: 'Remove', service }, options)

/** Carries a request out and returns the exit code. */
export const carryOut = (io: Io, request: ChangeRequest): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(request.options))
  return withSession(io, output, (session) => change(session, request))
}

const asked = (verb: string, request: Request, options: ChangeOptions): ChangeRequest => {
  const { expectVersion } = options
  return {
    verb,
    request: expectVersion === undefined ? request : { ...request, expectVersion },
    options,
  }
}
