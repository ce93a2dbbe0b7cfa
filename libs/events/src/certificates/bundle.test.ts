import { describe, expect, it } from 'vitest'
import { readBundle } from './bundle.ts'
import { blog, encryptedKey, expired, nameless, shop } from './testing-bundles.ts'

const now = Date.parse('2027-01-01T00:00:00Z')

describe('a bundle that somebody brings', () => {
  it('O6 says which names it covers, from when to when, and under which fingerprint', () => {
    expect(readBundle(shop, { now })).toMatchObject({
      kind: 'bundle',
      facts: {
        names: ['shop.example', '*.shop.example'],
        fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
        issuer: 'shop.example',
      },
    })
  })

  it('O6 keeps the chain in its order, and nothing that stands around it', () => {
    const chain = `Bag Attributes\n${shop.chain}\nsubject=x\n${blog.chain}`
    const read = readBundle({ chain, key: shop.key }, { now })
    expect(read.kind === 'bundle' && read.bundle.chain).toBe(`${shop.chain}\n${blog.chain}\n`)
  })

  it.each([
    ['garbage', { ...shop, chain: 'hello' }, 'certificate', /^holds no certificate; expected PEM/],
    ['an empty file', { ...shop, chain: '' }, 'certificate', /^holds no certificate/],
    [
      'half a certificate',
      { ...shop, chain: shop.chain.replace(/\n[^\n]+\n[^\n]+\n-----END/, '\n-----END') },
      'certificate',
      /^holds a certificate that cannot be read as X.509$/,
    ],
    ['mixed up files', { chain: shop.key, key: shop.chain }, 'certificate', /mixed up\?$/],
    ['a certificate for a key', { ...shop, key: shop.chain }, 'key', /mixed up\?$/],
    ['no key', { ...shop, key: '' }, 'key', /^holds no private key; expected PEM/],
    ['an encrypted key', { ...shop, key: encryptedKey }, 'key', /^is encrypted with a pass phrase/],
    [
      'half a key',
      { ...shop, key: shop.key.slice(0, 90) },
      'key',
      /^cannot be read as a private key$/,
    ],
    ['another key', { ...shop, key: blog.key }, 'key', /^does not belong to the certificate$/],
    [
      'a chain in the wrong order',
      { chain: `${blog.chain}\n${shop.chain}`, key: shop.key },
      'key',
      /^belongs to a certificate \(number 2\); expected its own certificate first/,
    ],
    ['one that is over', expired, 'certificate', /^expired at 2020-02-01T00:00:00.000Z$/],
    ['one without names', nameless, 'certificate', /^names no host/],
    ['too much', { ...shop, chain: 'x'.repeat(300_000) }, 'certificate', /^has more than 262144/],
  ])('O6 is refused when it is %s, and says why', (_what, bundle, part, problem) => {
    expect(readBundle(bundle, { now })).toMatchObject({
      kind: 'unfit',
      part,
      problem: expect.stringMatching(problem),
    })
  })

  it('O6 is refused before its time, and when it does not cover the hosts', () => {
    expect(readBundle(shop, { now: 0 })).toMatchObject({
      problem: expect.stringMatching(/^is not valid before 20/),
    })
    const hosts = ['shop.example', 'a.shop.example', 'blog.example', 'a.b.shop.example']
    expect(readBundle(shop, { now, hosts })).toMatchObject({
      problem:
        'covers shop.example, *.shop.example; expected it to cover blog.example, a.b.shop.example as well',
    })
  })
})
