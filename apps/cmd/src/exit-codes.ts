/** What a run ends with. The numbers are a contract with scripts and never change their meaning. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  unhealthy: 3,
  notConverged: 4,
  conflict: 5,
  unreachable: 6,
  reverted: 7,
  drainTimedOut: 8,
  refused: 9,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** For `--help`: each code with what it says. */
export const EXIT_MEANINGS: readonly (readonly [ExitCode, string])[] = [
  [EXIT.ok, 'done, and seen to be done where the command waits'],
  [EXIT.failed, 'failed, such as an unknown service or release'],
  [EXIT.usage, 'wrong usage, setting or spec; nothing was changed'],
  [EXIT.unhealthy, 'the release failed its health check; what served before still serves'],
  [EXIT.notConverged, 'not every proxy or worker confirmed in time'],
  [EXIT.conflict, 'somebody else was quicker, owns the host, or the version moved'],
  [EXIT.unreachable, 'Redis cannot be reached or used'],
  [EXIT.reverted, 'a rollout was reverted by its own numbers'],
  [EXIT.drainTimedOut, 'the drain reached its deadline and work was cut'],
  [EXIT.refused, 'refused by policy'],
  [EXIT.interrupted, 'interrupted; what was accepted goes on'],
]
