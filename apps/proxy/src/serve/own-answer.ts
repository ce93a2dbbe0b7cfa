/** What the proxy itself answers on a client's connection: that it is healthy, where to go, or why it failed. */
import {
  answerFailure,
  answerHealthy,
  answerOwn,
  type Answer,
  type AnsweredRequest,
  type OwnAnswer,
} from '../http/answer.ts'
import type { Failure } from '../http/failure.ts'
import type { ServeContext } from './context.ts'
import type { ExchangeClient } from './exchange-client.ts'

/** The client's connection, as far as an answer of our own depends on it. */
type Asker = Pick<ExchangeClient, 'head' | 'requestId' | 'mayContinue'>

/** `whole`: the request has been read to its end, so that another may follow. */
export const ownFailure = (
  context: ServeContext,
  client: Asker,
  failure: Failure,
  whole: boolean,
  message?: string,
): Answer => {
  context.counters.failures[failure] += 1
  return answerFailure(failure, answeredRequest(context, client, whole), message)
}

export const ownHealth = (context: ServeContext, client: Asker, whole: boolean): Answer =>
  answerHealthy(answeredRequest(context, client, whole))

export const ownAnswer = (
  context: ServeContext,
  client: Asker,
  own: OwnAnswer,
  whole: boolean,
): Answer => answerOwn(own, answeredRequest(context, client, whole))

const answeredRequest = (
  context: ServeContext,
  { head, requestId, mayContinue }: Asker,
  whole: boolean,
): AnsweredRequest => {
  const { method, minorVersion, accept, authority } = head
  return {
    method,
    minorVersion,
    accept,
    authority,
    requestId,
    keepAlive: whole && mayContinue,
    nowMs: context.now(),
  }
}
