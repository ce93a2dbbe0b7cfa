/** How clients come, from the fields of a spec; and the files that it names, which are read later. */
import type { Ingress } from '@gatehouse/domain'
import type { FieldName } from './fields.ts'
import type { SpecValues } from './schema.ts'

/** Absolute paths. */
export interface TlsFiles {
  readonly bundle?: { readonly cert: string; readonly key: string }
  readonly clientCa?: string
}

export type SpecIngress =
  | { readonly ingress?: Ingress; readonly files: TlsFiles }
  | { readonly field: FieldName; readonly problem: string }

/** Absent when nothing is said. Where clients come by TLS they are also sent there, unless told otherwise. */
export const toIngress = (values: SpecValues): SpecIngress => {
  const mode = values['tls.mode']
  const [cert, key, clientCa] = [values['tls.cert'], values['tls.key'], values['tls.client_ca']]
  const { force_https: forced, hsts, canonical_host: canonicalHost } = values
  if (cert === undefined && key !== undefined) {
    return { field: 'tls.key', problem: 'needs its certificate; give tls.cert as well' }
  }
  if (cert !== undefined && key === undefined) {
    return { field: 'tls.cert', problem: 'needs its private key; give tls.key as well' }
  }
  if (cert !== undefined && mode !== undefined) {
    return {
      field: 'tls.cert',
      problem: `brings a certificate while tls is "${mode}"; give one of them`,
    }
  }
  const given = [mode, cert, clientCa, forced, hsts, canonicalHost]
  if (given.every((each) => each === undefined)) return { files: {} }
  const tls = cert === undefined ? (mode ?? 'off') : 'manual'
  return {
    ingress: {
      tls,
      forceHttps: forced ?? tls !== 'off',
      ...(hsts === undefined ? {} : { hstsSeconds: hsts }),
      ...(canonicalHost === undefined ? {} : { canonicalHost }),
    },
    files: {
      ...(cert === undefined || key === undefined ? {} : { bundle: { cert, key } }),
      ...(clientCa === undefined ? {} : { clientCa }),
    },
  }
}
