import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { get, startEdge, statusOf } from './edge.ts'
import { always, ok, startTarget } from './target.ts'

it('closes idle connections at once when it stops, and busy ones after their answers', async () => {
  await using edge = await startEdge()
  await using target = await startTarget()
  edge.route({ targets: [target.url] })
  const idle = edge.client()
  const busy = edge.client()
  busy.send(get())
  const connection = await target.connection(0)
  await connection.head()
  const finished = edge.plane.finish(10_000)
  await eventually('the idle one was closed', () => idle.over)
  expect(busy.over).toBe(false)
  connection.send(ok('the last'))
  await eventually('the busy one was closed', () => busy.over)
  expect(busy.text).toMatch(/Connection: close\r\n\r\nthe last$/)
  busy.socket.destroy()
  idle.socket.destroy()
  expect(await finished).toEqual({ cut: 0 })
})

it('cuts what is left when its grace is over, and counts it', async () => {
  await using edge = await startEdge({ limits: { lingerMs: 100 } })
  await using silent = await startTarget()
  await using streaming = await startTarget(always('HTTP/1.1 200 OK\r\n\r\nit goes on'))
  edge.route({ targets: [silent.url, streaming.url] })
  const waiting = edge.client()
  waiting.send(get())
  await silent.connection(0)
  const reading = edge.client()
  reading.send(get())
  await reading.sees('it goes on')
  expect(await edge.plane.finish(100)).toEqual({ cut: 2 })
  await eventually('both were told', () => waiting.over && reading.closed)
  expect(statusOf(waiting.text)).toBe(504)
  expect(reading.error?.message).toContain('ECONNRESET')
})

it('takes no new connection once it has stopped accepting', async () => {
  await using edge = await startEdge()
  const before = edge.client()
  await eventually('it is there', () => edge.plane.counters.clients.open === 1)
  edge.plane.stopAccepting()
  const after = edge.client()
  await eventually('it was refused', () => after.closed)
  expect(after.error?.message).toContain('ECONNREFUSED')
  before.send(get())
  await before.sees('404')
})

it('shares its port with other processes, and says which address is taken by somebody else', async () => {
  await using edge = await startEdge()
  await using other = await startEdge()
  const shared = await other.plane.listen({ host: '127.0.0.1', port: edge.port })
  expect(shared.port).toBe(edge.port)
  await using alien = await startTarget()
  await expect(other.plane.listen({ host: '127.0.0.1', port: alien.port })).rejects.toThrow(
    `127.0.0.1:${alien.port}`,
  )
})
