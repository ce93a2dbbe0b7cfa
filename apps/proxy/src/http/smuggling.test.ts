/**
 * The families of request smuggling that are known from other front ends, one case per trick. Most
 * were found by setting parsers against each other (the HTTP Garden); each is refused here, or
 * loses its effect in what we write.
 */
import { describe, expect, it } from 'vitest'
import { ChunkedFraming, MALFORMED } from './chunked.ts'
import { createPeer, forwardedRequestHead } from './forward-head.ts'
import { headEnd } from './head-end.ts'
import { refusalOf, requestOf, responseRefusalOf } from './testing/read-head.ts'

const HOST = 'Host: a\r\n'
const post = (lines: string): string => `POST / HTTP/1.1\r\n${HOST}${lines}\r\n`

describe('D18 framing', () => {
  it.each<readonly [string, string, number]>([
    ['both', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', 400],
    ['both, the other way', 'Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', 400],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', 400],
    ['the same length twice', 'Content-Length: 5\r\nContent-Length: 5\r\n', 400],
    ['a list of lengths', 'Content-Length: 5, 5\r\n', 400],
    ['a plus sign', 'Content-Length: +5\r\n', 400],
    ['a minus sign', 'Content-Length: -5\r\n', 400],
    ['inner white space', 'Content-Length: 1 0\r\n', 400],
    ['hexadecimal', 'Content-Length: 0x5\r\n', 400],
    ['an underscore', 'Content-Length: 1_0\r\n', 400],
    ['an exponent', 'Content-Length: 1e1\r\n', 400],
    ['no digits', 'Content-Length: \r\n', 400],
    ['a length beyond 2^53', 'Content-Length: 99999999999999999999\r\n', 400],
    ['sixteen digits', 'Content-Length: 0000000000000005\r\n', 400],
    ['white space after a length', 'Content-Length: 5 \r\n', 400],
    ['digits beyond ASCII', 'Content-Length: \xb2\r\n', 400],
    ['an unknown coding', 'Transfer-Encoding: gzip\r\n', 501],
    ['a coding before chunked', 'Transfer-Encoding: gzip, chunked\r\n', 501],
    ['identity', 'Transfer-Encoding: identity\r\n', 501],
    ['a near miss', 'Transfer-Encoding: xchunked\r\n', 501],
    ['chunked twice', 'Transfer-Encoding: chunked, chunked\r\n', 400],
    ['chunked in two fields', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', 400],
    ['a parameter', 'Transfer-Encoding: chunked;q=1\r\n', 400],
    ['an empty coding', 'Transfer-Encoding:\r\n', 400],
    ['a leading comma', 'Transfer-Encoding: ,chunked\r\n', 400],
    ['quotes', 'Transfer-Encoding: "chunked"\r\n', 400],
    ['a vertical tab', 'Transfer-Encoding:\vchunked\r\n', 400],
    ['a tab after the coding', 'Transfer-Encoding: chunked\t\r\n', 400],
    ['chunked on a folded line', 'Transfer-Encoding:\r\n chunked\r\n', 400],
    ['a length nominated', 'Content-Length: 5\r\nConnection: content-length\r\n', 400],
    [
      'the coding nominated',
      'Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n',
      400,
    ],
  ])('D18 refuses %s', (_, lines, status) => {
    expect(refusalOf(post(lines))).toBe(status)
  })

  it('D18 refuses chunks in HTTP/1.0 (RFC 9112 §6.1)', () => {
    const text = `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n`
    expect(refusalOf(text)).toBe(400)
  })

  it('D18 writes framing anew, in one form', () => {
    const lines = ['POST / HTTP/1.1', 'Host: a', 'cONTENT-lENGTH:\t007', 'X-A: b']
    expect(written(...lines)).toContain('\r\nContent-Length: 7\r\n')
    expect(written(...lines)).not.toContain('007')
    expect(written('POST / HTTP/1.1', 'Host: a', 'transfer-encoding:CHUNKED')).toContain(
      '\r\nTransfer-Encoding: chunked\r\n',
    )
  })
})

describe('D18 lines', () => {
  it.each([
    ['a bare LF after the request line', `GET / HTTP/1.1\n${HOST}\r\n`],
    ['a bare LF after a field', 'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n'],
    ['a bare LF that ends the head', 'GET / HTTP/1.1\r\nHost: a\r\n\n'],
    ['two bare LFs', 'GET / HTTP/1.1\nHost: a\n\n'],
    ['a line of one letter and a bare LF', 'GET / HTTP/1.1\r\nHost: a\r\nT\n'],
    ['a bare CR in a value', post('X: a\rb\r\n')],
    ['a bare CR for a line end', post('X: a\rTransfer-Encoding: chunked\r\n')],
    ['NUL in a value', post('X: a\0b\r\n')],
    ['another control in a value', post('X: a\x08b\r\n')],
    ['DEL in a value', post('X: a\x7fb\r\n')],
    ['a folded line (RFC 9112 §5.2)', post('X: a\r\n b\r\n')],
    ['a folded first line', `GET / HTTP/1.1\r\n X: a\r\n${HOST}\r\n`],
    ['a space before the colon (§5.1)', post('Content-Length : 5\r\n')],
    ['a tab before the colon', post('Transfer-Encoding\t: chunked\r\n')],
    ['an empty name', post(': 5\r\n')],
    ['no colon', post('Content-Length\r\n')],
    ['a name beyond ASCII', post('Content-Length\xa0: 5\r\n')],
    ['a name in quotes', post('"X": 5\r\n')],
  ])('D18 refuses %s', (_, text) => {
    expect(refusalOf(text)).toBe(400)
  })

  it('D18 takes text beyond ASCII in values (RFC 9110 §5.5)', () => {
    expect(requestOf('GET / HTTP/1.1', 'Host: a', 'X: caf\u00e9').fields).toBe('X: caf\u00e9\r\n')
  })
})

describe('D18 hosts', () => {
  it.each([
    ['none', 'GET / HTTP/1.1\r\n\r\n'],
    ['two', `GET / HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`],
    ['the same twice', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`],
    ['two in HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`],
    ['an empty one', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'],
    ['a list', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    ['a path', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['a user name', 'GET / HTTP/1.1\r\nHost: x@a\r\n\r\n'],
    ['a port that is none', 'GET / HTTP/1.1\r\nHost: a:b\r\n\r\n'],
    ['inner white space', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n'],
    ['an escape', 'GET / HTTP/1.1\r\nHost: a%00b\r\n\r\n'],
    ['another than in the target (RFC 9112 §3.2.2)', `GET http://b/ HTTP/1.1\r\n${HOST}\r\n`],
    ['a target in absolute form alone', 'GET http://b/ HTTP/1.1\r\n\r\n'],
  ])('D18 refuses %s', (_, text) => {
    expect(refusalOf(text)).toBe(400)
  })
})

describe('D5 fields that speak for us', () => {
  it.each([
    'Host',
    'Content-Length',
    'Transfer-Encoding',
    'Authorization',
    'Cookie',
    'Expect',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Anything',
    'X-Real-IP',
    'X-Request-ID',
    'X-Request-Start',
  ])('D5 refuses a Connection that asks %s away (RFC 9110 §7.6.1)', (name) => {
    expect(refusalOf(post(`Connection: close, ${name}\r\n`))).toBe(400)
  })

  it('D5 refuses a Connection that is not a list of tokens', () => {
    expect(refusalOf(post('Connection: "x"\r\n'))).toBe(400)
  })

  it.each([
    'X_Forwarded_For: 6.6.6.6',
    'X-Forwarded_Host: evil',
    'x.real.ip: 6.6.6.6',
    'X_Request_ID: 6',
    'Content_Length: 6',
    'Transfer.Encoding: chunked',
    'X-Real-IP: 6.6.6.6',
    'Forwarded: for=6.6.6.6',
    'X-Forwarded-Port: 6',
  ])('D7 an untrusted %s never reaches a target', (line) => {
    expect(written('GET / HTTP/1.1', 'Host: a', line)).not.toContain('6')
    expect(written('GET / HTTP/1.1', 'Host: a', line)).not.toContain('evil')
  })

  it('D5 other names with underscores and dots go through', () => {
    const lines = 'User_Id: 1\r\nx.y: 2\r\n'
    expect(written('GET / HTTP/1.1', 'Host: a', 'User_Id: 1', 'x.y: 2')).toContain(lines)
  })
})

describe('D18 chunks', () => {
  it.each([
    ['a plus sign', '+5\r\nhello\r\n0\r\n\r\n'],
    ['a prefix', '0x5\r\nhello\r\n0\r\n\r\n'],
    ['a space before the size', ' 5\r\nhello\r\n0\r\n\r\n'],
    ['a space after the size', '5 \r\nhello\r\n0\r\n\r\n'],
    ['an underscore', '0_5\r\nhello\r\n0\r\n\r\n'],
    ['no size', '\r\nhello\r\n0\r\n\r\n'],
    ['nine digits', '000000005\r\nhello\r\n0\r\n\r\n'],
    ['a size that overflows', 'fffffffffffffffb\r\nhello\r\n0\r\n\r\n'],
    ['an extension', '5;a=b\r\nhello\r\n0\r\n\r\n'],
    ['a quoted line end in one', '5;a="\r\n"\r\nhello\r\n0\r\n\r\n'],
    ['a bare LF after the size', '5\nhello\r\n0\r\n\r\n'],
    ['a bare CR after the size', '5\rhello\r\n0\r\n\r\n'],
    ['a bare LF after the data', '5\r\nhello\n0\r\n\r\n'],
    ['nothing after the data', '5\r\nhello0\r\n\r\n'],
    ['two other bytes after the data', '5\r\nhelloXX0\r\n\r\n'],
    ['more data than said', '4\r\nhello\r\n0\r\n\r\n'],
    ['a bare LF at the end', '0\r\n\n'],
    ['a bare CR at the end', '0\r\n\rX'],
    ['a trailer that is no field', '0\r\nX\r\n\r\n'],
    ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n'],
    ['a connection option in the trailers', '0\r\nConnection: close\r\n\r\n'],
    ['its old name in the trailers', '0\r\nProxy-Connection: close\r\n\r\n'],
    ['a length in the trailers', '0\r\nContent-Length: 5\r\n\r\n'],
    ['a coding in the trailers', '0\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ])('D18 refuses %s', (_, body) => {
    expect(new ChunkedFraming(false).scan(Buffer.from(body), 0, body.length)).toBe(MALFORMED)
  })
})

describe('D18 responses', () => {
  it.each([
    ['both framings', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
    ['a strange length', 'Content-Length: 5,5\r\n'],
    ['an unknown coding', 'Transfer-Encoding: gzip, chunked\r\n'],
    ['a space before the colon', 'Content-Length : 5\r\n'],
    ['a folded line', 'X: a\r\n b\r\n'],
    ['a bare LF', 'X: a\nY: b\r\n'],
    ['NUL', 'X: \0\r\n'],
  ])('D18 refuses %s with 502', (_, lines) => {
    expect(responseRefusalOf(`HTTP/1.1 200 OK\r\n${lines}\r\n`)).toBe(502)
  })
})

const peer = createPeer('192.0.2.1', 'http', false)
const destination = { hostHeader: 'preserve', authority: 't', basePath: '' } as const

/** What a target gets. No 6 stands in it unless a request brings one. */
const written = (...lines: readonly string[]): string =>
  forwardedRequestHead(requestOf(...lines), peer, destination, 'id', 0)

it('D18 a head that can no longer be accepted ends at once, without waiting for more', () => {
  expect(headEnd('GET / HTTP/1.1\nHost')).toBe('GET / HTTP/1.1\n'.length)
  expect(headEnd('GET / HTTP/1.1\r\nHost: a\r\n')).toBe(-1)
})
