import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createSealer } from './seal.ts'
import { readSecretKeys, type SecretKeys } from './secret-key.ts'

const keysOf = (...keys: readonly Buffer[]): SecretKeys => {
  const read = readSecretKeys({
    GATEHOUSE_SECRET_KEY: keys.map((key) => key.toString('hex')).join(','),
  })
  if (read === undefined) throw new Error('no keys')
  return read
}
const [one, other] = [randomBytes(32), randomBytes(32)]
const sealer = createSealer(keysOf(one), 'main', 'bundle')
const sealed = sealer.seal('aa', 'a private key')

describe('a sealed secret', () => {
  it('O7 opens again with the same key, and says nothing of what is in it', () => {
    expect(sealer.unseal('aa', sealed)).toEqual({ kind: 'unsealed', secret: 'a private key' })
    expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]{16}\.[\w-]+\.[\w-]{22}$/)
    expect(Buffer.from(sealed, 'base64').toString('latin1')).not.toContain('private')
  })

  it('O7 is another text every time', () => {
    expect(sealer.seal('aa', 'a private key')).not.toBe(sealed)
  })

  it.each([
    ['about something else', sealer, 'bb', sealed],
    ['of another fleet', createSealer(keysOf(one), 'test', 'bundle'), 'aa', sealed],
    ['for another purpose', createSealer(keysOf(one), 'main', 'tickets'), 'aa', sealed],
    ['with a changed nonce', sealer, 'aa', sealed.replace(/^(v1\.\w+\.)./, changed)],
    ['with a changed text', sealer, 'aa', sealed.replace(/^(v1\.\w+\.[\w-]+\.)./, changed)],
    ['with a changed tag', sealer, 'aa', sealed.replace(/(\.)[\w-](?=[\w-]{21}$)/, changed)],
    ['with a tag cut short', sealer, 'aa', sealed.slice(0, -16)],
  ])('O7 does not open %s', (_what, by, about, text) => {
    expect(by.unseal(about, text)).toEqual({
      kind: 'refused',
      why: 'was changed after it was sealed, or was sealed for something else',
    })
  })

  it('O7 names the key that it wants when it is another', () => {
    const unsealed = createSealer(keysOf(other), 'main', 'bundle').unseal('aa', sealed)
    expect(unsealed.kind === 'refused' && unsealed.why).toMatch(
      /^is sealed with key [0-9a-f]{8}, and GATEHOUSE_SECRET_KEY is [0-9a-f]{8}$/,
    )
    expect(sealer.unseal('aa', 'v2.x')).toMatchObject({
      why: 'is not sealed text that this version reads',
    })
  })

  it('O7 opens with an older key while one replaces another', () => {
    const both = createSealer(keysOf(other, one), 'main', 'bundle')
    expect(both.unseal('aa', sealed)).toMatchObject({ kind: 'unsealed' })
    expect(both.isCurrent(sealed)).toBe(false)
    expect(both.isCurrent(both.seal('aa', 'x'))).toBe(true)
  })
})

/** The first character of the part is another one, whatever it was. */
function changed(found: string, before: string): string {
  return `${before}${found.endsWith('A') ? 'B' : 'A'}`
}
