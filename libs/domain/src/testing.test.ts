import { describe, expect, it } from 'vitest'
import { deploy, given, passed, release } from './testing.ts'

const blue = release('blue')
const live = given(deploy('web', blue), passed('web', 1))

describe('given … when …', () => {
  it('A4 fails a test whose command led to something else', () => {
    const outcome = live.when({ type: 'Drain', service: 'web' })
    const resumed = { type: 'ServiceResumed', service: 'web' } as const
    expect(() => outcome.records(resumed)).toThrow('expected {"accepted":[{"service":"web","type"')
    expect(() => outcome.records()).toThrow('but got')
    expect(() => outcome.recordsTypes('DrainEnded')).toThrow('DrainStarted')
    expect(() => outcome.recordsNothing()).toThrow('DrainStarted')
    expect(() => outcome.isRejected('unknown-service')).toThrow('DrainStarted')
  })

  it('A4 fails a test whose command was refused, or for another reason', () => {
    const outcome = live.when({ type: 'Switch', service: 'web', release: 'pink' })
    expect(() => outcome.recordsNothing()).toThrow('unknown-release')
    expect(() => outcome.recordsTypes()).toThrow('unknown-release')
    expect(() => outcome.isRejected('unknown-service')).toThrow('unknown-release')
    expect(() => outcome.isRejected('unknown-release', { release: 'red' })).toThrow('pink')
  })

  it('A4 does not start from a past that cannot be', () => {
    expect(() => given({ type: 'Resume', service: 'web' })).toThrow(
      'The past cannot hold a Resume of web: it is refused with {"reason":"unknown-service"',
    )
  })
})
