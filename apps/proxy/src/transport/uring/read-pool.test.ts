import { expect, it } from 'vitest'
import { createEngine } from './engine.ts'
import { ReadPool } from './read-pool.ts'
import { systemCalls } from './system-calls.ts'

const calls = systemCalls()
const openEngine = () => {
  try {
    return calls && createEngine(calls)
  } catch {
    return undefined
  }
}
const engine = openEngine()

it.skipIf(engine === undefined)(
  'gives memory back when nobody has any, and not while the kernel may fill it [needs io_uring]',
  () => {
    if (calls === undefined || engine === undefined) return
    let given = 0
    const madvise = Object.assign(() => (given += 1), { pointer: 0n })
    const counted = { ...calls, madvise }
    const pool = new ReadPool(counted, engine.ring, 7, 8, 65_536)
    pool.rest()
    expect(given).toBe(0)
    const buffer = pool.take(0)
    pool.rest()
    expect(given).toBe(0)
    buffer.letGo()
    pool.readers += 1
    pool.rest()
    expect(given).toBe(0)
    pool.readers -= 1
    pool.rest()
    pool.rest()
    expect(given).toBe(1)
  },
)
