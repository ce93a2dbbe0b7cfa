/**
 * A certificate authority of this machine alone, for `https` on local names, and the certificate that it
 * signed for them. Made once and kept; what has expired, or does not fit any more, is made anew.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { EXAMPLE_HOST } from '../example.ts'
import { newKeys, signCertificate, type KeyPair, type Signer } from './certificate.ts'

export interface LocalCa {
  /** Paths of PEM files. */
  readonly authority: string
  readonly cert: string
  readonly key: string
}

/** What is vouched for. Clients take no `*.localhost` for a host below it: each is named. */
export const LOCAL_NAMES = ['localhost', '*.localhost', EXAMPLE_HOST, '127.0.0.1']
/** What the authority may sign for, whoever has its key: these names lead nowhere but here. */
export const LOCAL_DOMAINS = ['localhost', 'test']
const DAY_MS = 86_400_000
const AUTHORITY_DAYS = 3_650
/** Some systems trust none that is good for longer than 825 days. */
const CERTIFICATE_DAYS = 397
const RENEWED_BEFORE_DAYS = 30
/** A clock that is slow must not take it for one of tomorrow. */
const CLOCK_DIFFERENCE_MS = 3_600_000

/** Where they lie; they may not be there yet. */
export const localCaFiles = (dataDir: string): LocalCa => {
  const folder = join(dataDir, 'tls')
  return {
    authority: join(folder, 'ca.pem'),
    cert: join(folder, 'localhost.pem'),
    key: join(folder, 'localhost.key'),
  }
}

/** `now` is Unix time in milliseconds. Throws when the folder cannot be written to. */
export const openLocalCa = async (
  dataDir: string,
  names: readonly string[],
  now: number = Date.now(),
): Promise<LocalCa> => {
  const files = localCaFiles(dataDir)
  await mkdir(join(dataDir, 'tls'), { recursive: true, mode: 0o700 })
  const signer = await openAuthority(files.authority, join(dataDir, 'tls', 'ca.key'), now)
  if (!(await isGood(files, names, signer, now))) await issue(files, names, signer, now)
  return files
}

const openAuthority = async (certFile: string, keyFile: string, now: number): Promise<Signer> => {
  const known = await readAuthority(certFile, keyFile, now)
  if (known !== undefined) return known
  const keys = newKeys()
  const signer = { name: `Gatehouse local CA of ${hostname().slice(0, 40)}`, keys }
  const cert = signCertificate({
    name: signer.name,
    publicKey: keys.publicKey,
    signer,
    notBefore: now - CLOCK_DIFFERENCE_MS,
    notAfter: now + AUTHORITY_DAYS * DAY_MS,
    use: { kind: 'authority', domains: LOCAL_DOMAINS, loopback: true },
  })
  await write(keyFile, pemOf(keys))
  await write(certFile, cert)
  return signer
}

const readAuthority = async (
  certFile: string,
  keyFile: string,
  now: number,
): Promise<Signer | undefined> => {
  try {
    const certificate = new X509Certificate(await readFile(certFile))
    const privateKey = createPrivateKey(await readFile(keyFile))
    if (!certificate.checkPrivateKey(privateKey) || !isFresh(certificate, now)) return undefined
    const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1]
    if (name === undefined) return undefined
    return { name, keys: { privateKey, publicKey: createPublicKey(privateKey) } }
  } catch {
    return undefined
  }
}

const isGood = async (
  { cert, key }: LocalCa,
  names: readonly string[],
  signer: Signer,
  now: number,
): Promise<boolean> => {
  try {
    const certificate = new X509Certificate(await readFile(cert))
    const covered = new Set(
      certificate.subjectAltName?.split(', ').map((name) => name.split(':')[1]),
    )
    return (
      certificate.checkPrivateKey(createPrivateKey(await readFile(key))) &&
      certificate.verify(signer.keys.publicKey) &&
      isFresh(certificate, now) &&
      names.every((name) => covered.has(name))
    )
  } catch {
    return false
  }
}

const issue = async (
  { cert, key }: LocalCa,
  names: readonly string[],
  signer: Signer,
  now: number,
): Promise<void> => {
  const keys = newKeys()
  const certificate = signCertificate({
    name: names[0] ?? 'localhost',
    publicKey: keys.publicKey,
    signer,
    notBefore: now - CLOCK_DIFFERENCE_MS,
    notAfter: now + CERTIFICATE_DAYS * DAY_MS,
    use: { kind: 'identity', names },
  })
  await write(key, pemOf(keys))
  await write(cert, certificate)
}

const isFresh = ({ validToDate }: X509Certificate, now: number): boolean =>
  validToDate.getTime() - now > RENEWED_BEFORE_DAYS * DAY_MS

const pemOf = ({ privateKey }: KeyPair): string =>
  privateKey.export({ type: 'pkcs8', format: 'pem' })

/** All of it or nothing, and for nobody else's eyes at any moment. */
const write = async (path: string, text: string): Promise<void> => {
  const unfinished = `${path}.${process.pid}`
  const file = await open(unfinished, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await chmod(unfinished, 0o600)
  await rename(unfinished, path)
}
