/** Certificates for tests, signed by an authority that was made for them. */
import { X509Certificate } from 'node:crypto'
import { newKeys, signCertificate } from '../../apps/cmd/src/up/local-ca/certificate.ts'

export interface TestAuthority {
  /** PEM. */
  readonly ca: string
  readonly issue: (...names: readonly string[]) => TestCertificate
  /** The same, good until then: Unix milliseconds. */
  readonly issueUntil: (notAfter: number, ...names: readonly string[]) => TestCertificate
}

export interface TestCertificate {
  /** PEM. */
  readonly cert: string
  readonly key: string
  /** As Node shows it. */
  readonly serial: string
  readonly fingerprint: string
}

const DAY_MS = 86_400_000

/** For names below `test` and `localhost`. */
export const createAuthority = (name = 'a test'): TestAuthority => {
  const keys = newKeys()
  const signer = { name, keys }
  const notBefore = Date.now() - DAY_MS
  const ca = signCertificate({
    name,
    publicKey: keys.publicKey,
    signer,
    notBefore,
    notAfter: notBefore + 100 * DAY_MS,
    use: { kind: 'authority', domains: ['test', 'localhost'], loopback: true },
  })
  const issueUntil = (notAfter: number, ...names: readonly string[]): TestCertificate => {
    const own = newKeys()
    const cert = signCertificate({
      name: names[0] ?? 'nobody',
      publicKey: own.publicKey,
      signer,
      notBefore,
      notAfter,
      use: { kind: 'identity', names },
    })
    const { serialNumber, fingerprint256 } = new X509Certificate(cert)
    return {
      cert,
      key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      serial: serialNumber,
      fingerprint: fingerprint256.replaceAll(':', '').toLowerCase(),
    }
  }
  return { ca, issueUntil, issue: (...names) => issueUntil(notBefore + 90 * DAY_MS, ...names) }
}
