/**
 * How the ACME client reaches a CA: through undici like every other call of ours, with the CA's own root,
 * a bound on each answer, and the signal of the turn that asks. The client's library would send each
 * failed request again by itself, up to five times and minutes apart; here the first answer stands, and
 * when to try again is decided in one place (`back-off.ts`).
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { getCACertificates } from 'node:tls'
import { VERSION } from '@gatehouse/events'
import acme from 'acme-client'
import { Agent, request, type Dispatcher } from 'undici'
import { causeOf } from '../probe-cause.ts'
import { AcmeUnreachable, parseRetryAfter, refusalOf } from './problem.ts'

export interface AcmeConnection extends AsyncDisposable {
  /** Whatever is asked of the CA inside `ask` takes this connection, and ends with the signal. */
  readonly through: <Answer>(signal: AbortSignal, ask: () => Promise<Answer>) => Promise<Answer>
  /** One plain request, outside of the signed protocol. Throws `AcmeRefusal` and `AcmeUnreachable`. */
  readonly get: (url: string, signal: AbortSignal) => Promise<AcmeAnswer>
}

export interface AcmeAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly retryAfterMs: number | undefined
}

interface Passage {
  readonly dispatcher: Dispatcher
  readonly signal: AbortSignal
}

const ANSWER_MS_MAX = 30_000
const CONNECT_MS_MAX = 10_000
const ANSWER_BYTES_MAX = 1_000_000
const KEPT_ALIVE_MS = 4_000
/** RFC 8555 §6.1: a client says who it is. */
const USER_AGENT = `gatehouse/${VERSION}`

/** `trusted`: PEM of a root that vouches for the CA's server, besides the usual ones. */
export const openConnection = (trusted?: string): AcmeConnection => {
  const dispatcher = new Agent({
    connect: {
      timeout: CONNECT_MS_MAX,
      ...(trusted === undefined ? {} : { ca: [...getCACertificates('default'), trusted] }),
    },
    allowH2: false,
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
    maxResponseSize: ANSWER_BYTES_MAX,
    keepAliveTimeout: KEPT_ALIVE_MS,
  })
  return {
    through: (signal, run) => passages.run({ dispatcher, signal }, run),
    get: (url, signal) => ask({ dispatcher, signal }, { url, method: 'GET', headers: {} }),
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  }
}

/** The library has one HTTP client for the whole process; each order brings its own passage. */
const passages = new AsyncLocalStorage<Passage>()

acme.axios.defaults.adapter = async (config) => {
  const passage = passages.getStore()
  if (passage === undefined) throw new Error('A CA was asked outside of a connection.')
  const { status, headers, body } = await ask(passage, {
    url: config.url ?? '',
    method: (config.method ?? 'get').toUpperCase(),
    headers: Object.fromEntries(
      Object.entries(config.headers.toJSON()).map(([name, value]) => [name, String(value)]),
    ),
    ...(typeof config.data === 'string' ? { body: config.data } : {}),
  })
  return { config, status, statusText: '', headers, data: body }
}

interface Asked {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

const ask = async (
  { dispatcher, signal }: Passage,
  { url, method, headers, body }: Asked,
): Promise<AcmeAnswer> => {
  const answer = await receive(url, async () => {
    const received = await request(url, {
      dispatcher,
      signal,
      method,
      headers: { ...headers, 'user-agent': USER_AGENT },
      ...(body === undefined ? {} : { body }),
    })
    return { ...received, text: await received.body.text() }
  })
  const status = answer.statusCode
  const retryAfter = answer.headers['retry-after']
  const retryAfterMs = parseRetryAfter(
    typeof retryAfter === 'string' ? retryAfter : undefined,
    Date.now(),
  )
  // A nonce that is too old is nobody's fault: the library takes the new one and asks again (§6.5).
  if (status >= 400 && !answer.text.includes('acme:error:badNonce')) {
    throw refusalOf({ status, body: answer.text, retryAfterMs })
  }
  return { status, headers: flat(answer.headers), body: answer.text, retryAfterMs }
}

const receive = async <Answer>(url: string, run: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await run()
  } catch (error) {
    const { host } = new URL(url)
    throw new AcmeUnreachable(`the request to the CA at ${host} ${causeOf(error)}`, {
      cause: error,
    })
  }
}

const flat = (headers: Dispatcher.ResponseData['headers']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )
