/**
 * Certificates that we sign ourselves (RFC 5280): P-256 keys, SHA-256, and no more fields than clients
 * look at.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'
import { bits, integer, objectId, octets, part, sequence, set, time, utf8, yes } from './der.ts'

export interface KeyPair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

export interface Signer {
  /** The common name of who signs. */
  readonly name: string
  readonly keys: KeyPair
}

export interface CertificateParts {
  readonly name: string
  readonly publicKey: KeyObject
  readonly signer: Signer
  /** Unix milliseconds. */
  readonly notBefore: number
  /** Unix milliseconds. */
  readonly notAfter: number
  readonly use:
    /** It signs others, for names below these domains and for these addresses, and for nothing else. */
    | {
        readonly kind: 'authority'
        readonly domains: readonly string[]
        readonly loopback: boolean
      }
    /** A server, or a client, is known by it: by host names, wildcards and IPv4 addresses. */
    | { readonly kind: 'identity'; readonly names: readonly string[] }
}

export const newKeys = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** In PEM form. */
export const signCertificate = (parts: CertificateParts): string => {
  const { name, publicKey, signer, notBefore, notAfter, use } = parts
  const body = sequence(
    part(0, integer(2), 'parts'),
    integer(serialNumber()),
    ECDSA_SHA256,
    commonName(signer.name),
    sequence(time(notBefore), time(notAfter)),
    commonName(name),
    spki(publicKey),
    part(
      3,
      sequence(
        ...(use.kind === 'authority' ? extensionsOfAuthority(use) : extensionsOfIdentity(use)),
        extension('2.5.29.14', octets(keyId(publicKey))),
        extension('2.5.29.35', sequence(part(0, keyId(signer.keys.publicKey), 'content'))),
      ),
      'parts',
    ),
  )
  const der = sequence(body, ECDSA_SHA256, bits(sign('sha256', body, signer.keys.privateKey)))
  const lines = der.toString('base64').replaceAll(/.{64}(?!$)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}

const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))

const serialNumber = (): Buffer => {
  const bytes = randomBytes(16)
  // Neither negative nor with a leading zero.
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
  return bytes
}

const commonName = (name: string): Buffer =>
  sequence(set(sequence(objectId('2.5.4.3'), utf8(name))))

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })

/** RFC 5280 §4.2.1.2. */
const keyId = (key: KeyObject): Buffer => createHash('sha1').update(spki(key)).digest()

const extension = (id: string, content: Buffer, critical = false): Buffer =>
  sequence(objectId(id), ...(critical ? [yes()] : []), octets(content))

const extensionsOfAuthority = ({
  domains,
  loopback,
}: Extract<CertificateParts['use'], { kind: 'authority' }>): readonly Buffer[] => {
  const permitted = [
    ...domains.map((domain) => sequence(part(2, Buffer.from(domain), 'content'))),
    ...(loopback ? LOOPBACK.map((range) => sequence(part(7, range, 'content'))) : []),
  ]
  return [
    extension('2.5.29.19', sequence(yes(), integer(0)), true),
    // keyCertSign and cRLSign.
    extension('2.5.29.15', bits(Buffer.from([0x06]), 1), true),
    // What is trusted for a machine's own names must be good for nobody else's.
    extension('2.5.29.30', sequence(part(0, Buffer.concat(permitted), 'parts')), true),
  ]
}

const extensionsOfIdentity = ({
  names,
}: Extract<CertificateParts['use'], { kind: 'identity' }>): readonly Buffer[] => [
  extension('2.5.29.19', sequence(), true),
  // digitalSignature.
  extension('2.5.29.15', bits(Buffer.from([0x80]), 7), true),
  extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'), objectId('1.3.6.1.5.5.7.3.2'))),
  extension('2.5.29.17', sequence(...names.map(generalName))),
]

const generalName = (name: string): Buffer => {
  if (isIPv6(name)) throw new Error(`${name}: IPv6 addresses are not written into certificates`)
  return isIPv4(name)
    ? part(7, Buffer.from(name.split('.').map(Number)), 'content')
    : part(2, Buffer.from(name), 'content')
}

/** Address and mask: 127.0.0.0/8. */
const LOOPBACK = [Buffer.from([127, 0, 0, 0, 255, 0, 0, 0])]
