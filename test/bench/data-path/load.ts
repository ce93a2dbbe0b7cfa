/** What contenders are put under: something that sends requests at one port for some seconds. */
import type { Site } from './contender.ts'
import type { Missing } from './tools.ts'

export interface Load {
  /** Its generator's name and version, or why there is none. */
  readonly find: (site: Site) => Promise<{ readonly generator: string } | Missing>
  readonly run: (site: Site, aim: Aim) => Promise<Sent>
}

export interface Aim {
  readonly port: number
  readonly seconds: number
}

export interface Sent {
  /** Answered as they should be: requests, or messages both ways. */
  readonly answered: number
  readonly seconds: number
  /** Everything else: other statuses, sockets that failed, answers that were not what was asked for. */
  readonly errors: number
  readonly p50Ms: number
  readonly p99Ms: number
}
