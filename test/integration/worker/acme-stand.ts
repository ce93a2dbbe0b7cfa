/**
 * An order without a fleet: stores in memory, and one small server that shows the CA what the order wants
 * shown, where the proxies would be.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createSecureContext, createServer as createTlsServer } from 'node:tls'
import type { Account, AccountStore } from '../../../apps/worker/src/acme/account.ts'
import { openAuthority } from '../../../apps/worker/src/acme/authority.ts'
import type { Bundle } from '@gatehouse/events'
import type { OpenedOrder, OrderStore } from '../../../apps/worker/src/acme/order.ts'
import type { ProxyProof } from '../../../apps/worker/src/acme/prove.ts'
import { readAcmeSettings } from '../../../apps/worker/src/acme/settings.ts'
import type { Pebble } from '../../support/pebble.ts'

export interface Stand extends AsyncDisposable {
  /** What the CA was ever shown. */
  readonly shown: readonly ProxyProof[]
  /** How often it was taken down. */
  readonly withdrawn: () => number
  readonly account: AccountStore
  readonly order: OrderStore
  /** One attempt, for `app.gatehouse.test` if nothing else is said. */
  readonly place: (about?: About) => Promise<Bundle>
}

export interface About {
  readonly names?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  /** That have failed before. */
  readonly attempts?: number
  /** In how many hours the fleet has a place for it. */
  readonly placeInHours?: number
  /** Instead of showing the proofs. */
  readonly publish?: (proofs: readonly ProxyProof[]) => Promise<void>
  readonly signal?: AbortSignal
}

export const openStand = async (pebble: Pebble): Promise<Stand> => {
  await using stack = new AsyncDisposableStack()
  const shown: ProxyProof[] = []
  stack.use(await answerHttp(shown, pebble.httpPort))
  stack.use(await answerTls(shown, pebble.tlsPort))
  const [account, order] = [keepAccount(), keepOrder()]
  const show = (proofs: readonly ProxyProof[]): Promise<void> => {
    shown.push(...proofs)
    return Promise.resolve()
  }
  let withdrawn = 0
  const withdraw = (): Promise<void> => {
    withdrawn += 1
    return Promise.resolve()
  }
  const owned = stack.move()
  return {
    shown,
    withdrawn: () => withdrawn,
    account,
    order,
    place: ({ environment, publish = show, signal, placeInHours = 0, ...about } = {}) => {
      const settings = readAcmeSettings({
        GATEHOUSE_ACME_DIRECTORY: pebble.directory,
        GATEHOUSE_ACME_CA: pebble.caFile,
        ...environment,
      })
      const store = {
        account: () => account,
        order: () => order,
        takePlace: (_: string, hour: number) => Promise.resolve(hour + placeInHours),
      }
      const authority = openAuthority(settings, store, (error) => {
        throw error
      })
      const { names = ['app.gatehouse.test'], attempts = 0 } = about
      const wanted = { order: 'web/1', names, attempts, replaces: undefined }
      return authority.order(wanted, { publish, withdraw }, signal ?? new AbortController().signal)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

const keepAccount = (): AccountStore => {
  let kept: Account | undefined
  const put = (account: Account): Promise<void> => {
    kept = account
    return Promise.resolve()
  }
  return {
    load: () => Promise.resolve(kept),
    add: (account) => Promise.resolve((kept ??= account)),
    update: put,
    remove: () => {
      kept = undefined
      return Promise.resolve()
    },
  }
}

const keepOrder = (): OrderStore => {
  let kept: OpenedOrder | undefined
  return {
    load: () => Promise.resolve(kept),
    save: (order) => {
      kept = order
      return Promise.resolve()
    },
    remove: () => {
      kept = undefined
      return Promise.resolve()
    },
  }
}

const answerHttp = async (shown: readonly ProxyProof[], port: number): Promise<AsyncDisposable> => {
  const server = createServer((request, response) => {
    const found = shown.find(
      (proof) =>
        proof.kind === 'http-01' && request.url === `/.well-known/acme-challenge/${proof.token}`,
    )
    if (found?.kind === 'http-01') response.end(found.keyAuthorization)
    else response.writeHead(404).end()
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const answerTls = async (shown: readonly ProxyProof[], port: number): Promise<AsyncDisposable> => {
  const server = createTlsServer({
    ALPNProtocols: ['acme-tls/1'],
    SNICallback: (name, answer) => {
      const found = shown.find((proof) => proof.kind === 'tls-alpn-01' && proof.host === name)
      if (found?.kind !== 'tls-alpn-01') return answer(new Error('nothing is shown'))
      answer(null, createSecureContext({ key: found.key, cert: found.chain }))
    },
  })
  server.on('tlsClientError', () => undefined)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    [Symbol.asyncDispose]: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
