import { expect, it } from 'vitest'
import { CLOSE } from './operations.ts'
import { Ring, type Member } from './ring.ts'
import { systemCalls } from './system-calls.ts'

const openRing = (completionsMax?: number): Ring | undefined => {
  const calls = systemCalls()
  try {
    return calls && new Ring(calls, completionsMax)
  } catch {
    return undefined
  }
}
const ring = openRing(1_024)
ring?.watch()
const NOBODYS = 1_000_000

it.skipIf(ring === undefined)(
  'loses no completion, however many there are at once [needs io_uring]',
  async () => {
    const results: number[] = []
    const member: Member = { onCompletion: (_operation, result) => results.push(result) }
    const place = ring?.enter(member) ?? 0
    const ASKED = 10_000
    for (let n = 0; n < ASKED; n += 1) ring?.ask(place, CLOSE, 0, NOBODYS, 0, 0, 0)
    await expect.poll(() => results.length).toBe(ASKED)
    expect(new Set(results)).toEqual(new Set([-9]))
    ring?.leave(place)
  },
)
