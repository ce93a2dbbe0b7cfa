import { describe, expect, it } from 'vitest'
import { causeOf } from './probe-cause.ts'

const withCode = (code: string, message = 'boom'): Error =>
  Object.assign(new Error(message), { code })

describe('the cause of a failed attempt', () => {
  it.each([
    ['ECONNREFUSED', 'was refused'],
    ['UND_ERR_SOCKET', 'was cut off by the target before it answered'],
    ['ENOTFOUND', 'could not be sent: the host name does not resolve'],
    ['ENOENT', 'could not be sent: the socket does not exist'],
    ['HPE_INVALID_CONSTANT', 'was answered with something that is not HTTP/1.1'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'was not sent, because TLS failed: boom'],
  ])('%s reads "%s"', (code, sentence) => {
    expect(causeOf(withCode(code))).toBe(sentence)
  })

  it('is found behind an error that wraps it', () => {
    expect(causeOf(new Error('outer', { cause: withCode('ECONNREFUSED') }))).toBe('was refused')
  })

  it('is the message on one line when nothing better is known', () => {
    expect(causeOf(new Error('two\nlines'))).toBe('failed: two lines')
  })
})
