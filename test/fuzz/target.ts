/**
 * A target that reads with llhttp at its strictest, writes down what it got, and answers from a script.
 * It knows nothing of how bytes come and go, so that it serves in memory and behind sockets.
 */
import {
  opinionOnAnswer,
  StrictReader,
  type OpinionMessage,
} from '../../apps/proxy/src/http/testing/strict-reader.ts'
import type { Case } from './case.ts'

/** What came of one case. */
export interface Ledger {
  /** What reached the target, in order; the last of a connection may have been cut. */
  readonly requests: OpinionMessage[]
  /** What it answered, and to which of them. */
  readonly answers: Answered[]
  /** What came behind a request whose upgrade it granted. */
  tunnelled: string
  /** What no honest sender would have sent. */
  readonly problems: string[]
}

export interface Answered {
  readonly request: OpinionMessage
  readonly answer: string
}

export const createLedger = (): Ledger => ({
  requests: [],
  answers: [],
  tunnelled: '',
  problems: [],
})

/** How a target's connection is written to. */
export interface TargetLine {
  send(text: string): void
  /** Sends FIN. */
  end(): void
}

/** One connection of the target. */
export class Conversation {
  readonly #example: Case
  readonly #ledger: Ledger
  readonly #line: TargetLine
  readonly #reader = new StrictReader('requests')
  /** Messages of this connection that stand in the ledger, and that have been answered. */
  #noted = 0
  #answered = 0
  #tunnel = false
  #ended = false

  constructor(example: Case, ledger: Ledger, line: TargetLine) {
    this.#example = example
    this.#ledger = ledger
    this.#line = line
  }

  read(text: string): void {
    if (this.#tunnel) {
      this.#ledger.tunnelled += text
      return
    }
    this.#reader.read(text)
    this.#note()
    while (this.#mayAnswer) this.#answer()
    if (this.#reader.error !== undefined) {
      this.#ledger.problems.push(
        `the target reads ${this.#reader.error} in ${JSON.stringify(text)}`,
      )
    }
  }

  /** The proxy has sent FIN: had it a request under way, that would look complete to some targets. */
  onEnd(): void {
    if (this.#reader.messages.at(-1)?.complete === false) {
      this.#ledger.problems.push('the proxy ended a request cleanly before it was whole')
    }
    this.#end()
  }

  /** The case is over. */
  close(): void {
    this.#reader.close()
  }

  #note(): void {
    const { messages } = this.#reader
    this.#ledger.requests.push(...messages.slice(this.#noted))
    this.#noted = messages.length
  }

  get #mayAnswer(): boolean {
    const next = this.#reader.messages[this.#answered]
    return next !== undefined && (next.complete || this.#example.early) && !this.#ended
  }

  #answer(): void {
    const { messages } = this.#reader
    const request = messages[this.#answered]
    if (request === undefined) return
    this.#answered += 1
    if (this.#answered < messages.length) {
      this.#ledger.problems.push('a request came before the one before it was answered')
    }
    const { answers, pieceBytes } = this.#example
    const answer = answers[this.#ledger.answers.length % answers.length] ?? ''
    this.#ledger.answers.push({ request, answer })
    const { wantsEnd, switches } = readAnswer(answer, request)
    // What comes after an answer in a read of its own would be taken for the next one, by anybody.
    const size = pieceBytes === 0 || hasSurplus(answer, request) ? answer.length : pieceBytes
    for (let at = 0; at < answer.length; at += size) this.#line.send(answer.slice(at, at + size))
    if (wantsEnd) this.#end()
    else if (switches && request.upgrade) {
      this.#tunnel = true
      this.#ledger.tunnelled += this.#reader.rest
    } else this.#reader.goOn()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#line.end()
  }
}

export interface ReadAnswer {
  readonly interim: readonly OpinionMessage[]
  /** Undefined when there is none, or it is none for llhttp. */
  readonly final: OpinionMessage | undefined
  readonly switches: boolean
  /** What follows a switch. */
  readonly rest: string
  /** It is over when its connection is. */
  readonly wantsEnd: boolean
  readonly error: string | undefined
}

/** An answer to that request, as llhttp reads it. */
export const readAnswer = (answer: string, { method }: OpinionMessage): ReadAnswer => {
  const bodiless = (): boolean => method === 'HEAD'
  const { messages, error, rest } = opinionOnAnswer(answer, bodiless)
  const at = messages.findIndex(({ status }) => status === 101 || status >= 200)
  const last = messages[at]
  const switches = last?.status === 101
  return {
    interim: messages.slice(0, at < 0 ? messages.length : at),
    final: switches ? undefined : last,
    switches,
    rest: switches ? rest : '',
    wantsEnd: !switches && last?.complete !== true,
    error,
  }
}

/** Whether more is sent than the answer, be it an empty line. */
const hasSurplus = (answer: string, request: OpinionMessage): boolean => {
  const { wantsEnd, switches, error } = readAnswer(answer.slice(0, -1), request)
  return !switches && (!wantsEnd || error !== undefined)
}
