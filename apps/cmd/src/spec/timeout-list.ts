/** How `timeouts` of a spec is read: times that hold for some paths and methods only. */
import type { PathTimeout } from '@gatehouse/domain'
import { didYouMean } from '../near-miss.ts'
import { found, isRecord, path, positiveDuration, type Reader, type Reading } from './readers.ts'

const TIMEOUT_FIELDS: readonly string[] = ['path', 'method', 'response', 'idle']

/** What each says is judged by the domain, which knows of the others. */
export const timeoutList: Reader<readonly PathTimeout[]> = (raw) => {
  if (!Array.isArray(raw)) {
    return found(raw, 'a list such as [{"path": "/reports", "response": "120s"}]')
  }
  const timeouts: PathTimeout[] = []
  for (const [index, each] of raw.entries()) {
    const timeout = oneTimeout(each)
    if ('problem' in timeout) return { ...timeout, at: [index, ...(timeout.at ?? [])] }
    timeouts.push(timeout.value)
  }
  return { value: timeouts }
}

const oneTimeout = (raw: unknown): Reading<PathTimeout> => {
  if (!isRecord(raw))
    return found(raw, 'an object such as {"path": "/reports", "response": "120s"}')
  const unknown = Object.keys(raw).find((name) => !TIMEOUT_FIELDS.includes(name))
  if (unknown !== undefined) {
    const near = didYouMean(unknown, TIMEOUT_FIELDS)
    return { problem: `unknown field; expected ${TIMEOUT_FIELDS.join(', ')}${near}`, at: [unknown] }
  }
  const { method, response, idle } = raw
  const prefix = path(raw['path'])
  if ('problem' in prefix) return { ...prefix, at: ['path'] }
  if (method !== undefined && typeof method !== 'string') {
    return { ...found(method, 'a method such as "POST"'), at: ['method'] }
  }
  const responseMs = response === undefined ? undefined : positiveDuration(response)
  if (responseMs !== undefined && 'problem' in responseMs)
    return { ...responseMs, at: ['response'] }
  const idleMs = idle === undefined ? undefined : positiveDuration(idle)
  if (idleMs !== undefined && 'problem' in idleMs) return { ...idleMs, at: ['idle'] }
  return {
    value: {
      path: prefix.value,
      ...(method === undefined ? {} : { method: method.toUpperCase() }),
      ...(responseMs === undefined ? {} : { responseMs: responseMs.value }),
      ...(idleMs === undefined ? {} : { idleMs: idleMs.value }),
    },
  }
}
