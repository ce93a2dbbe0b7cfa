import { describe, expect, it } from 'vitest'
import { ChunkedFraming, MALFORMED } from './chunked.ts'
import { FIELDS_MAX, TRAILER_BYTES_MAX } from './limits.ts'

describe('chunked framing', () => {
  it('RFC 9112 §7.1 forwards a body as it came and leaves what follows it', () => {
    const body = '5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n'
    const buffer = Buffer.from(`${body}GET / HTTP/1.1`)
    const framing = new ChunkedFraming(false)
    expect(framing.scan(buffer, 0, buffer.length)).toBe(body.length)
    expect(framing).toMatchObject({ done: true, forwardTo: body.length, tail: '', dataBytes: 15 })
  })

  it('RFC 9112 §7.1 reads the part of a buffer that it is given, and no more', () => {
    const buffer = Buffer.from('xx5\r\nhello\r\n')
    const framing = new ChunkedFraming(false)
    expect(framing.scan(buffer, 2, 7)).toBe(7)
    expect(framing).toMatchObject({ done: false, forwardTo: 7, dataBytes: 2 })
    expect(framing.scan(buffer, 7, buffer.length)).toBe(buffer.length)
    expect(framing).toMatchObject({ done: false, dataBytes: 5 })
  })

  it('D16 counts data without its framing', () => {
    const framing = new ChunkedFraming(false)
    const buffer = Buffer.from('1\r\nx\r\n'.repeat(100))
    framing.scan(buffer, 0, buffer.length)
    expect(framing.dataBytes).toBe(100)
  })

  it('RFC 9112 §7.1 takes the largest size that fits eight digits', () => {
    const framing = new ChunkedFraming(false)
    const buffer = Buffer.from('ffffffff\r\nx')
    expect(framing.scan(buffer, 0, buffer.length)).toBe(buffer.length)
  })

  it.each([
    ['HTTP/1.0', false, ''],
    ['HTTP/2, and the trailers too', true, 'X-A: b\r\n'],
  ])('RFC 9112 §6.1 takes the data out for a receiver of %s', (_, keepsTrailers, tail) => {
    let data = ''
    const framing = new ChunkedFraming(keepsTrailers, (bytes, from, to) => {
      data += bytes.toString('latin1', from, to)
    })
    const buffer = Buffer.from('5\r\nhello\r\n6\r\n world\r\n0\r\nX-A: b\r\n\r\n')
    expect(framing.scan(buffer, 0, buffer.length)).toBe(buffer.length)
    expect(data).toBe('hello world')
    expect(framing).toMatchObject({ done: true, forwardTo: 0, tail })
  })
})

describe('trailers', () => {
  const end = (keepsTrailers: boolean, section: string): ChunkedFraming => {
    const framing = new ChunkedFraming(keepsTrailers)
    const buffer = Buffer.from(`0\r\n${section}\r\n`)
    expect(framing.scan(buffer, 0, buffer.length)).toBe(buffer.length)
    return framing
  }

  it('D23 are held back, and dropped for a receiver that did not ask for them', () => {
    expect(end(false, 'X-Sum: 1\r\n')).toMatchObject({ done: true, forwardTo: 3, tail: '\r\n' })
  })

  it('D23 are forwarded to a receiver that did', () => {
    const section = 'grpc-status: 0\r\nX-Sum:1\r\n'
    expect(end(true, section)).toMatchObject({ forwardTo: 3, tail: `${section}\r\n` })
  })

  it.each([
    'Host: evil',
    'Authorization: x',
    'Cookie: x',
    'Set-Cookie: x',
    'Content-Type: x',
    'Content-Encoding: gzip',
    'X-Forwarded-For: 1',
    'X_Forwarded_For: 1',
    'X-Request-ID: 1',
    'Upgrade: x',
    'TE: x',
    'Trailer: x',
    'Expect: x',
    'Proxy-Authenticate: x',
  ])('D23 lose %s (RFC 9110 §6.5.1)', (line) => {
    expect(end(true, `X-A: b\r\n${line}\r\n`).tail).toBe('X-A: b\r\n\r\n')
  })

  it('D21 are bounded in bytes, even while their end is still to come', () => {
    const framing = new ChunkedFraming(true)
    const read = Buffer.from(`0\r\nX: ${'x'.repeat(TRAILER_BYTES_MAX)}`)
    expect(framing.scan(read, 0, read.length)).toBe(MALFORMED)
  })

  it('D21 are bounded in number', () => {
    const framing = new ChunkedFraming(true)
    const read = Buffer.from(`0\r\n${'X: y\r\n'.repeat(FIELDS_MAX + 1)}\r\n`)
    expect(framing.scan(read, 0, read.length)).toBe(MALFORMED)
  })
})
