/**
 * The admin listener: what probes, scrapers and people may ask a running proxy. It only reads, it
 * listens on loopback by default, and it is never reachable through the ports that serve traffic.
 */
import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Server as TcpServer } from 'node:net'
import { addressText, type Address } from '../config.ts'
import { createServer } from '../node-http.ts'
import { reasonOf } from './reason.ts'

export interface AdminView {
  /** Why the proxy should get no traffic at present; empty when it is ready. */
  readonly notReadyBecause: () => readonly string[]
  readonly routes: () => readonly RouteRow[]
  /** In the text format of Prometheus. */
  readonly metrics: () => string
}

export interface RouteRow {
  readonly host: string
  readonly service: string
  readonly release: string | null
  readonly target: string | null
  readonly state: 'active' | 'ejected' | 'paused' | 'stopped' | 'no active release'
  readonly inFlight: number
}

export interface AdminListener {
  readonly address: Address
  /**
   * Accepts nothing more and frees the port. On a socket that was handed down, somebody else answers from
   * now on, and what was accepted is answered first. Safe to call twice.
   */
  readonly close: () => Promise<void>
}

const HEAD_MS_MAX = 5_000
const LAST_ANSWERS_MS = 1_000

/** Throws when the port is busy, with the address and the setting in the sentence. */
export const listenAdmin = async (address: Address, view: AdminView): Promise<AdminListener> => {
  const server = createServer(
    { headersTimeout: HEAD_MS_MAX, requestTimeout: HEAD_MS_MAX },
    (request, response) => {
      answer(view, request, response)
    },
  )
  const { host, port: wanted, fd } = address
  server.listen(fd === undefined ? { host, port: wanted } : { fd })
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw new Error(
      `Cannot listen on ${addressText(address)} for the admin listener: ${reasonOf(cause)}; GATEHOUSE_ADMIN sets another address`,
      { cause },
    )
  }
  const bound = server.address()
  let closing: Promise<void> | undefined
  const at = bound === null || typeof bound === 'string' ? { address: host, port: wanted } : bound
  return {
    address: { host: fd === undefined ? host : at.address, port: at.port },
    close: () => {
      closing ??= close(server, fd === undefined ? 0 : LAST_ANSWERS_MS)
      return closing
    },
  }
}

const close = async (server: Server, lastAnswersMs: number): Promise<void> => {
  const closed = once(server, 'close')
  // That of node:http would cut connections whose question is still on its way.
  TcpServer.prototype.close.call(server)
  const overdue = setTimeout(() => server.closeAllConnections(), lastAnswersMs)
  await closed
  clearTimeout(overdue)
}

const answer = (view: AdminView, request: IncomingMessage, response: ServerResponse): void => {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return send(response, 405, 'text/plain', 'only GET and HEAD are answered here\n')
  }
  // A page in a browser may make it call loopback under a name of its own (DNS rebinding).
  if (request.headers.origin !== undefined || !isPlainHost(request.headers.host)) {
    return send(response, 403, 'text/plain', 'ask by address or as localhost, not from a page\n')
  }
  const url = URL.parse(request.url ?? '/', 'http://admin')
  switch (url?.pathname ?? '') {
    case '/healthz':
    case '/livez':
      return send(response, 200, 'text/plain', 'ok\n')
    case '/readyz': {
      const reasons = view.notReadyBecause()
      const text = reasons.length === 0 ? 'ready\n' : reasons.map((each) => `${each}\n`).join('')
      return send(response, reasons.length === 0 ? 200 : 503, 'text/plain', text)
    }
    case '/routes':
      return send(response, 200, 'application/json', `${JSON.stringify(view.routes())}\n`)
    case '/metrics':
      return send(response, 200, 'text/plain; version=0.0.4', view.metrics())
    default:
      return send(response, 404, 'text/plain', 'try /healthz, /readyz, /routes or /metrics\n')
  }
}

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': `${type}; charset=utf-8` })
  response.end(body)
}

const isPlainHost = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|[\d.]+|\[[0-9a-f:.]+\])(:\d+)?$/i.test(host)
