/** GATEHOUSE_PARANOID from the environment of a process to its metrics and its log. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { ask } from '../support/client.ts'
import { startFleet, type TestFleet, type TestProxy } from '../support/fleet.ts'

const REFUSALS = 'gatehouse_second_opinion_refusals_total{message="request"}'

let fleet: TestFleet
beforeAll(async () => {
  fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 0, workers: 0 })
})
afterAll(() => fleet[Symbol.asyncDispose]())

/** llhttp takes Proxy-Connection for Connection, and no standard does. */
const askOddly = async ({ port }: TestProxy): Promise<number> => {
  const headers = { Connection: 'keep-alive', 'Proxy-Connection': 'close' }
  return (await ask(port, { host: 'a.test', headers })).status
}

it('P1 GATEHOUSE_PARANOID=1 refuses what two parsers read differently, counts it and says so', async () => {
  const careful = await fleet.startProxy('careful', { GATEHOUSE_PARANOID: '1' })
  expect((await careful.ask('a.test')).status).toBe(404)
  expect(await askOddly(careful)).toBe(400)
  expect(await careful.metric(REFUSALS)).toBe(1)
  expect(careful.output()).toContain('two parsers read a head differently')
})

it('P1 it is off unless it is asked for', async () => {
  const plain = await fleet.startProxy('plain')
  expect(await askOddly(plain)).toBe(404)
  expect(await plain.metric(REFUSALS)).toBe(0)
})
