/** A name server that takes updates (RFC 2136), and the key they are signed with (RFC 8945). */
import { isIP } from 'node:net'
import { InvalidSetting } from '@gatehouse/events'

export interface UpdateServer {
  readonly host: string
  readonly port: number
  /** Without one the server judges by address. */
  readonly key?: TransactionKey
}

export interface TransactionKey {
  /** In lower case, without the last dot. */
  readonly name: string
  readonly algorithm: TransactionAlgorithm
  readonly secret: Buffer
}

export type TransactionAlgorithm = (typeof ALGORITHMS)[number]

const ALGORITHMS = ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const
const DNS_PORT = 53

/**
 * `ns1.example.com`, `192.0.2.1:5353` or `[2001:db8::1]:53`; the key as `nsupdate -y` takes it,
 * `[algorithm:]name:secret` with the secret in base64. Throws `InvalidSetting`.
 */
export const parseUpdateServer = (server: string, key: string | undefined): UpdateServer => {
  const [, bracketed, plain, portText] =
    /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/]+))(?::(\d{1,5}))?$/i.exec(server) ?? []
  const host = bracketed ?? plain
  const port = portText === undefined ? DNS_PORT : Number(portText)
  const wellFormed = bracketed === undefined || isIP(bracketed) === 6
  if (host === undefined || !wellFormed || port < 1 || port > 65_535) {
    throw new InvalidSetting(
      `GATEHOUSE_ACME_DNS_RFC2136 is "${server}"; expected a name server that takes updates, such as ns1.example.com or 192.0.2.1:53`,
    )
  }
  return { host, port, ...(key === undefined ? {} : { key: parseKey(key) }) }
}

const parseKey = (given: string): TransactionKey => {
  const parts = given.split(':')
  const [algorithmText = '', name = '', secretText = ''] =
    parts.length === 2 ? [ALGORITHMS[0], ...parts] : parts
  const algorithm = ALGORITHMS.find((each) => each === algorithmText.toLowerCase())
  const secret = Buffer.from(secretText, 'base64')
  const isKey = /^[a-z0-9+/]+={0,2}$/i.test(secretText) && secret.length > 0
  if (algorithm !== undefined && isKey && /^[\w.-]+$/.test(name)) {
    return { name: name.toLowerCase().replace(/\.$/, ''), algorithm, secret }
  }
  // Part of it is a secret, so nothing of it is repeated.
  throw new InvalidSetting(
    `GATEHOUSE_ACME_DNS_TSIG is no key; expected [algorithm:]name:secret with the secret in base64, as nsupdate -y takes it, and one of ${ALGORITHMS.join(', ')}`,
  )
}
