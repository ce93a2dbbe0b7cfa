import { describe, it } from 'vitest'
import { LOG_PROMISES } from '../../../libs/events/src/log.contract.ts'
import { openLog } from './own-redis.ts'

describe('the log on Redis', () => {
  it.each(LOG_PROMISES)('$claim', async ({ assertKept }) => {
    await using open = openLog()
    await assertKept(open.log)
  })
})
