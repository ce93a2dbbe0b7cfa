import { describe, expect, it } from 'vitest'
import { actorOf } from './actor.ts'

describe('who does it', () => {
  const user = () => 'alice'

  it('I12 is who the command names, before anybody else', () => {
    expect(actorOf('bob', { GITHUB_ACTOR: 'octocat' }, user)).toBe('bob')
  })

  it.each([
    ['GITHUB_ACTOR', 'octocat'],
    ['GITLAB_USER_LOGIN', 'gitlabber'],
    ['BUILDKITE_BUILD_CREATOR_EMAIL', 'b@example.test'],
    ['CIRCLE_USERNAME', 'circle'],
  ])('I12 is who the CI system names in %s', (variable, name) => {
    expect(actorOf(undefined, { [variable]: name }, user)).toBe(name)
  })

  it('I12 is the user of the machine otherwise, also where a variable is blank', () => {
    expect(actorOf(undefined, {}, user)).toBe('alice')
    expect(actorOf(' ', { GITHUB_ACTOR: '' }, user)).toBe('alice')
  })

  it('is never longer than a hundred characters', () => {
    expect(actorOf('x'.repeat(500), {}, user)).toHaveLength(100)
  })
})
