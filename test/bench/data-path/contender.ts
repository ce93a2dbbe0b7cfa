/** Who takes part in a comparison. One file each kind in `contenders/`; `contenders.ts` lists them. */
import type { BenchFleet } from '../fleet.ts'
import type { Lab } from '../lab.ts'
import type { Process } from '../processes.ts'
import type { Pinning } from './pinning.ts'
import type { Missing } from './tools.ts'

export interface Contender {
  /** Starts it in front of the site's backend, or says in a sentence why it cannot take part. */
  readonly start: (site: Site) => Promise<Running | Missing>
}

/** What a contender finds when it is started. */
export interface Site {
  readonly lab: Lab
  readonly pinning: Pinning
  readonly backendPort: number
  /** The backend wants to be asked in HTTP/2, without TLS. */
  readonly backendSpeaksHttp2: boolean
  /** How many files one process may have open: each proxied connection takes two. */
  readonly openFilesMax: number
  /** A log with many routes, one of which leads from `HOST` to the backend. */
  readonly fleet: () => Promise<BenchFleet>
}

export interface Running {
  readonly process: Process
  readonly port: number
  /** Where it is asked in HTTP/1.1 whether it is ready, when it does not speak that on its port. */
  readonly readyPort?: number
  readonly version: string
}

/** The host that every request names. */
export const HOST = 'bench.example'

/** How many idle connections a proxy may keep to the backend: more than any load opens at once. */
export const KEPT_CONNECTIONS_MAX = 4_096

/** How long everybody waits for the next request: longer than the contenders take their turns. */
export const IDLE_SECONDS_MAX = 300
