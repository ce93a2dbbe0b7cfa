/**
 * The files that a spec names for TLS, read and judged before anything happens. What is wrong with one is
 * said under the name that the user gave the field.
 */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { CertificateFacts } from '@gatehouse/domain'
import { readBundle, type Bundle } from '@gatehouse/events'
import type { TlsFiles } from './to-ingress.ts'

export interface TlsContent {
  readonly bundle?: { readonly bundle: Bundle; readonly facts: CertificateFacts }
  /** PEM. */
  readonly clientCa?: string
}

export type ReadTlsFiles =
  | TlsContent
  | { readonly field: 'tls.cert' | 'tls.key' | 'tls.client_ca'; readonly problem: string }

/** `hosts` are those that the certificate has to cover; `now` in Unix milliseconds. */
export const readTlsFiles = async (
  { bundle, clientCa }: TlsFiles,
  hosts: readonly string[],
  now: number,
): Promise<ReadTlsFiles> => {
  let content: TlsContent = {}
  if (bundle !== undefined) {
    const read = await readBundleFiles(bundle.cert, bundle.key, hosts, now)
    if ('problem' in read) {
      return { field: read.part === 'key' ? 'tls.key' : 'tls.cert', problem: read.problem }
    }
    content = { bundle: read }
  }
  if (clientCa === undefined) return content
  const text = await readPem(clientCa)
  if ('problem' in text) return { field: 'tls.client_ca', problem: text.problem }
  if (isCertificate(text.pem)) return { ...content, clientCa: text.pem }
  return {
    field: 'tls.client_ca',
    problem: `${clientCa} holds no certificate; expected PEM that begins with -----BEGIN CERTIFICATE-----`,
  }
}

const isCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).fingerprint256 !== ''
  } catch {
    return false
  }
}

export type ReadBundleFiles =
  | { readonly bundle: Bundle; readonly facts: CertificateFacts }
  | { readonly part: 'certificate' | 'key'; readonly problem: string }

/** A certificate and its key from two files; a problem names the file that has it. */
export const readBundleFiles = async (
  cert: string,
  key: string,
  hosts: readonly string[],
  now: number,
): Promise<ReadBundleFiles> => {
  const [chain, secret] = [await readPem(cert), await readPem(key)]
  if ('problem' in chain) return { part: 'certificate', problem: chain.problem }
  if ('problem' in secret) return { part: 'key', problem: secret.problem }
  const read = readBundle({ chain: chain.pem, key: secret.pem }, { now, hosts })
  if (read.kind === 'bundle') return { bundle: read.bundle, facts: read.facts }
  return { part: read.part, problem: `${read.part === 'key' ? key : cert} ${read.problem}` }
}

const readPem = async (
  path: string,
): Promise<{ readonly pem: string } | { readonly problem: string }> => {
  try {
    return { pem: await readFile(path, 'utf8') }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return {
      problem: code === 'ENOENT' ? `${path} is not there` : `${path} cannot be read (${code})`,
    }
  }
}
