/**
 * What Debian's Pebble lacks, in front of it: an authority that advises on renewals (RFC 9773) and has limits.
 * It shows the directory of the authority behind it, with addresses of its own for what it answers itself.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { Agent, request } from 'undici'
import { cert, key } from './self-signed.ts'

export interface CaFront extends AsyncDisposable {
  readonly directory: string
  /** Milliseconds from a question about a renewal to the begin of the window, which lasts a second. */
  startsInMs: number
  /** `Retry-After` of every answer, in seconds. */
  retryAfterSeconds: number
  /** Status of the answers to questions about renewals. */
  adviceStatus: number
  /** With a status here, orders are refused with it; else they go to the authority behind. */
  orderStatus: number | undefined
  /** The certificates that it was asked about. */
  readonly asked: string[]
  /** What was ordered and refused. */
  readonly refused: unknown[]
}

/** `behind`: the directory of another authority. */
export const startCaFront = async (behind?: string): Promise<CaFront> => {
  const trusting = new Agent({ connect: { ca: cert } })
  const answer = async (asking: IncomingMessage): Promise<{ status: number; body: unknown }> => {
    const path = asking.url ?? ''
    if (path === '/directory') return { status: 200, body: await shown() }
    if (path === '/order') {
      const { payload } = Object(JSON.parse(await text(asking)))
      front.refused.push(JSON.parse(Buffer.from(String(payload), 'base64url').toString()))
      const type = 'urn:ietf:params:acme:error:rateLimited'
      return { status: front.orderStatus ?? 500, body: { type, detail: 'too many orders' } }
    }
    front.asked.push(path.replace('/renewal-info/', ''))
    const start = Date.now() + front.startsInMs
    const suggestedWindow = { start: isoOf(start), end: isoOf(start + 1_000) }
    const body = { suggestedWindow, explanationURL: 'https://ca.test/why' }
    return { status: front.adviceStatus, body }
  }
  const shown = async (): Promise<unknown> => {
    const { origin } = new URL(front.directory)
    const own = { newOrder: `${origin}/order`, newAccount: `${origin}/account` }
    const theirs =
      behind === undefined
        ? own
        : Object(await (await request(behind, { dispatcher: trusting })).body.json())
    const order = front.orderStatus === undefined ? {} : { newOrder: own.newOrder }
    return { ...theirs, ...order, renewalInfo: `${origin}/renewal-info` }
  }
  const reply = async (asking: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, body } = await answer(asking)
    response.writeHead(status, { 'retry-after': String(front.retryAfterSeconds) })
    response.end(JSON.stringify(body))
  }
  const server = createServer({ cert, key }, (asking, response) => void reply(asking, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const front: CaFront = {
    directory: `https://localhost:${portOf(server)}/directory`,
    startsInMs: 86_400_000,
    retryAfterSeconds: 21_600,
    adviceStatus: 200,
    orderStatus: undefined,
    asked: [],
    refused: [],
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await trusting.close()
    },
  }
  return front
}

const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It listens nowhere.')
  return address.port
}

const isoOf = (ms: number): string => new Date(ms).toISOString()
