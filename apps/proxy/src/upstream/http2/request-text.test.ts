import { describe, expect, it } from 'vitest'
import { createPeer, forwardedRequestHead } from '../../http/forward-head.ts'
import { createRequestHead } from '../../http/request.ts'
import { readRequest } from './request-text.ts'

const destination = { hostHeader: 'preserve', authority: 'target', basePath: '/base' } as const

describe('a request for a target of HTTP/2', () => {
  it('N15 loses what HTTP/2 has no place for, and nothing else', () => {
    const head = Object.assign(createRequestHead(), {
      method: 'POST',
      target: '/a?b',
      authority: 'app.test',
      fields: 'Content-Lengthy: 1\r\nHostess: b\r\nCookie: c=1\r\nHTTP: /1.1\r\n',
      chunked: true,
      acceptsTrailers: true,
    })
    const peer = createPeer('10.0.0.1', 'http', false)
    const text = forwardedRequestHead(head, peer, destination, 'id', 1)
    expect(readRequest(`${text}5\r\n`)).toEqual({
      method: 'POST',
      path: '/base/a?b',
      authority: 'app.test',
      contentLength: -1,
      chunked: true,
      kept: 'Content-Lengthy: 1\r\nHostess: b\r\nCookie: c=1\r\nHTTP: /1.1\r\n',
      own: [
        'X-Forwarded-For: 10.0.0.1',
        'X-Forwarded-Proto: http',
        'X-Forwarded-Host: app.test',
        'X-Request-Start: t=1',
        'X-Request-ID: id',
        'TE: trailers',
        '',
      ].join('\r\n'),
      bodyFrom: text.length,
    })
  })

  it('N15 keeps the length that it states, and an upgrade goes no further', () => {
    const head = Object.assign(createRequestHead(), {
      method: 'PUT',
      target: '/',
      authority: 'a',
      contentLength: 12,
      upgrade: 'x',
    })
    const text = forwardedRequestHead(head, createPeer('::1', 'http', false), destination, 'i', 1)
    const { contentLength, kept, own } = readRequest(text)
    expect(contentLength).toBe(12)
    expect(kept).toBe('Content-Length: 12\r\n')
    expect(kept + own).not.toMatch(/upgrade|connection/i)
  })
})
