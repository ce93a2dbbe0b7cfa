/** Which limits hold for one request: those of its release, with the times of the rule that fits best. */
import { bySpecificity, matchesPath, type Limits, type Release } from '@gatehouse/domain'
import type { RequestHead } from '../http/request.ts'

export type LimitsOf = (head: Pick<RequestHead, 'method' | 'target'>) => Limits

/** Everything is worked out here, once, so that a request only compares and makes nothing. */
export const requestLimits = ({
  limits,
  timeouts = [],
}: Pick<Release, 'limits' | 'timeouts'>): LimitsOf => {
  if (timeouts.length === 0) return () => limits
  const rules = bySpecificity(timeouts).map(({ path, method, ...times }) => ({
    path,
    method,
    limits: { ...limits, ...times },
  }))
  return ({ method, target }) => {
    for (const rule of rules) {
      const asked = rule.method === undefined || rule.method === method
      if (asked && matchesPath(rule.path, target)) return rule.limits
    }
    return limits
  }
}
