/**
 * As much of a proxy as an authority gets to see: it follows the log, answers the challenges that it has
 * applied, and says in its presence how far it is. It may lag, as a busy one does.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import type { AuthorityChallenge } from '@gatehouse/domain'
import { apply, emptyReplica } from '@gatehouse/events'
import type { TestFleet } from './fleet.ts'

export interface ChallengeProxy extends AsyncDisposable {
  readonly answered: () => number
  /** Questions that it had no answer to. */
  readonly missed: () => number
}

export interface ChallengeProxyOptions {
  readonly id: string
  readonly address?: string
  readonly port: number
  /** How long it takes to apply what it reads. */
  readonly lagMs?: number
}

export const startChallengeProxy = async (
  fleet: TestFleet,
  { id, address = '127.0.0.1', port, lagMs = 0 }: ChallengeProxyOptions,
): Promise<ChallengeProxy> => {
  const presence = await fleet.startProxy(id)
  const replica = emptyReplica()
  const stop = new AbortController()
  const count = { answered: 0, missed: 0 }
  const server = createServer((request, response) => {
    const found = challengesOf(replica).find(
      (each) =>
        each.kind === 'http-01' && request.url === `/.well-known/acme-challenge/${each.token}`,
    )
    if (found?.kind === 'http-01') {
      count.answered += 1
      response.end(found.keyAuthorization)
    } else {
      count.missed += 1
      response.writeHead(404).end()
    }
  })
  server.listen(port, address)
  await once(server, 'listening')

  const follow = async (): Promise<void> => {
    for await (const batch of fleet.log.follow(replica.place, stop.signal)) {
      if (lagMs > 0) await wait(lagMs, undefined, { signal: stop.signal }).catch(() => undefined)
      if (stop.signal.aborted) return
      for (const each of batch) if (each.kind === 'recorded') apply(replica, each.recorded)
      await presence.say({ position: replica.place.position })
    }
  }
  const following = follow()
  return {
    answered: () => count.answered,
    missed: () => count.missed,
    [Symbol.asyncDispose]: async () => {
      stop.abort()
      await following
      server.close()
      await once(server, 'close')
    },
  }
}

const challengesOf = ({ table }: ReturnType<typeof emptyReplica>): readonly AuthorityChallenge[] =>
  [...table.gateway.certificates.values()].flatMap(({ order }) => order?.challenges ?? [])
