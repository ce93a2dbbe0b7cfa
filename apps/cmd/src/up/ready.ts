/** From processes that were started to a fleet that answers. */
import { get } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { liveService, type Release } from '@gatehouse/domain'
import { openReplica, submit, TOOL } from '@gatehouse/events'
import type { Io } from '../io.ts'
import type { Output } from '../output/output.ts'
import { withSession } from '../session.ts'
import { readSpecFile } from '../spec/spec-file.ts'
import { toRelease } from '../spec/to-release.ts'
import { EXAMPLE_HOST, type Example } from './example.ts'
import { logFolder } from './programs.ts'
import { proxyName, reachable, type Address, type UpSettings } from './settings.ts'

const FLEET_WITHIN_MS = 60_000
const ANSWER_WITHIN_MS = 30_000
const POLL_MS = 50
const REQUEST_WITHIN_MS = 5_000

/** Waits until every proxy and a worker have reported. False when one is too long in coming: said. */
export const awaitFleet = (io: Io, output: Output, settings: UpSettings): Promise<boolean> =>
  withSession(io, output, async ({ readFleet, log, interrupted }) => {
    const { name, proxies } = settings
    const wanted = Array.from({ length: proxies }, (_, index) => proxyName(name, index))
    const giveUpAt = performance.now() + FLEET_WITHIN_MS
    let missing: readonly string[] = wanted
    while (missing.length > 0 && performance.now() < giveUpAt) {
      const [{ position }, fleet] = await Promise.all([log.head(), readFleet()])
      const here = fleet.proxies.filter((proxy) => proxy.live && proxy.position >= position)
      missing = [
        ...wanted.filter((id) => !here.some((proxy) => proxy.id === id)),
        ...(fleet.workers.some((worker) => worker.live) ? [] : ['a worker']),
      ]
      if (missing.length > 0) await wait(POLL_MS, undefined, { signal: interrupted })
    }
    if (missing.length > 0) {
      output.warn(
        `not ready after ${FLEET_WITHIN_MS / 1_000} s: ${missing.join(', ')}; see ${logFolder(settings.dataDir)}`,
      )
    }
    return missing.length === 0
  })

/** Deploys the example's blue release where no `hello` is known yet, and waits for an answer. */
export const seedExample = (
  io: Io,
  output: Output,
  settings: UpSettings,
  example: Example,
): Promise<void> =>
  withSession(io, output, async ({ log, interrupted }) => {
    const { service, release } = await readExample(example)
    const replica = await openReplica(log)
    const known = liveService(replica.table.gateway, service)
    if (known === undefined) {
      output.now('deploying the example')
      const meta = { actor: 'up', reason: 'the example', command: crypto.randomUUID(), tool: TOOL }
      const options = { stage: false, takeOver: false, ifAbsent: true }
      await submit(log, replica, { type: 'Deploy', service, release, ...options }, meta)
    }
    const at = reachable(settings.listen)
    const answered = await answers(at, known !== undefined, interrupted)
    if (answered !== true) {
      output.warn(
        `the example does not answer yet (${answered}); npm run cmd -- show ${service} says more`,
      )
    }
  })

const readExample = async (example: Example): Promise<{ service: string; release: Release }> => {
  const { spec } = example.blue
  const read = toRelease(await readSpecFile(spec, spec), { from: spec, newId: () => 'blue' })
  if ('problems' in read) throw new Error(read.problems.join('; '))
  return read
}

/**
 * True once a request comes through, or how the last one ended. Of a service that was there before,
 * any answer will do: it may be paused, or moved to other hosts.
 */
const answers = async (
  address: Address,
  wasThere: boolean,
  signal: AbortSignal,
): Promise<true | string> => {
  const giveUpAt = performance.now() + ANSWER_WITHIN_MS
  let last = 'no answer'
  while (performance.now() < giveUpAt) {
    last = await ask(address)
    if (last === '200' || (wasThere && /^\d+$/.test(last))) return true
    await wait(POLL_MS, undefined, { signal })
  }
  return last
}

const ask = ({ host, port }: Address): Promise<string> =>
  new Promise((resolve) => {
    const request = get(
      {
        host,
        port,
        path: '/',
        headers: { host: EXAMPLE_HOST },
        agent: false,
        timeout: REQUEST_WITHIN_MS,
      },
      (response) => {
        response.resume()
        resolve(String(response.statusCode))
      },
    )
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', (error) => resolve(error.message))
  })
