import { describe, expect, it } from 'vitest'
import { HEAD_BYTES_MAX } from '../../http/limits.ts'
import { Field } from '../../http2/field.ts'
import { ResponseFields } from './response-fields.ts'

describe('the fields of an answer', () => {
  it('N15 are written as the lines that HTTP/1.1 has for them', () => {
    const fields = new ResponseFields()
    fields.begin()
    for (const [name, value] of [
      [':status', '404'],
      ['content-length', '3'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ] as const) {
      fields.onField(new Field(name, value))
    }
    expect(fields.malformed).toBe(false)
    expect(fields.length).toBe('3')
    expect(fields.head).toBe(
      'HTTP/1.1 404 Not Found\r\ncontent-length: 3\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n',
    )
  })

  it('P3 grow no longer than a head may be, whatever a block unpacks to', () => {
    const fields = new ResponseFields()
    fields.begin()
    const field = new Field('a', 'x'.repeat(4_000))
    for (let n = 0; n < 10_000; n += 1) fields.onField(field)
    expect(fields.lines.length).toBeGreaterThan(HEAD_BYTES_MAX)
    expect(fields.lines.length).toBeLessThan(2 * HEAD_BYTES_MAX)
  })
})
