import { describe, expect, it } from 'vitest'
import { EXCERPT_CHARACTERS_MAX, printable } from './probe.ts'

describe('an excerpt', () => {
  it('shows no control characters, so that it is safe on a terminal', () => {
    expect(printable('a\u001B[31mb\u0000c')).toBe('a\uFFFD[31mb\uFFFDc')
  })

  it('is one line', () => {
    expect(printable(' starting\r\n\tplease wait \n')).toBe('starting please wait')
  })

  it('has a bound, and stays well-formed where it is cut', () => {
    const long = printable(`a${'🚪'.repeat(EXCERPT_CHARACTERS_MAX)}`)
    expect(long).toHaveLength(EXCERPT_CHARACTERS_MAX)
    expect(long.isWellFormed()).toBe(true)
  })
})
