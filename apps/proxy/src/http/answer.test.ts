import { describe, expect, it } from 'vitest'
import { answerFailure, answerHealthy, shownHost, type AnsweredRequest } from './answer.ts'
import { FAILURES, failureOfRefusal, type Failure } from './failure.ts'
import { headEnd } from './head-end.ts'
import { opinionOnResponses, valuesOf, type OpinionMessage } from './testing/strict-reader.ts'

const request: AnsweredRequest = {
  method: 'GET',
  minorVersion: 1,
  accept: '',
  authority: 'nobody.example',
  requestId: 'id-1',
  keepAlive: true,
  nowMs: 0,
}

// The keys of a record of every failure are failures.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const failures = Object.keys(FAILURES) as readonly Failure[]

describe('answers of our own', () => {
  it('C2 an unknown host is told in one line of text', () => {
    const { text, status, closes } = answerFailure('unknown-host', request)
    expect({ status, closes }).toEqual({ status: 404, closes: false })
    expect(text).toBe(
      'HTTP/1.1 404 Not Found\r\n' +
        'Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n' +
        'Content-Type: text/plain; charset=utf-8\r\n' +
        'Content-Length: 29\r\n' +
        'Cache-Control: no-store\r\n' +
        'X-Content-Type-Options: nosniff\r\n' +
        'X-Request-ID: id-1\r\n' +
        'Proxy-Status: gatehouse; error=destination_not_found; details="unknown-host"\r\n' +
        '\r\n' +
        'unknown host: nobody.example\n',
    )
  })

  it.each([
    ['a.example:8080', 'a.example:8080'],
    ['[::1]', '[::1]'],
    ['<script>"\r\n', '?script????'],
    ['caf\u00e9', 'caf?'],
    ['x'.repeat(101), `${'x'.repeat(100)}...`],
  ])('C2 the host %j is shown as %s', (authority, shown) => {
    expect(shownHost(authority)).toBe(shown)
    expect(answerFailure('unknown-host', { ...request, authority }).text).toContain(`: ${shown}\n`)
  })

  it('C2 is told as problem details (RFC 9457) to a client that prefers JSON', () => {
    const message = read(answerFailure('unknown-host', { ...request, accept: 'application/json' }))
    expect(valuesOf(message, 'content-type')).toEqual(['application/problem+json'])
    expect(JSON.parse(message.body)).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'unknown host: nobody.example',
      request_id: 'id-1',
    })
  })

  it.each([
    ['', false],
    ['*/*', false],
    ['text/html, application/json;q=0.9, */*;q=0.8', false],
    ['application/json, text/plain, */*', true],
    ['application/problem+json', true],
    ['text/html;q=0.5, application/vnd.api+json ; q=0.9', true],
    ['application/json;q=0', false],
    ['application/json;q=x', false],
  ])('RFC 9110 §12.5.1 Accept: %s prefers JSON: %s', (accept, isJson) => {
    const text = answerFailure('stopped', { ...request, accept }).text
    expect(text.includes('application/problem+json')).toBe(isJson)
  })

  it.each(failures)('%s is one whole response to llhttp, and names itself', (failure) => {
    const answer = answerFailure(failure, request)
    const message = read(answer)
    expect(message).toMatchObject({ status: FAILURES[failure].status, complete: true })
    expect(valuesOf(message, 'proxy-status').join()).toContain(`details="${failure}"`)
    expect(valuesOf(message, 'connection')).toEqual(answer.closes ? ['close'] : [])
    expect(answer.closes).toBe(FAILURES[failure].closes)
  })

  it('D17 HEAD gets the length and no body', () => {
    const { text } = answerFailure('stopped', { ...request, method: 'HEAD' })
    expect(text).toContain(`Content-Length: ${FAILURES.stopped.sentence.length + 1}\r\n`)
    expect(headEnd(text)).toBe(text.length)
  })

  it.each([
    [1, false, true, 'Connection: close\r\n'],
    [0, false, true, 'Connection: close\r\n'],
    [0, true, false, 'Connection: keep-alive\r\n'],
  ] as const)('HTTP/1.%i, keep alive %s: closes %s', (minorVersion, keepAlive, closes, line) => {
    const answer = answerFailure('stopped', { ...request, minorVersion, keepAlive })
    expect(answer.closes).toBe(closes)
    expect(answer.text).toContain(line)
  })

  it('D21 every refusal of a head has the answer with its status, and closes', () => {
    for (const status of [400, 405, 414, 417, 431, 501, 505] as const) {
      expect(FAILURES[failureOfRefusal(status)]).toMatchObject({ status, closes: true })
    }
  })

  it('RFC 9110 §15.5.6 a 405 says what is allowed, and §10.2.3 a full queue when to come again', () => {
    expect(answerFailure('method-not-allowed', request).text).toContain('\r\nAllow: GET, HEAD,')
    expect(answerFailure('pause-queue-full', request).text).toMatch(/\r\nRetry-After: \d+\r\n/)
    expect(answerFailure('stopped', request).text).not.toContain('Retry-After')
  })

  it.each(['', 'application/json'])(
    'what an operator says takes our place, in UTF-8 (%s)',
    (accept) => {
      const { text } = answerFailure('stopped', { ...request, accept }, 'zur\u00fcck um 8 \u2713')
      const message = read({ text })
      expect(message.complete).toBe(true)
      expect(Buffer.from(message.body, 'latin1').toString('utf8')).toContain(
        'zur\u00fcck um 8 \u2713',
      )
    },
  )

  it('a paused service is healthy, in an empty 200', () => {
    const answer = answerHealthy(request)
    expect(read(answer)).toMatchObject({ status: 200, complete: true, body: '' })
    expect(answer.closes).toBe(false)
  })
})

const read = (answer: { readonly text: string }): OpinionMessage => {
  const [message] = opinionOnResponses(answer.text).messages
  if (message === undefined) throw new Error(`llhttp refuses ${JSON.stringify(answer.text)}`)
  return message
}
