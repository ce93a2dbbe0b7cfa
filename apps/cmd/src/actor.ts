/** Who does it: what a command was told, else who the CI system says, else the user of this machine. */
import { userInfo } from 'node:os'
import type { Environment } from '@gatehouse/events'

/** In this order: variables in which CI systems name the person that started the job. */
export const ACTOR_VARIABLES = [
  'GATEHOUSE_ACTOR',
  'GITHUB_ACTOR',
  'GITLAB_USER_LOGIN',
  'BUILDKITE_BUILD_CREATOR_EMAIL',
  'CIRCLE_USERNAME',
  'BITBUCKET_STEP_TRIGGERER_UUID',
  'DRONE_COMMIT_AUTHOR',
  'BUILD_USER_ID',
] as const

export const ACTOR_CHARACTERS_MAX = 100

/** Never fails and is never empty. `user` is who runs this process, as the system knows them. */
export const actorOf = (
  given: string | undefined,
  environment: Environment,
  user: () => string = systemUser,
): string => {
  const candidates = [given, ...ACTOR_VARIABLES.map((name) => environment[name])]
  const named = candidates.find((name) => name !== undefined && name.trim() !== '')
  return (named ?? user()).trim().slice(0, ACTOR_CHARACTERS_MAX)
}

const systemUser = (): string => {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that no user has.
    return 'unknown'
  }
}
