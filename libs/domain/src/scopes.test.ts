/** Each race here was possible once: two decisions on states that did not know of each other. */
import { describe, expect, it } from 'vitest'
import { type Command } from './command.ts'
import { decide } from './decide.ts'
import { type Gateway } from './gateway.ts'
import { scopesOf } from './scopes.ts'
import { deploy, failed, given, passed, release } from './testing.ts'

const scopesFor = (command: Command, gateway: Gateway): readonly string[] => {
  const decision = decide(command, gateway)
  if ('rejected' in decision) throw new Error(decision.rejected.reason)
  return scopesOf(command, decision.accepted, gateway).toSorted()
}

const skip = { health: { ...release('x').health, skip: true } }
const wide = release('wide', { hosts: ['a.test', 'b.test'] })
const narrow = release('narrow', { hosts: ['a.test'] })

describe('the scopes of an append', () => {
  it('A17 always name the service, so that one of two deploys at once has to decide again', () => {
    expect(scopesFor(deploy('web', narrow), given().gateway)).toContain('service:web')
  })

  it('A16 name every host that a deploy claims', () => {
    expect(scopesFor(deploy('web', wide), given().gateway)).toEqual([
      'host:a.test',
      'host:b.test',
      'service:web',
    ])
  })

  it('A16 name the hosts that a switch claims again, which somebody may be claiming right now', () => {
    const { gateway } = given(
      deploy('web', wide),
      passed('web', 1),
      deploy('web', narrow),
      passed('web', 2),
    )
    const scopes = scopesFor({ type: 'Switch', service: 'web', release: 'wide' }, gateway)
    expect(scopes).toEqual(['host:a.test', 'host:b.test', 'service:web'])
    expect(scopesFor({ type: 'Rollback', service: 'web' }, gateway)).toEqual(scopes)
  })

  it('M13 name the hosts of an activation, which a take-over takes from whoever has them then', () => {
    const { gateway } = given(deploy('web', wide, { takeOver: true }))
    expect(scopesFor(passed('web', 1), gateway)).toEqual([
      'host:a.test',
      'host:b.test',
      'service:web',
    ])
  })

  it('M13 name the services that lose a host', () => {
    const { gateway } = given(
      deploy('web', wide),
      passed('web', 1),
      deploy('api', narrow, { takeOver: true }),
    )
    expect(scopesFor(passed('api', 2), gateway)).toEqual([
      'host:a.test',
      'service:api',
      'service:web',
    ])
  })

  it('M13 name the owner of a host that was found taken, who may be giving it up right now', () => {
    const { gateway } = given(
      deploy('web', wide),
      deploy('api', { ...narrow, ...skip }, { takeOver: true }),
    )
    expect(scopesFor(passed('web', 1), gateway)).toEqual([
      'host:a.test',
      'host:b.test',
      'service:api',
      'service:web',
    ])
  })

  it('A18 name nothing but the service where no host is read', () => {
    const { gateway } = given(deploy('web', wide))
    expect(scopesFor(failed('web', 1), gateway)).toEqual(['service:web'])
    const pause: Command = { type: 'Pause', service: 'web', holdMs: 1 }
    expect(scopesFor(pause, gateway)).toEqual(['service:web'])
    expect(scopesFor({ type: 'Remove', service: 'web' }, gateway)).toEqual(['service:web'])
  })
})
