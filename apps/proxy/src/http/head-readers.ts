/** Who reads heads: our parsers alone, or with somebody who looks over their shoulder (second-opinion.ts). */
import { parseRequestHead } from './request-head.ts'
import type { RequestHead, RequestRefusal } from './request.ts'
import { parseResponseHead, type ResponseHead } from './response-head.ts'

/** As `parseRequestHead` and `parseResponseHead`. */
export interface HeadReaders {
  readonly request: (text: string, end: number, head: RequestHead) => 0 | RequestRefusal
  readonly response: (text: string, end: number, head: ResponseHead) => 0 | 502
}

export const OWN_READERS: HeadReaders = { request: parseRequestHead, response: parseResponseHead }
