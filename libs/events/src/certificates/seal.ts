/**
 * Secrets as text that only the fleet can open: AES-256-GCM under a key that is derived from the secret
 * key for one fleet and one purpose. What the text is about is authenticated with it, so that nobody
 * can put one secret in the place of another.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { SecretKey, SecretKeys } from './secret-key.ts'

export interface Sealer {
  /** `v1.<key>.<nonce>.<ciphertext>.<tag>`, with the bytes in base64url. */
  readonly seal: (about: string, secret: string) => string
  readonly unseal: (about: string, sealed: string) => Unsealed
  /** Whether it was sealed with the key that seals now. */
  readonly isCurrent: (sealed: string) => boolean
}

export type Unsealed =
  | { readonly kind: 'unsealed'; readonly secret: string }
  /** The clause fits after what it is about. */
  | { readonly kind: 'refused'; readonly why: string }

const VERSION = 'v1'
const KEY_BYTES = 32
/** NIST SP 800-38D §8.2.2: random nonces of 96 bits, for far less than 2³² secrets of a key. */
const NONCE_BYTES = 12
const TAG_BYTES = 16

export const createSealer = (keys: SecretKeys, fleet: string, purpose: string): Sealer => {
  const derived = new Map(keys.map((key) => [key.id, derive(key, fleet, purpose)]))
  const [{ id: current, bytes }] = keys
  const sealing = derived.get(current) ?? bytes
  return {
    seal: (about, secret) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', sealing, nonce, { authTagLength: TAG_BYTES })
      cipher.setAAD(Buffer.from(about))
      const ciphertext = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      const parts = [nonce, ciphertext, cipher.getAuthTag()]
      return [VERSION, current, ...parts.map((part) => part.toString('base64url'))].join('.')
    },
    unseal: (about, sealed) => {
      const [version, keyId = '', nonce = '', ciphertext = '', tag = '', ...rest] =
        sealed.split('.')
      if (version !== VERSION || tag === '' || rest.length > 0) {
        return refused('is not sealed text that this version reads')
      }
      const key = derived.get(keyId)
      if (key === undefined) {
        return refused(
          `is sealed with key ${keyId}, and GATEHOUSE_SECRET_KEY is ${keys.map(({ id }) => id).join(', ')}`,
        )
      }
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
          authTagLength: TAG_BYTES,
        })
        decipher.setAAD(Buffer.from(about)).setAuthTag(Buffer.from(tag, 'base64url'))
        const opened = decipher.update(Buffer.from(ciphertext, 'base64url'))
        return {
          kind: 'unsealed',
          secret: Buffer.concat([opened, decipher.final()]).toString('utf8'),
        }
      } catch {
        return refused('was changed after it was sealed, or was sealed for something else')
      }
    },
    isCurrent: (sealed) => sealed.startsWith(`${VERSION}.${current}.`),
  }
}

const derive = ({ bytes }: SecretKey, fleet: string, purpose: string): Buffer =>
  // A NUL can stand in neither name, so that no two pairs derive the same key.
  Buffer.from(hkdfSync('sha256', bytes, '', `gatehouse\0${fleet}\0${purpose}`, KEY_BYTES))

const refused = (why: string): Unsealed => ({ kind: 'refused', why })
