import { expect, it } from 'vitest'
import { createPeer } from '../http/forward-head.ts'
import { clientOf, ConnectionLimits } from './connection-limits.ts'

const from = (address: string, trusted = false) => createPeer(address, 'http', trusted)

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['2001:db8:0:1::', '2001:db8:0:1::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::', '0:0:0:0::/64'],
  ['1::2:3:4:5:6', '1:0:0:2::/64'],
  ['', ''],
])('P2 counts %j as %j', (address, client) => {
  expect(clientOf(address)).toBe(client)
})

it('P2 counts the addresses of one IPv6 network together, and other networks apart', () => {
  const limits = new ConnectionLimits({
    clientConnectionsMax: 9,
    clientConnectionsPerAddressMax: 2,
  })
  expect(limits.enter(from('2001:db8:0:1::1'))).toBeUndefined()
  expect(limits.enter(from('2001:db8:0:1:ffff::2'))).toBeUndefined()
  expect(limits.enter(from('2001:db8:0:1::3'))).toBe('address')
  expect(limits.enter(from('2001:db8:0:2::3'))).toBeUndefined()
  limits.leave(from('2001:db8:0:1::1'))
  expect(limits.enter(from('2001:db8:0:1::3'))).toBeUndefined()
})

it('P2 lets a trusted proxy have more than one address may, up to what there is', () => {
  const limits = new ConnectionLimits({
    clientConnectionsMax: 3,
    clientConnectionsPerAddressMax: 1,
  })
  const front = from('10.0.0.1', true)
  for (let n = 0; n < 3; n += 1) expect(limits.enter(front)).toBeUndefined()
  expect(limits.enter(front)).toBe('total')
  limits.leave(front)
  expect(limits.enter(from('192.0.2.1'))).toBeUndefined()
})
