import { describe, expect, it } from 'vitest'
import { readAnswer, writeUpdate, writeZoneQuestion } from './dns-message.ts'

const question = writeZoneQuestion(7, 'a.test')

/** An answer to `question` with one SOA record, whose owner is written as given. */
const answerWith = (owner: Buffer): Buffer => {
  const head = Buffer.from(question)
  head.writeUInt16BE(0x84_00, 2)
  head.writeUInt16BE(1, 6)
  return Buffer.concat([head, owner, Buffer.from('00060001000000000000', 'hex')])
}

describe('answers of a name server', () => {
  it('name the zone, also where its name is a pointer', () => {
    const zone = Buffer.from([0xc0, 12 + 2])
    expect(readAnswer(answerWith(zone))).toEqual({ id: 7, code: 'NOERROR', zone: 'test' })
    expect(readAnswer(question)).toEqual({ id: 7, code: 'NOERROR', zone: undefined })
  })

  it('are none when a name leads in a circle, or when they end too early', () => {
    const circle = Buffer.from([0xc0, question.length])
    expect(readAnswer(answerWith(circle))).toBeUndefined()
    const whole = answerWith(Buffer.from([0]))
    for (let length = 0; length < whole.length - 8; length++) {
      expect(readAnswer(whole.subarray(0, length))?.zone).toBeUndefined()
    }
  })
})

describe('updates', () => {
  it('are refused for what does not fit into the DNS', () => {
    const change = { id: 1, zone: 'test', kind: 'add', name: 'a.test', text: 'x' } as const
    expect(() => writeUpdate({ ...change, text: 'x'.repeat(256) }, undefined, 0)).toThrow(
      RangeError,
    )
    expect(() => writeUpdate({ ...change, name: `${'a'.repeat(64)}.test` }, undefined, 0)).toThrow(
      RangeError,
    )
    expect(() => writeUpdate({ ...change, name: 'a..test' }, undefined, 0)).toThrow(RangeError)
  })
})
