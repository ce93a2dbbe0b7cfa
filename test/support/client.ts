/** One HTTP request as a client sends it: the host it means is in the Host field, the address is a proxy's. */
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { eventually } from './eventually.ts'

export interface Question {
  readonly host: string
  readonly path?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** An answer whose head has come and whose body may go on for ever. */
export interface OpenAnswer {
  readonly status: number
  /** The body so far. */
  readonly body: () => string
  /** Waits for the end, with a bound. */
  readonly ended: () => Promise<'complete' | 'cut'>
  /** Leaves, as a client does that closes its window. */
  readonly leave: () => void
}

/** What takes longer than this is a hang, and the test says so rather than wait for its own end. */
const ANSWER_MS_MAX = 10_000

/** Waits for the whole answer, on a connection of its own. Throws when it breaks off. */
export const ask = async (port: number, question: Question): Promise<Answer> => {
  const response = await send(port, question)
  let body = ''
  for await (const text of response.setEncoding('utf8')) body += String(text)
  return { status: response.statusCode ?? 0, headers: response.headers, body }
}

/** Waits for the head of the answer only. */
export const open = async (port: number, question: Question): Promise<OpenAnswer> => {
  const response = await send(port, question)
  let body = ''
  response.setEncoding('utf8').on('data', (text: string) => (body += text))
  let end: 'complete' | 'cut' | undefined
  response.on('error', () => (end = 'cut'))
  response.on('close', () => (end = response.complete ? 'complete' : 'cut'))
  return {
    status: response.statusCode ?? 0,
    body: () => body,
    ended: () => eventually('the answer ends', () => end, ANSWER_MS_MAX),
    leave: () => void response.destroy(),
  }
}

const send = (
  port: number,
  { host, path = '/', method = 'GET', headers = {} }: Question,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const asking = request({
      host: '127.0.0.1',
      port,
      path,
      method,
      headers: { host, ...headers },
      agent: false,
    })
    const late = setTimeout(
      () => asking.destroy(new Error(`no answer to ${host}${path} within ${ANSWER_MS_MAX} ms`)),
      ANSWER_MS_MAX,
    )
    asking.on('response', (response) => {
      clearTimeout(late)
      resolve(response)
    })
    asking.on('error', (error) => {
      clearTimeout(late)
      reject(error)
    })
    asking.end()
  })
