/** What the proxy itself answers on a client's connection: that it is healthy, or why it failed. */
import { answerFailure, answerHealthy, type Answer, type AnsweredRequest } from '../http/answer.ts'
import type { Failure } from '../http/failure.ts'
import type { RequestHead } from '../http/request.ts'
import type { ServeContext } from './context.ts'

/** The request, as far as an answer of our own depends on it. */
interface OwnRequest {
  readonly head: RequestHead
  readonly requestId: string
}

/** `mayFollow`: another request may be answered on the connection. */
export const ownFailure = (
  context: ServeContext,
  request: OwnRequest,
  failure: Failure,
  mayFollow: boolean,
  message?: string,
): Answer => {
  context.counters.failures[failure] += 1
  return answerFailure(failure, answeredRequest(context, request, mayFollow), message)
}

export const ownHealth = (context: ServeContext, request: OwnRequest, mayFollow: boolean): Answer =>
  answerHealthy(answeredRequest(context, request, mayFollow))

const answeredRequest = (
  context: ServeContext,
  { head, requestId }: OwnRequest,
  mayFollow: boolean,
): AnsweredRequest => {
  const { method, minorVersion, accept, authority } = head
  return {
    method,
    minorVersion,
    accept,
    authority,
    requestId,
    keepAlive: mayFollow,
    nowMs: context.now(),
  }
}
