/** Head objects are filled again and again: nothing of one message may show up in the next. */
import { expect, it } from 'vitest'
import { headEnd } from './head-end.ts'
import { parseRequestHead } from './request-head.ts'
import { createRequestHead } from './request.ts'
import { createResponseHead, parseResponseHead } from './response-head.ts'
import { headOf } from './testing/read-head.ts'

it('D18 a reused request head says nothing of the request before', () => {
  const plain = headOf('GET / HTTP/1.1', 'Host: a')
  const head = createRequestHead()
  const rich = [
    headOf('PUT /x HTTP/1.1', 'Host: b', 'Content-Length: 5', 'Expect: 100-continue', 'A: b'),
    headOf('PUT /x HTTP/1.0', 'Host: b', 'X-Request-ID: 1', 'X-Request-Start: 2', 'Accept: x'),
    headOf('PUT /x HTTP/1.1', 'Host: b', 'Transfer-Encoding: chunked', 'TE: trailers'),
    headOf('GET /x HTTP/1.1', 'Host: b', 'Connection: Upgrade', 'Upgrade: websocket'),
    headOf('GET http://b/ HTTP/1.1', 'Host: b', 'Forwarded: 1', 'X-Forwarded-For: 1'),
    headOf('GET / HTTP/1.1', 'Host: b', 'X-Forwarded-Proto: x', 'X-Forwarded-Host: x'),
    headOf('GET / HTTP/1.1', 'Host: b', 'Content-Length: 5', 'Content-Length: 6'),
  ]
  const fresh = createRequestHead()
  parseRequestHead(plain, headEnd(plain), fresh)
  for (const text of rich) {
    parseRequestHead(text, headEnd(text), head)
    expect(head).not.toEqual(fresh)
    expect(parseRequestHead(plain, headEnd(plain), head)).toBe(0)
    expect(head).toEqual(fresh)
  }
})

it('D18 a reused response head says nothing of the response before', () => {
  const plain = headOf('HTTP/1.1 200 OK')
  const head = createResponseHead()
  const rich = [
    headOf('HTTP/1.1 404 Not Found', 'Content-Length: 5', 'A: b'),
    headOf('HTTP/1.0 200 OK', 'Connection: close'),
    headOf('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked'),
    headOf('HTTP/1.1 426 X', 'Connection: Upgrade', 'Upgrade: websocket'),
    headOf('HTTP/1.1 200 OK', 'Content-Length: 5', 'Content-Length: 6'),
  ]
  const fresh = createResponseHead()
  parseResponseHead(plain, headEnd(plain), fresh)
  for (const text of rich) {
    parseResponseHead(text, headEnd(text), head)
    expect(head).not.toEqual(fresh)
    expect(parseResponseHead(plain, headEnd(plain), head)).toBe(0)
    expect(head).toEqual(fresh)
  }
})
