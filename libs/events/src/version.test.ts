import { describe, expect, it } from 'vitest'
import { TOOL, VERSION } from './version.ts'

describe('the version', () => {
  it('is that of the project', () => {
    expect(VERSION).toMatch(/^\d+\.\d+\.\d+/)
    expect(TOOL).toBe(`gatehouse/${VERSION}`)
  })
})
