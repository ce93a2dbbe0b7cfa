/** How many connections clients may have, in all and each. */
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { getAndClose, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

it('P2 resets what one address has too many of, and serves all others', async () => {
  const limits = { clientConnectionsMax: 20, clientConnectionsPerAddressMax: 10, lingerMs: 100 }
  const warnings: string[] = []
  const log = { debug: () => {}, warn: (_: object, text: string) => void warnings.push(text) }
  await using edge = await startEdge({ limits, log })
  await using target = await startTarget(always(ok('x')))
  edge.route({ targets: [target.url] })
  const { clients } = edge.plane.counters
  const flood = Array.from({ length: 50 }, () => edge.client('127.0.0.66'))
  await eventually('the flood is over', () => clients.accepted + clients.refused.address === 50)
  expect(clients).toMatchObject({ open: 10, accepted: 10, refused: { total: 0, address: 40 } })
  expect(statusOf(await edge.ask(getAndClose()))).toBe(200)
  await eventually('the rest is gone', () => flood.filter(({ closed }) => closed).length === 40)
  expect(warnings).toEqual([expect.stringContaining('GATEHOUSE_CONNECTIONS_PER_ADDRESS_MAX')])
  for (const { socket } of flood) socket.destroy()
  await eventually('they are forgotten', () => clients.open === 0)
  const again = edge.client('127.0.0.66')
  again.send(getAndClose())
  expect(statusOf(await again.sees('\r\n\r\n'))).toBe(200)
})

it('P2 lets a trusted proxy have more connections than any other address', async () => {
  const limits = { clientConnectionsMax: 6, clientConnectionsPerAddressMax: 2 }
  await using edge = await startEdge({ limits, trustedPeers: ['127.0.0.77'] })
  const { clients } = edge.plane.counters
  for (let n = 0; n < 5; n += 1) edge.client('127.0.0.77')
  await eventually('all are in', () => clients.open === 5)
  edge.client('127.0.0.66')
  await eventually('there is one more', () => clients.open === 6)
  edge.client('127.0.0.77')
  await eventually('and no more', () => clients.refused.total === 1)
  expect(clients.refused.address).toBe(0)
})
