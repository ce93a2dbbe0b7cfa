/**
 * Keeps what this proxy serves in step with what the fleet knows of its certificates. The log names
 * bundles by their fingerprints; the bundles come from elsewhere, and until one is there, what was served
 * before is served on, and its lack is said by name.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { servedOf, type Certificate, type GatewayEvent } from '@gatehouse/domain'
import type { CertificateProblem } from '@gatehouse/events'
import type { Challenges } from '../serve/challenges.ts'
import { readBundle, type Bundle } from './bundle.ts'
import type { Certificates } from './certificates.ts'

/** Where bundles lie. */
export interface BundleSource {
  /** Undefined: nobody has put it there. Throws with a reason that fits behind `NAME: `. */
  readonly read: (
    fingerprint: string,
  ) => Promise<{ readonly chain: string; readonly key: string } | undefined>
  /** Nobody here needs it any more. */
  readonly forget: (fingerprint: string) => Promise<void>
}

export interface FleetCertificates {
  /**
   * Has the bundle that the event names here before it is applied: a receipt says that it is served.
   * Undefined for events that name none.
   */
  readonly prepare: (event: GatewayEvent) => Promise<void> | undefined
  /** What the fleet knows of the certificate has changed; undefined: it knows nothing of it any more. */
  readonly follow: (name: string, certificate: Certificate | undefined) => void
  /** Resolves when everything was tried to be had once. */
  readonly settled: () => Promise<void>
  /** What should be served and is not. */
  readonly problems: () => readonly CertificateProblem[]
}

export interface FleetCertificatesParts {
  /** Undefined: no client speaks TLS here, and only challenges in clear text are followed. */
  readonly source: BundleSource | undefined
  readonly certificates: Certificates
  readonly challenges: Challenges
  /** A problem has come up, or one has gone. */
  readonly onChange: (name: string, problem: string | undefined) => void
  readonly signal: AbortSignal
}

/** Nobody's routes wait longer than this for a bundle. */
const PREPARE_MS_MAX = 2_000
const RETRY_MS = 2_000

export const createFleetCertificates = (parts: FleetCertificatesParts): FleetCertificates => {
  const { source, certificates, challenges, onChange, signal } = parts
  /** By what wants them: a certificate's name, or a host with its challenge. */
  const wants = new Map<string, Want>()
  const held = new Map<string, Held>()
  const bundles = new Map<string, Promise<Bundle>>()

  const load = (from: BundleSource, fingerprint: string): Promise<Bundle> => {
    const known = bundles.get(fingerprint)
    if (known !== undefined) return known
    const loading = fetchBundle(from, fingerprint)
    bundles.set(fingerprint, loading)
    // What failed is tried again by whoever wants it.
    loading.catch(() => bundles.delete(fingerprint))
    return loading
  }

  const want = (key: string, name: string, fingerprint: string, show: Want['show']): void => {
    const before = wants.get(key)
    if (source === undefined || before?.fingerprint === fingerprint) return
    const wanted: Want = {
      name,
      fingerprint,
      replaces: before?.fingerprint,
      show,
      problem: undefined,
      tried: Promise.resolve(),
    }
    wants.set(key, wanted)
    wanted.tried = attempt(source, key, wanted)
  }

  const unwant = (key: string): void => {
    const wanted = wants.get(key)
    if (wanted === undefined) return
    wants.delete(key)
    bundles.delete(wanted.fingerprint)
    void source?.forget(wanted.fingerprint)
    wanted.show(undefined)
    if (wanted.problem !== undefined) onChange(wanted.name, undefined)
  }

  const attempt = async (from: BundleSource, key: string, wanted: Want): Promise<void> => {
    try {
      const bundle = await load(from, wanted.fingerprint)
      if (wants.get(key) !== wanted) return
      wanted.show(bundle)
      // It has been handed on, and is needed here no more; nor is what it takes the place of.
      bundles.delete(wanted.fingerprint)
      if (wanted.replaces !== undefined) await from.forget(wanted.replaces)
      if (wanted.problem !== undefined) onChange(wanted.name, undefined)
      wanted.problem = undefined
    } catch (error) {
      if (wants.get(key) !== wanted) return
      const problem = error instanceof Error ? error.message : String(error)
      if (wanted.problem !== problem) onChange(wanted.name, problem)
      wanted.problem = problem
      void retry(from, key, wanted)
    }
  }

  const retry = async (from: BundleSource, key: string, wanted: Want): Promise<void> => {
    await delay(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined)
    if (!signal.aborted && wants.get(key) === wanted) await attempt(from, key, wanted)
  }

  const followChallenges = (name: string, certificate: Certificate | undefined): void => {
    const before = held.get(name)
    const after = heldOf(certificate)
    for (const token of before?.tokens.keys() ?? []) {
      if (!after.tokens.has(token)) challenges.delete(token)
    }
    for (const [token, keyAuthorization] of after.tokens) challenges.set(token, keyAuthorization)
    for (const host of before?.hosts.keys() ?? []) if (!after.hosts.has(host)) unwant(`@${host}`)
    for (const [host, fingerprint] of after.hosts) {
      want(`@${host}`, name, fingerprint, (bundle) => certificates.setChallenge(host, bundle))
    }
    if (after.tokens.size + after.hosts.size > 0) held.set(name, after)
    else held.delete(name)
  }

  return {
    prepare: (event) => {
      const fingerprint = fingerprintIn(event)
      return fingerprint === undefined || source === undefined
        ? undefined
        : within(PREPARE_MS_MAX, load(source, fingerprint))
    },
    follow: (name, certificate) => {
      const served = certificate === undefined ? undefined : servedOf(certificate)
      if (served === undefined) unwant(name)
      else want(name, name, served.fingerprint, (bundle) => certificates.set(name, bundle))
      followChallenges(name, certificate)
    },
    settled: async () => {
      await Promise.all([...wants.values()].map(({ tried }) => tried))
    },
    problems: () =>
      [...wants.values()].flatMap(({ name, fingerprint, problem }) =>
        problem === undefined ? [] : [{ certificate: name, fingerprint, problem }],
      ),
  }
}

interface Want {
  readonly name: string
  readonly fingerprint: string
  readonly replaces: string | undefined
  readonly show: (bundle: Bundle | undefined) => void
  problem: string | undefined
  /** The first attempt. */
  tried: Promise<void>
}

/** What proxies answer while an authority looks. */
interface Held {
  readonly tokens: ReadonlyMap<string, string>
  /** Fingerprints by host. */
  readonly hosts: ReadonlyMap<string, string>
}

const heldOf = (certificate: Certificate | undefined): Held => {
  const tokens = new Map<string, string>()
  const hosts = new Map<string, string>()
  for (const challenge of certificate?.order?.challenges ?? []) {
    if (challenge.kind === 'http-01') tokens.set(challenge.token, challenge.keyAuthorization)
    else hosts.set(challenge.host, challenge.fingerprint)
  }
  return { tokens, hosts }
}

const fingerprintIn = (event: GatewayEvent): string | undefined => {
  if (event.type === 'CertificateIssued' || event.type === 'CertificateImported') {
    return event.fingerprint
  }
  return event.type === 'ChallengePublished' && event.challenge.kind === 'tls-alpn-01'
    ? event.challenge.fingerprint
    : undefined
}

const fetchBundle = async (source: BundleSource, fingerprint: string): Promise<Bundle> => {
  const found = await source.read(fingerprint)
  if (found === undefined) throw new Error('its bundle is not in the store')
  const read = readBundle(found.chain, found.key)
  if (read.kind === 'unfit') throw new Error(`it ${read.problem}`)
  if (read.bundle.fingerprint !== fingerprint) {
    throw new Error('its bundle is that of another certificate')
  }
  return read.bundle
}

/** However it ends, and no longer than that. */
const within = async (ms: number, work: Promise<unknown>): Promise<void> => {
  const waiting = new AbortController()
  const bound = delay(ms, undefined, { signal: waiting.signal }).catch(() => undefined)
  await Promise.race([work.catch(() => undefined), bound])
  waiting.abort()
}
