/** What a CA says when it refuses (RFC 7807, RFC 8555 §6.7), as an error with one sentence. */
import { z } from 'zod'
import { printable } from '../probe.ts'

/** An attempt that came to nothing, in one sentence. What else is thrown is a broken world of our own. */
export class AcmeFailure extends Error {
  override readonly name: string = 'AcmeFailure'
  /** How long to leave the CA alone at least: because it said so, or because of our own bounds. */
  readonly retryAfterMs: number | undefined

  constructor(
    sentence: string,
    {
      retryAfterMs,
      ...options
    }: ErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(sentence, options)
    this.retryAfterMs = retryAfterMs
  }
}

/** The CA answered, and the answer was no. */
export class AcmeRefusal extends AcmeFailure {
  override readonly name = 'AcmeRefusal'
  readonly status: number
  /** The last part of `urn:ietf:params:acme:error:rateLimited`; empty when it gave no type. */
  readonly type: string

  constructor(
    sentence: string,
    { status, type, retryAfterMs }: Omit<RefusedAnswer, 'body'> & { readonly type: string },
  ) {
    super(sentence, { retryAfterMs })
    this.status = status
    this.type = type
  }
}

/** The CA did not answer. */
export class AcmeUnreachable extends AcmeFailure {
  override readonly name = 'AcmeUnreachable'
}

const TOO_MANY_REQUESTS = 429

/** The CA has understood what it was asked, and would say the same to the next worker that asks. */
export const isRefusedForGood = (error: unknown): boolean =>
  error instanceof AcmeRefusal &&
  error.status >= 400 &&
  error.status < 500 &&
  error.status !== TOO_MANY_REQUESTS &&
  !isAboutAccount(error)

/** The CA does not know the account any more: the next attempt registers anew, with a new key. */
export const isAboutAccount = (error: unknown): boolean =>
  error instanceof AcmeRefusal && error.type === 'accountDoesNotExist'

export interface RefusedAnswer {
  readonly status: number
  readonly body: string
  readonly retryAfterMs: number | undefined
}

const PREFIX = 'urn:ietf:params:acme:error:'

const problem = z.object({
  type: z.string().default(''),
  detail: z.string().default(''),
  identifier: z.object({ value: z.string() }).optional(),
})
const document = problem.extend({ subproblems: z.array(problem).default([]) })

export const refusalOf = ({ status, body, retryAfterMs }: RefusedAnswer): AcmeRefusal => {
  const said = readDocument(body)
  if (said === undefined) {
    const excerpt = printable(body)
    return new AcmeRefusal(`the CA answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}`, {
      status,
      type: '',
      retryAfterMs,
    })
  }
  return new AcmeRefusal(`the CA refused: ${sentenceOf(said)}`, {
    status,
    type: typeOf(said),
    retryAfterMs,
  })
}

/** The sentence in the `error` of a challenge or an order, for people. */
export const describeProblem = (error: unknown): string => {
  const said = document.safeParse(error)
  return said.success ? sentenceOf(said.data) : 'the CA gave no reason'
}

const readDocument = (body: string): z.infer<typeof document> | undefined => {
  try {
    return document.safeParse(JSON.parse(body)).data
  } catch {
    return undefined
  }
}

const sentenceOf = (said: z.infer<typeof document>): string => {
  const more = said.subproblems.map(({ identifier, detail }) =>
    identifier === undefined ? detail : `${identifier.value}: ${detail}`,
  )
  const type = typeOf(said)
  const text = printable([said.detail, ...more].filter((each) => each !== '').join('; '))
  if (text === '') return type === '' ? 'the CA gave no reason' : type
  return type === '' ? text : `${text} (${type})`
}

const typeOf = ({ type }: { readonly type: string }): string =>
  type.startsWith(PREFIX) ? type.slice(PREFIX.length) : ''

/**
 * `Retry-After` in milliseconds from now: seconds or a date (RFC 9110 §10.2.3). Undefined when there is
 * none, when it is neither, or when it has passed.
 */
export const parseRetryAfter = (value: string | undefined, nowMs: number): number | undefined => {
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs
  return ms > 0 ? ms : undefined
}
