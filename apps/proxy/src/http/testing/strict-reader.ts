/**
 * What llhttp makes of a stream of messages: tests ask it about the same bytes that we read, and about
 * those that we write. For tests only.
 */
import { HTTPParser, methodOfNumber, type HeadersComplete, type Parser } from '../llhttp.ts'

/** One message as llhttp saw it. */
export interface OpinionMessage {
  readonly method: string
  readonly target: string
  readonly status: number
  readonly minorVersion: number
  /** Name, value, name, value … as received. */
  readonly rawFields: readonly string[]
  /** It asks for another protocol, or, as an answer, changes to it. */
  readonly upgrade: boolean
  body: string
  complete: boolean
}

export interface Opinion {
  readonly messages: readonly OpinionMessage[]
  /** The code of llhttp's error, such as HPE_INVALID_HEADER_TOKEN; undefined when it has none. */
  readonly error: string | undefined
}

export const opinionOnRequests = (text: string): Opinion =>
  opinionOn(new StrictReader('requests'), text)

/** `isBodiless`: answers to HEAD have no body, which only their asker knows. */
export const opinionOnResponses = (text: string, isBodiless = (): boolean => false): Opinion =>
  opinionOn(new StrictReader('responses', isBodiless), text)

/**
 * All that a target says to one request. llhttp stops after an interim response that says
 * `Connection: close`, where RFC 9112 §9.6 has the final one still to come; so here it reads on.
 */
export const opinionOnAnswer = (
  text: string,
  isBodiless: () => boolean,
): Opinion & { readonly rest: string } =>
  opinionOn(new StrictReader('responses', isBodiless, HTTPParser.kLenientKeepAlive), text)

const opinionOn = (reader: StrictReader, text: string): StrictReader => {
  reader.read(text)
  reader.close()
  return reader
}

/** The values of a field, in order. */
export const valuesOf = (message: OpinionMessage, lowerCaseName: string): readonly string[] =>
  message.rawFields.filter(
    (_, index) => index % 2 === 1 && message.rawFields[index - 1]?.toLowerCase() === lowerCaseName,
  )

const ABSOLUTE = /^https?:\/\/([^/?]*)(.*)$/i

/** Whom a request is for: its absolute target wins over its Host (RFC 9112 §3.2.2). */
export const authorityOf = (message: OpinionMessage): string =>
  ABSOLUTE.exec(message.target)?.[1] ?? valuesOf(message, 'host').join()

/** The target of a request in its origin form, or `*`. */
export const originTargetOf = (message: OpinionMessage): string => {
  const rest = ABSOLUTE.exec(message.target)?.[2]
  if (rest === undefined) return message.target
  if (rest === '' && message.method === 'OPTIONS') return '*'
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** Reads one stream, in whatever pieces it comes. */
export class StrictReader implements Opinion {
  readonly messages: OpinionMessage[] = []
  error: string | undefined
  /** After a message that upgrades: what came behind it, unread. */
  rest = ''
  readonly #type: number
  readonly #isBodiless: (message: OpinionMessage) => boolean
  readonly #leniencies: number
  #parser: Parser
  #stopped = false

  constructor(
    what: 'requests' | 'responses',
    isBodiless: (message: OpinionMessage) => boolean = () => false,
    leniencies = 0,
  ) {
    this.#type = what === 'requests' ? HTTPParser.REQUEST : HTTPParser.RESPONSE
    this.#isBodiless = isBodiless
    this.#leniencies = leniencies
    this.#parser = this.#open()
  }

  read(text: string): void {
    if (this.error !== undefined) return
    if (this.#stopped) {
      this.rest += text
      return
    }
    const result = this.#parser.execute(Buffer.from(text, 'latin1'))
    if (typeof result !== 'number') this.error = result.code
    else if (this.#stopped) this.rest = text.slice(result)
  }

  /** The last message has led to no upgrade: what follows it is HTTP again. */
  goOn(): void {
    if (!this.#stopped) return
    this.#stopped = false
    this.close()
    this.#parser = this.#open()
    const { rest } = this
    this.rest = ''
    if (rest !== '') this.read(rest)
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** The sender has ended, which is how some answers end too. */
  end(): void {
    if (this.#stopped || this.error !== undefined) return
    const failed = this.#parser.finish()
    if (failed !== undefined) this.error = 'HPE_INVALID_EOF_STATE'
  }

  /** Lets others use its parser. What it has read stays. */
  close(): void {
    idle.push(this.#parser)
  }

  #open(): Parser {
    const parser = idle.pop() ?? new HTTPParser()
    const early: string[] = []
    let earlyTarget = ''
    parser.initialize(this.#type, {}, HEAD_BYTES_MAX, this.#leniencies)
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
      const message: OpinionMessage = {
        method: methodOfNumber(method),
        target: target ?? earlyTarget,
        status: status ?? 0,
        minorVersion,
        rawFields: rawFields ?? early.splice(0),
        upgrade,
        body: '',
        complete: false,
      }
      this.messages.push(message)
      return this.#isBodiless(message) ? 1 : 0
    }
    parser[HTTPParser.kOnHeadersComplete] = onHeadersComplete
    parser[HTTPParser.kOnBody] = (bytes: Buffer) => {
      const message = this.messages.at(-1)
      if (message !== undefined) message.body += bytes.toString('latin1')
    }
    parser[HTTPParser.kOnMessageComplete] = () => {
      const message = this.messages.at(-1)
      if (message !== undefined) {
        message.complete = true
        this.#stopped = message.upgrade
      }
      // Trailers arrive the way of early fields, and belong to no head.
      early.length = 0
      earlyTarget = ''
    }
    return parser
  }
}

/** Above our own limit, so that it is never llhttp that runs out of room first. */
const HEAD_BYTES_MAX = 65_536

/** A parser costs more to make than most messages to read. */
const idle: Parser[] = []
