/** What one parser got wrong the other notices: each aspect is misread once, by a reader made for it. */
import { describe, expect, it } from 'vitest'
import { headEnd } from './head-end.ts'
import { OWN_READERS, type HeadReaders } from './head-readers.ts'
import { createRequestHead, type RequestHead } from './request.ts'
import { createResponseHead, type ResponseHead } from './response-head.ts'
import { withSecondOpinion, type Disagreement } from './second-opinion.ts'
import { headOf } from './testing/read-head.ts'

interface Read {
  readonly refusal: number
  readonly disagreements: readonly Disagreement[]
}

const readRequest = (text: string, readers: HeadReaders = OWN_READERS): Read => {
  const disagreements: Disagreement[] = []
  const { request } = withSecondOpinion(readers, (each) => disagreements.push(each))
  return { refusal: request(text, headEnd(text), createRequestHead()), disagreements }
}

const readResponse = (text: string, readers: HeadReaders = OWN_READERS): Read => {
  const disagreements: Disagreement[] = []
  const { response } = withSecondOpinion(readers, (each) => disagreements.push(each))
  return { refusal: response(text, headEnd(text), createResponseHead()), disagreements }
}

/** Readers that understand every head, but for this. */
const misreading = (
  request: Partial<RequestHead>,
  response: Partial<ResponseHead> = {},
): HeadReaders => ({
  request: (text, end, head) => {
    OWN_READERS.request(text, end, head)
    Object.assign(head, request)
    return 0
  },
  response: (text, end, head) => {
    OWN_READERS.response(text, end, head)
    Object.assign(head, response)
    return 0
  },
})

const POST = headOf('POST /p?q HTTP/1.1', 'Host: a', 'Content-Length: 5')
const OK = headOf('HTTP/1.1 200 OK', 'Content-Length: 5')

describe('a second opinion on requests', () => {
  it.each<readonly [string, string]>([
    ['a length', POST],
    ['chunks', headOf('POST / HTTP/1.1', 'Host: a', 'transfer-encoding: CHUNKED')],
    ['no length', headOf('GET / HTTP/1.1', 'Host: a')],
    ['an absolute target', headOf('GET http://b/x HTTP/1.1', 'Host: b')],
    ['OPTIONS for a server', headOf('OPTIONS http://b HTTP/1.1', 'Host: b')],
    ['HTTP/1.0 without Host', headOf('GET / HTTP/1.0')],
    ['an upgrade', headOf('GET / HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: x')],
    ['QUERY', headOf('QUERY / HTTP/1.1', 'Host: a')],
    ['99 fields', headOf('GET / HTTP/1.1', 'Host: a', ...Array<string>(98).fill('X: y'))],
    ['a large head', headOf('GET / HTTP/1.1', 'Host: a', `X: ${'y'.repeat(16_000)}`)],
  ])('P1 agrees about %s', (_, text) => {
    expect(readRequest(text)).toEqual({ refusal: 0, disagreements: [] })
  })

  it.each<readonly [string, Partial<RequestHead>]>([
    ['method', { method: 'PUT' }],
    ['target', { target: '/p' }],
    ['version', { minorVersion: 0 }],
    ['host', { authority: 'b' }],
    ['framing', { contentLength: 6 }],
    ['framing', { contentLength: -1 }],
    ['framing', { contentLength: -1, chunked: true }],
  ])('P1 refuses with 400 a request of which we misread the %s', (about, part) => {
    expect(readRequest(POST, misreading(part))).toEqual({
      refusal: 400,
      disagreements: [{ message: 'request', about, code: '' }],
    })
  })

  it('P1 refuses with 400 what llhttp does not take, and says why without a word of it', () => {
    const text = headOf('GET / HTTP/1.1', 'Host: a', 'X y: secret')
    const code = 'HPE_INVALID_HEADER_TOKEN'
    expect(readRequest(text, misreading({}))).toEqual({
      refusal: 400,
      disagreements: [{ message: 'request', about: 'acceptance', code }],
    })
  })

  it('P1 refuses with 400 to go on where llhttp would not', () => {
    const text = headOf('GET / HTTP/1.1', 'Host: a', 'Proxy-Connection: close')
    expect(readRequest(text)).toMatchObject({
      refusal: 400,
      disagreements: [{ about: 'persistence' }],
    })
  })

  it('P1 leaves our own refusals as they are', () => {
    const text = headOf('BREW / HTTP/1.1', 'Host: a')
    expect(readRequest(text)).toEqual({ refusal: 501, disagreements: [] })
  })

  it('P1 remembers nothing of the head before', () => {
    const disagreements: Disagreement[] = []
    const { request } = withSecondOpinion(OWN_READERS, (each) => disagreements.push(each))
    const many = headOf('POST /1 HTTP/1.1', 'Host: a', ...Array<string>(60).fill('X: y'))
    for (const text of [many, POST, headOf('GET / HTTP/1.0'), many]) {
      expect(request(text, headEnd(text), createRequestHead())).toBe(0)
    }
    expect(disagreements).toEqual([])
  })
})

describe('a second opinion on answers', () => {
  it.each<readonly [string, string]>([
    ['a length', OK],
    ['chunks', headOf('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')],
    ['an end by close', headOf('HTTP/1.1 200 OK')],
    ['a switch', headOf('HTTP/1.1 101 X', 'Connection: Upgrade', 'Upgrade: websocket')],
    ['early hints', headOf('HTTP/1.1 103 Early Hints', 'Link: </a>')],
    ['a 204 with a length', headOf('HTTP/1.1 204 No Content', 'Content-Length: 5')],
    ['a 304 with a length', headOf('HTTP/1.1 304 Not Modified', 'Content-Length: 5')],
    ['HTTP/1.0', headOf('HTTP/1.0 200 OK', 'Content-Length: 0')],
  ])('P1 agrees about %s', (_, text) => {
    expect(readResponse(text)).toEqual({ refusal: 0, disagreements: [] })
  })

  it.each<readonly [string, Partial<ResponseHead>]>([
    ['status', { status: 201 }],
    ['version', { minorVersion: 0 }],
    ['framing', { contentLength: 6 }],
    ['framing', { contentLength: -1, chunked: true }],
  ])('P1 refuses with 502 an answer of which we misread the %s', (about, part) => {
    expect(readResponse(OK, misreading({}, part))).toEqual({
      refusal: 502,
      disagreements: [{ message: 'response', about, code: '' }],
    })
  })

  it('P1 refuses with 502 to use a connection again that llhttp would not', () => {
    const text = headOf('HTTP/1.1 200 OK', 'Content-Length: 5', 'Proxy-Connection: close')
    expect(readResponse(text)).toMatchObject({
      refusal: 502,
      disagreements: [{ about: 'persistence' }],
    })
  })
})
