/**
 * What was found once, cut down, under the name of what it is about. `npm run fuzz` prints what it finds
 * in this form.
 */
import type { Case } from './case.ts'

export interface Regression extends Case {
  readonly name: string
}

export const REGRESSIONS: readonly Regression[] = [
  {
    // llhttp acts upon it and reads no further; we dropped it, and sent on what came behind.
    name: 'a Connection field in the trailers of a request',
    level: 'pipelines',
    input:
      'OPTIONS / HTTP/1.1\r\nHost:1\r\nTransfer-Encoding:chunked\r\n\r\n1\r\nh\r\n0\r\nConnection:close\r\n\r\nHEAD / HTTP/1.1\r\nHost:7\r\n\r\n',
    cuts: [],
    answers: ['HTTP/1.1 204 No Content\r\n\r\n'],
    pieceBytes: 0,
    early: false,
  },
  {
    name: 'a Connection field in the trailers of an answer',
    level: 'pipelines',
    input:
      'GET /1 HTTP/1.1\r\nHost:1\r\nTE:trailers\r\nConnection:TE\r\n\r\nGET /2 HTTP/1.1\r\nHost:1\r\n\r\n',
    cuts: [],
    answers: [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding:chunked\r\n\r\n1\r\nh\r\n0\r\nConnection:close\r\n\r\n',
    ],
    pieceBytes: 1,
    early: false,
  },
  {
    // We forgot the length, as of a 103; llhttp waits for seven bytes, which are the next answer's.
    name: 'an interim answer of an unknown status that announces a body',
    level: 'response-heads',
    input: 'HTTP/1.1 134\r\nContent-Length:7\r\n\r\n',
    cuts: [],
    answers: [],
    pieceBytes: 0,
    early: false,
  },
  {
    // RFC 9112 §9.6: the final response is still to come, though llhttp thinks otherwise.
    name: 'an interim answer that says it closes',
    level: 'pipelines',
    input: 'GET / HTTP/1.1\r\nHost:1\r\n\r\n',
    cuts: [],
    answers: [
      'HTTP/1.1 103 Early Hints\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    ],
    pieceBytes: 0,
    early: false,
  },
]
