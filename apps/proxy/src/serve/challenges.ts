/**
 * What certificate authorities come to read in clear text (RFC 8555 §8.3). Every proxy has all answers of
 * the fleet, because nobody knows which of them an authority's name server leads it to.
 */
import type { OwnAnswer } from '../http/answer.ts'
import type { RequestHead } from '../http/request.ts'

const PATH = '/.well-known/acme-challenge/'

export class Challenges {
  readonly #answers = new Map<string, OwnAnswer>()

  set(token: string, keyAuthorization: string): void {
    this.#answers.set(token, { status: 200, lines: '', text: keyAuthorization })
  }

  delete(token: string): void {
    this.#answers.delete(token)
  }

  /** Undefined for requests that ask for none. */
  answer({ target, method }: RequestHead): OwnAnswer | undefined {
    // The second character tells nearly all of them apart.
    if (target.charCodeAt(1) !== DOT || !target.startsWith(PATH)) return undefined
    if (method !== 'GET' && method !== 'HEAD') return undefined
    return this.#answers.get(target.slice(PATH.length)) ?? NOT_FOUND
  }
}

const DOT = 0x2e

const NOT_FOUND: OwnAnswer = {
  status: 404,
  lines: '',
  text: 'no certificate is being proved under this token\n',
}
