import { once } from 'node:events'
import { createServer } from 'node:net'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { requestUpgrade, type Requested } from './upgrade-request.ts'

/** What is made of an `up` that says this, whatever it is asked. */
const askedOf = async (answer: string): Promise<Requested> => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  const path = join(folder, 'turn.sock')
  const server = createServer((socket) => {
    socket.once('data', () => socket.end(`a greeting\n${answer}\n`))
  })
  server.listen(path)
  await once(server, 'listening')
  try {
    return await requestUpgrade(path, 1, () => {}, new AbortController().signal)
  } finally {
    server.close()
    rmSync(folder, { recursive: true })
  }
}

const proxy = { id: 'b', succeeds: 'a', readyMs: 1, finishMs: 2, cut: null }

it('L11 takes what came of an upgrade from the one that carried it out', async () => {
  const upgraded = { proxies: [proxy], failure: { because: 'late', why: 'it took too long' } }
  expect(await askedOf(JSON.stringify({ upgraded }))).toEqual({ kind: 'answered', upgraded })
})

it.each([
  ['something else', {}],
  ['a proxy in another form', { proxies: [{ ...proxy, cut: 'none' }] }],
  ['a reason that it does not know', { proxies: [], failure: { because: 'tired', why: 'x' } }],
])('L11 takes %s for no answer, rather than for a success', async (_what, upgraded) => {
  expect(await askedOf(JSON.stringify({ upgraded }))).toEqual({ kind: 'unanswered' })
})
