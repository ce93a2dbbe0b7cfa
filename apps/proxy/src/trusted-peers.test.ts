import { expect, it } from 'vitest'
import { createTrust } from './trusted-peers.ts'

it('D7 trusts the addresses of its ranges and no other', () => {
  const isTrusted = createTrust(['10.0.0.0/8', '192.0.2.7', 'fd00::/8'])
  expect(['10.1.2.3', '192.0.2.7', 'fd12::1'].map(isTrusted)).toEqual([true, true, true])
  expect(['11.0.0.1', '192.0.2.8', 'fe80::1', '', 'app'].map(isTrusted)).not.toContain(true)
})

it('trusts nobody by default', () => {
  expect(createTrust([])('127.0.0.1')).toBe(false)
})

it.each(['10.0.0.0/33', '10.0.0/8', 'fd00::/129', '10.0.0.0/x', 'localhost'])(
  'refuses %s as a range, by name',
  (range) => {
    expect(() => createTrust([range])).toThrow(range)
  },
)
