/**
 * The certificates that this proxy has, by the names that they cover. A handshake looks here for what to
 * answer with: the exact name, then the wildcard, then the default. They change between handshakes, and
 * connections that are open keep what they were answered with.
 */
import { hostOfAuthority, namesCover } from '@gatehouse/domain'
import type { SecureContext } from 'node:tls'
import type { ClientHello } from '../transport/client-hello.ts'
import {
  applicationProtocols,
  TLS_ALERT,
  type ServedIdentity,
  type TlsChoice,
} from '../transport/tls-terms.ts'
import { wildcardOf, type Bundle } from './bundle.ts'
import { createServerContext } from './contexts.ts'

/** RFC 8737 §6.2: an authority that wants to see the certificate of a challenge, and nothing else. */
export const ACME_TLS = 'acme-tls/1'

export interface CertificateRow {
  /** `default` for the one that answers for unknown names. */
  readonly name: string
  readonly bundle: Bundle
}

export interface Certificates {
  /** Takes the place of what the certificate was before; undefined takes it out. */
  readonly set: (name: string, bundle: Bundle | undefined) => void
  /** For names that nobody has, and for clients that name nobody. */
  readonly setDefault: (bundle: Bundle | undefined) => void
  /** What an authority is shown that asks for the host; undefined: nothing any more. */
  readonly setChallenge: (host: string, bundle: Bundle | undefined) => void
  /** Those of the fleet, for sessions that begin from now on; 48 bytes. */
  readonly setTicketKeys: (keys: Buffer) => void
  readonly choose: (hello: ClientHello) => TlsChoice
  readonly rows: () => readonly CertificateRow[]
}

export interface CertificatesParts {
  /** What connections may speak, the preferred one first. */
  readonly applicationProtocols: readonly string[]
  /** PEM: who signs the certificates that clients of the host must show. */
  readonly clientAuthorityOf: (host: string) => string | undefined
  /** A certificate, or an authority for clients, that OpenSSL refuses when it is first needed. */
  readonly onUnusable: (name: string, problem: string) => void
}

export const createCertificates = (parts: CertificatesParts): Certificates => {
  const byName = new Map<string, Entry>()
  const byHost = new Map<string, readonly Entry[]>()
  const challenges = new Map<string, Entry>()
  const protocols = applicationProtocols(parts.applicationProtocols)
  const acmeProtocols = applicationProtocols([ACME_TLS])
  let fallback: Entry | undefined
  let ticketKeys: Buffer | undefined

  const entryFor = (serverName: string | undefined): Entry | undefined => {
    if (serverName === undefined) return fallback
    const host = hostOfAuthority(serverName)
    if (host === undefined) return fallback
    return byHost.get(host)?.[0] ?? byHost.get(wildcardOf(host))?.[0] ?? fallback
  }

  const contextOf = (entry: Entry, clientAuthority: string | undefined): SecureContext => {
    const known = entry.contexts.get(clientAuthority)
    if (known !== undefined) return known
    const { bundle } = entry
    const context = createServerContext({ bundle, clientAuthority, ticketKeys })
    entry.contexts.set(clientAuthority, context)
    return context
  }

  const serve = (entry: Entry, serverName: string | undefined): TlsChoice => {
    const host = serverName === undefined ? undefined : hostOfAuthority(serverName)
    const clientAuthority = host === undefined ? undefined : parts.clientAuthorityOf(host)
    try {
      return {
        kind: 'serve',
        context: contextOf(entry, clientAuthority),
        applicationProtocols: protocols,
        clientCertificate: clientAuthority === undefined ? 'ignored' : 'required',
        identity: identityOf(entry, host, clientAuthority),
      }
    } catch (error) {
      parts.onUnusable(entry.name, error instanceof Error ? error.message : String(error))
      return { kind: 'refuse', alert: TLS_ALERT.handshakeFailure, reason: 'unusable-certificate' }
    }
  }

  const answerChallenge = (serverName: string | undefined): TlsChoice => {
    const host = serverName === undefined ? undefined : hostOfAuthority(serverName)
    const entry = host === undefined ? undefined : challenges.get(host)
    if (entry === undefined) return UNKNOWN_NAME
    return {
      kind: 'serve',
      context: contextOf(entry, undefined),
      applicationProtocols: acmeProtocols,
      clientCertificate: 'ignored',
      identity: identityOf(entry, host, undefined),
    }
  }

  const addTo = (entry: Entry): void => {
    for (const host of entry.bundle.names) {
      byHost.set(host, [...(byHost.get(host) ?? []), entry].toSorted(longestFirst))
    }
  }

  const takeFrom = (entry: Entry): void => {
    for (const host of entry.bundle.names) {
      const left = (byHost.get(host) ?? []).filter((each) => each !== entry)
      if (left.length === 0) byHost.delete(host)
      else byHost.set(host, left)
    }
  }

  return {
    set: (name, bundle) => {
      const before = byName.get(name)
      if (before !== undefined) takeFrom(before)
      byName.delete(name)
      if (bundle === undefined) return
      const entry = newEntry(name, bundle)
      byName.set(name, entry)
      addTo(entry)
    },
    setDefault: (bundle) => {
      fallback = bundle === undefined ? undefined : newEntry('default', bundle)
    },
    setChallenge: (host, bundle) => {
      if (bundle === undefined) challenges.delete(host)
      else challenges.set(host, newEntry(`the challenge for ${host}`, bundle))
    },
    setTicketKeys: (keys) => {
      ticketKeys = keys
      for (const { contexts } of [
        ...byName.values(),
        ...(fallback === undefined ? [] : [fallback]),
      ]) {
        contexts.clear()
      }
    },
    choose: ({ serverName, applicationProtocols: offered }) => {
      // RFC 8737 §4: such a client offers nothing else, and nobody else offers it.
      if (offered.includes(ACME_TLS)) return answerChallenge(serverName)
      const entry = entryFor(serverName)
      return entry === undefined ? UNKNOWN_NAME : serve(entry, serverName)
    },
    rows: () => [
      ...[...byName.values()].map(({ name, bundle }) => ({ name, bundle })),
      ...(fallback === undefined ? [] : [{ name: fallback.name, bundle: fallback.bundle }]),
    ],
  }
}

interface Entry {
  readonly name: string
  readonly bundle: Bundle
  /** By the authority that clients need, made when one is first asked for. */
  readonly contexts: Map<string | undefined, SecureContext>
}

const newEntry = (name: string, bundle: Bundle): Entry => ({ name, bundle, contexts: new Map() })

/** Of several for one name, the one that will be good for longest; of equals, always the same. */
const longestFirst = (one: Entry, other: Entry): number =>
  other.bundle.notAfter - one.bundle.notAfter || (one.name < other.name ? -1 : 1)

/**
 * Who asked for a name that only the default answers for, has taken that certificate for the name. Who
 * asked for none may ask for any host: there is nobody to be taken for.
 */
const identityOf = (
  { bundle: { names } }: Entry,
  host: string | undefined,
  clientAuthority: string | undefined,
): ServedIdentity => ({
  clientAuthority,
  covers: (asked) => host === undefined || asked === host || namesCover(names, asked),
})

const UNKNOWN_NAME: TlsChoice = {
  kind: 'refuse',
  alert: TLS_ALERT.unrecognizedName,
  reason: 'unknown-name',
}
