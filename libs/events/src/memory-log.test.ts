import { describe, it } from 'vitest'
import { LOG_PROMISES } from './log.contract.ts'
import { createMemoryLog } from './memory-log.ts'

describe('the log in memory', () => {
  it.each(LOG_PROMISES)('$claim', ({ assertKept }) => assertKept(createMemoryLog(() => 1_000)))
})
