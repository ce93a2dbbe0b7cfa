/**
 * llhttp, the parser inside Node, as a second opinion: tests ask it what it makes of the same bytes.
 * For tests only.
 */
import { getBuiltinModule } from 'node:process'

/** One message as llhttp saw it. */
export interface OpinionMessage {
  readonly method: string
  readonly target: string
  readonly status: number
  readonly minorVersion: number
  /** Name, value, name, value … as received. */
  readonly rawFields: readonly string[]
  readonly upgrade: boolean
  body: string
  complete: boolean
}

export interface Opinion {
  readonly messages: readonly OpinionMessage[]
  /** The code of llhttp's error, such as HPE_INVALID_HEADER_TOKEN; undefined when it has none. */
  readonly error: string | undefined
}

export const opinionOnRequests = (text: string): Opinion => opinionOn(HTTPParser.REQUEST, text)
export const opinionOnResponses = (text: string): Opinion => opinionOn(HTTPParser.RESPONSE, text)

/** The values of a field, in order. */
export const valuesOf = (message: OpinionMessage, lowerCaseName: string): readonly string[] =>
  message.rawFields.filter(
    (_, index) => index % 2 === 1 && message.rawFields[index - 1]?.toLowerCase() === lowerCaseName,
  )

type HeadersComplete = (
  majorVersion: number,
  minorVersion: number,
  rawFields: string[] | undefined,
  method: number | undefined,
  target: string | undefined,
  status: number | undefined,
  reason: string | undefined,
  upgrade: boolean,
) => number

/** What we use of Node's undocumented binding. */
interface Parser {
  [callback: number]: unknown
  initialize(type: number, resource: object): void
  execute(bytes: Buffer): number | (Error & { readonly code: string })
}

interface ParserBinding {
  readonly methods: readonly string[]
  readonly HTTPParser: (new () => Parser) & {
    readonly REQUEST: number
    readonly RESPONSE: number
    readonly kOnHeaders: number
    readonly kOnHeadersComplete: number
    readonly kOnBody: number
    readonly kOnMessageComplete: number
  }
}

// Node has no types for this module; were it to change, every test that asks it would fail.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const binding = getBuiltinModule('_http_common') as unknown as ParserBinding
const { HTTPParser, methods } = binding

/** llhttp numbers QUERY after the methods of RTSP, which Node leaves out of its list. */
const QUERY_NUMBER = 46

const opinionOn = (type: number, text: string): Opinion => {
  const messages: OpinionMessage[] = []
  const early: string[] = []
  let earlyTarget = ''
  const parser = new HTTPParser()
  parser.initialize(type, {})
  parser[HTTPParser.kOnHeaders] = (rawFields: string[], target: string) => {
    early.push(...rawFields)
    earlyTarget += target
  }
  const onHeadersComplete: HeadersComplete = (
    _major,
    minorVersion,
    rawFields,
    method,
    target,
    status,
    _reason,
    upgrade,
  ) => {
    messages.push({
      method: method === QUERY_NUMBER ? 'QUERY' : (methods[method ?? -1] ?? ''),
      target: target ?? earlyTarget,
      status: status ?? 0,
      minorVersion,
      rawFields: rawFields ?? early.splice(0),
      upgrade,
      body: '',
      complete: false,
    })
    return 0
  }
  parser[HTTPParser.kOnHeadersComplete] = onHeadersComplete
  parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
    const message = messages.at(-1)
    if (message !== undefined) message.body += bytes.toString('latin1')
  }
  parser[HTTPParser.kOnMessageComplete] = () => {
    const message = messages.at(-1)
    if (message !== undefined) message.complete = true
    // Trailers arrive the way of early fields, and belong to no head.
    early.length = 0
    earlyTarget = ''
  }
  const result = parser.execute(Buffer.from(text, 'latin1'))
  return { messages, error: typeof result === 'number' ? undefined : result.code }
}
