/**
 * The exchanges of all client connections. A connection has one from the head of a request to the end
 * of its answer, so that an idle one costs little; and those who come and go leave nothing to collect,
 * because whoever comes next gets the one that was given back last.
 */
import type { ServeContext } from './context.ts'
import type { ExchangeClient } from './exchange-client.ts'
import { Exchange } from './exchange.ts'
import { SPARE_EXCHANGES_MAX } from './limits.ts'

export class Exchanges {
  readonly #context: ServeContext
  readonly #spare: Exchange[] = []

  constructor(context: ServeContext) {
    this.#context = context
  }

  take(client: ExchangeClient): Exchange {
    const exchange = this.#spare.pop()
    if (exchange === undefined) return new Exchange(this.#context, client)
    exchange.client = client
    return exchange
  }

  /** Its client has heard how it ended, or has gone: it does nothing more by itself. */
  give(exchange: Exchange): void {
    if (this.#spare.length < SPARE_EXCHANGES_MAX) this.#spare.push(exchange)
  }
}
