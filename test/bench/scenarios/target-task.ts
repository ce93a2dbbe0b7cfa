/** What a target is told, and what it answers. */

export interface TargetTask {
  readonly label: string
  /** 0 takes a free one. */
  readonly port: number
}

/** Its first word. */
export interface TargetReady {
  readonly port: number
  /** Where its memory can be looked at. */
  readonly inspector: string
}

/** It answers with `done`. */
export interface ToTarget {
  /** `leave`: its health check fails from now on. */
  readonly type: 'close idle connections' | 'leave'
}

/** The length of `/download`. */
export const DOWNLOAD_BYTES = 400_000
