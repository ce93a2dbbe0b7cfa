import { InvalidSetting } from '@gatehouse/events'
import { describe, expect, it } from 'vitest'
import { readAcmeSettings } from './settings.ts'

const secret = Buffer.alloc(32, 1).toString('base64')

describe('the settings of certificates', () => {
  it("F16 name Let's Encrypt by default, its staging by a word, and any other CA by URL", () => {
    const directoryOf = (given?: string): string =>
      readAcmeSettings(given === undefined ? {} : { GATEHOUSE_ACME_DIRECTORY: given }).directory
    expect(directoryOf()).toBe('https://acme-v02.api.letsencrypt.org/directory')
    expect(directoryOf('production')).toBe('https://acme-v02.api.letsencrypt.org/directory')
    expect(directoryOf('staging')).toBe('https://acme-staging-v02.api.letsencrypt.org/directory')
    expect(directoryOf('https://ca.internal:8443/dir')).toBe('https://ca.internal:8443/dir')
  })

  it('take a name server and its key as nsupdate does', () => {
    const dnsOf = (server: string, key: string): unknown =>
      readAcmeSettings({ GATEHOUSE_ACME_DNS_RFC2136: server, GATEHOUSE_ACME_DNS_TSIG: key }).dns
    const key = { name: 'k.example', secret: Buffer.alloc(32, 1) }
    expect(dnsOf('ns1.example.com', `K.example.:${secret}`)).toEqual({
      server: { host: 'ns1.example.com', port: 53, key: { ...key, algorithm: 'hmac-sha256' } },
      waitMs: 5_000,
    })
    expect(dnsOf('[2001:db8::1]:5353', `hmac-sha512:k.example:${secret}`)).toEqual({
      server: { host: '2001:db8::1', port: 5353, key: { ...key, algorithm: 'hmac-sha512' } },
      waitMs: 5_000,
    })
  })

  it.each([
    [
      { DIRECTORY: 'stagin' },
      'GATEHOUSE_ACME_DIRECTORY is "stagin"; expected "production" or "staging"',
    ],
    [{ DIRECTORY: 'http://ca.test/dir' }, "or the https URL of another CA's directory"],
    [{ EMAIL: 'ops' }, 'GATEHOUSE_ACME_EMAIL is "ops"; expected one address'],
    [{ CA: '/nonexistent' }, 'GATEHOUSE_ACME_CA is "/nonexistent", which cannot be read (ENOENT)'],
    [{ CA: import.meta.filename }, 'which holds no certificate; expected PEM'],
    [{ EAB_KID: 'a' }, 'GATEHOUSE_ACME_EAB_KID is set without GATEHOUSE_ACME_EAB_KEY'],
    [{ EAB_KEY: 'a' }, 'GATEHOUSE_ACME_EAB_KEY is set without GATEHOUSE_ACME_EAB_KID'],
    [{ EAB_KID: 'a', EAB_KEY: 'secret!' }, 'GATEHOUSE_ACME_EAB_KEY is no key; expected base64url'],
    [{ CHALLENGES: 'http-1' }, 'GATEHOUSE_ACME_CHALLENGES has "http-1"; expected some of http-01,'],
    [{ CHALLENGES: 'dns-01' }, 'GATEHOUSE_ACME_CHALLENGES has dns-01, and nothing says how'],
    [{ DNS_EXEC: 'hook' }, 'GATEHOUSE_ACME_DNS_EXEC is "hook"; expected the absolute path'],
    [{ DNS_EXEC: '/a', DNS_RFC2136: 'ns' }, 'are both set; expected one way to make TXT records'],
    [
      { DNS_RFC2136: 'ns:99999' },
      'GATEHOUSE_ACME_DNS_RFC2136 is "ns:99999"; expected a name server',
    ],
    [
      { DNS_TSIG: 'k:c2VjcmV0' },
      'GATEHOUSE_ACME_DNS_TSIG is set without GATEHOUSE_ACME_DNS_RFC2136',
    ],
    [{ DNS_RFC2136: 'ns', DNS_TSIG: 'md5:k:c2VjcmV0' }, 'GATEHOUSE_ACME_DNS_TSIG is no key'],
    [{ DNS_WAIT_MS: '-1' }, 'GATEHOUSE_ACME_DNS_WAIT_MS is "-1"; expected milliseconds from 0 to'],
  ])('refuse %j with a sentence', (given, sentence) => {
    const environment = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [`GATEHOUSE_ACME_${name}`, value]),
    )
    const read = (): unknown => readAcmeSettings(environment)
    expect(read).toThrow(InvalidSetting)
    expect(read).toThrow(sentence)
  })

  it('never repeat a secret', () => {
    for (const wrong of [
      { GATEHOUSE_ACME_EAB_KID: 'a', GATEHOUSE_ACME_EAB_KEY: 'secret!' },
      { GATEHOUSE_ACME_DNS_RFC2136: 'ns', GATEHOUSE_ACME_DNS_TSIG: 'k:secret!' },
    ]) {
      expect(() => readAcmeSettings(wrong)).not.toThrow(/secret!/)
    }
  })
})
