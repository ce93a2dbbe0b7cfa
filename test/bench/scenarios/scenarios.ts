/** All that `--scenario` knows, in the order in which `all` runs them. */
import { blueGreen } from './kinds/blue-green.ts'
import { failure } from './kinds/failure.ts'
import { direct, proxied } from './kinds/requests.ts'
import { restart } from './kinds/restart.ts'
import { streamChurn } from './kinds/stream-churn.ts'
import { wsChurn, wsEcho } from './kinds/web-sockets.ts'
import type { Scenario } from './scenario.ts'

export const SCENARIOS: readonly Scenario[] = [
  direct,
  proxied,
  wsEcho,
  wsChurn,
  blueGreen,
  restart,
  streamChurn,
  failure,
]
