/** The proxy's settings, read once from the environment. A wrong one stops the start with a sentence. */
import { hostname } from 'node:os'
import {
  InvalidSetting,
  readFleetSettings,
  readSecretKeys,
  type Environment,
  type FleetSettings,
  type SecretKeys,
} from '@gatehouse/events'
import { NAME } from '@gatehouse/domain'
import { readHandedDown } from './handed-down.ts'
import type { TransportSetting } from './transport/choose.ts'
import { CLIENT_CONNECTIONS_MAX, REQUEST_BYTES_PER_SECOND_MIN } from './serve/limits.ts'
import { createTrust } from './trusted-peers.ts'

export interface ProxySettings extends FleetSettings {
  readonly id: string
  readonly listen: readonly Address[]
  /** Where clients speak TLS; none: nowhere. */
  readonly listenTls: readonly Address[]
  /** The certificate for names that the fleet has none for; undefined: those are refused. */
  readonly defaultCertificate: CertificateFiles | undefined
  readonly admin: Address
  /** What private keys are sealed with; undefined: nobody has said, and none can be unsealed. */
  readonly secretKeys: SecretKeys | undefined
  readonly transport: TransportSetting
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** Of a client that sends a body; 0 for any pace. */
  readonly requestBytesPerSecondMin: number
  /** Addresses and CIDR ranges of proxies in front of this one. */
  readonly trustedProxies: readonly string[]
  /** Every head is read by a second parser too. */
  readonly paranoid: boolean
  /** Clients may speak HTTP/2. */
  readonly http2: boolean
  /** How long requests may go on after the proxy was told to stop. */
  readonly stopGraceMs: number
  /** The proxy whose place this one takes, on the same sockets; undefined for one that takes none. */
  readonly succeeds: string | undefined
}

export interface Address {
  readonly host: string
  readonly port: number
  /** A bound socket that was handed down: host and port are its own then. */
  readonly fd?: number
}

export interface CertificateFiles {
  /** PEM: the chain, the certificate itself first. */
  readonly cert: string
  /** PEM. */
  readonly key: string
}

const LISTEN_DEFAULT = '127.0.0.1:8080'
const LISTEN_TLS_EXAMPLE = '127.0.0.1:8443'
const ADMIN_DEFAULT = '127.0.0.1:9900'
const STOP_GRACE_MS_DEFAULT = 30_000
const STOP_GRACE_MS_MAX = 86_400_000

/** Throws `InvalidSetting` naming the variable, what it holds and what was expected. */
export const readProxySettings = (
  environment: Environment = process.env,
  pid: number = process.pid,
): ProxySettings => {
  const handedDown = readHandedDown(environment, pid)
  const admin = parseAddress(
    'GATEHOUSE_ADMIN',
    given(environment, 'GATEHOUSE_ADMIN') ?? ADMIN_DEFAULT,
    ADMIN_DEFAULT,
  )
  const connectionsMax =
    readCount(environment, 'GATEHOUSE_CONNECTIONS_MAX') ?? CLIENT_CONNECTIONS_MAX
  return {
    ...readFleetSettings(environment),
    listen:
      handedDown.traffic.length > 0
        ? handedDown.traffic.map(inherited)
        : parseAddresses(
            'GATEHOUSE_LISTEN',
            given(environment, 'GATEHOUSE_LISTEN') ?? LISTEN_DEFAULT,
            LISTEN_DEFAULT,
          ),
    listenTls:
      handedDown.tls.length > 0
        ? handedDown.tls.map(inherited)
        : parseAddresses(
            'GATEHOUSE_LISTEN_TLS',
            given(environment, 'GATEHOUSE_LISTEN_TLS') ?? '',
            LISTEN_TLS_EXAMPLE,
          ),
    defaultCertificate: readCertificateFiles(environment),
    secretKeys: readSecretKeys(environment),
    admin: handedDown.admin === undefined ? admin : { ...admin, fd: handedDown.admin },
    transport: parseTransport(given(environment, 'GATEHOUSE_TRANSPORT') ?? 'auto'),
    connectionsMax,
    connectionsPerAddressMax:
      readCount(environment, 'GATEHOUSE_CONNECTIONS_PER_ADDRESS_MAX') ??
      Math.ceil(connectionsMax / 2),
    requestBytesPerSecondMin:
      readCount(environment, 'GATEHOUSE_REQUEST_BYTES_PER_SECOND_MIN', 0) ??
      REQUEST_BYTES_PER_SECOND_MIN,
    trustedProxies: readTrustedProxies(environment),
    stopGraceMs: parseStopGrace(given(environment, 'GATEHOUSE_GRACE_MS')),
    succeeds: given(environment, 'GATEHOUSE_SUCCEEDS'),
    // The admin port tells proxies of one machine apart, and stays the same over a restart, so that
    // a proxy finds its local copy again.
    id: parseId(given(environment, 'GATEHOUSE_PROXY_ID') ?? `${hostname()}-${admin.port}`),
    paranoid: parseSwitch('GATEHOUSE_PARANOID', given(environment, 'GATEHOUSE_PARANOID') ?? '0'),
    http2: parseSwitch('GATEHOUSE_HTTP2', given(environment, 'GATEHOUSE_HTTP2') ?? '1'),
  }
}

/** `127.0.0.1:8080`, `[::1]:8080`; of a socket that was handed down and is not open yet, `descriptor 3`. */
export const addressText = ({ host, port, fd }: Address): string =>
  fd !== undefined
    ? `descriptor ${fd}`
    : host.includes(':')
      ? `[${host}]:${port}`
      : `${host}:${port}`

/** Empty is as good as unset: that is how many tools leave a variable out. */
const given = (environment: Environment, variable: string): string | undefined => {
  const value = environment[variable]
  return value === '' ? undefined : value
}

const inherited = (fd: number): Address => ({ host: '', port: 0, fd })

/** Separated by commas; none in an empty text. */
const parseAddresses = (variable: string, text: string, example: string): readonly Address[] =>
  text === '' ? [] : text.split(',').map((each) => parseAddress(variable, each.trim(), example))

const readCertificateFiles = (environment: Environment): CertificateFiles | undefined => {
  const cert = given(environment, 'GATEHOUSE_TLS_CERT')
  const key = given(environment, 'GATEHOUSE_TLS_KEY')
  if (cert === undefined && key === undefined) return undefined
  if (cert !== undefined && key !== undefined) return { cert, key }
  const [set, unset] =
    cert === undefined
      ? ['GATEHOUSE_TLS_KEY', 'GATEHOUSE_TLS_CERT']
      : ['GATEHOUSE_TLS_CERT', 'GATEHOUSE_TLS_KEY']
  throw new InvalidSetting(
    `${set} is set and ${unset} is not; expected both, each the path of a PEM file`,
  )
}

/** `host:port`, `[::1]:port` or `:port`, which listens on every address. */
const parseAddress = (variable: string, text: string, example: string): Address => {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/i.exec(text)
  const port = Number(match?.[3])
  if (match === null || port > 65_535) {
    throw new InvalidSetting(`${variable} is "${text}"; expected host:port, such as ${example}`)
  }
  return { host: match[1] ?? (match[2] === '' ? '::' : (match[2] ?? '::')), port }
}

const parseTransport = (text: string): TransportSetting => {
  if (text === 'auto' || text === 'net' || text === 'handle' || text === 'uring') return text
  throw new InvalidSetting(`GATEHOUSE_TRANSPORT is "${text}"; expected auto, uring, handle or net`)
}

const readCount = (environment: Environment, variable: string, min = 1): number | undefined => {
  const text = given(environment, variable)
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text) && Number(text) >= min) return Number(text)
  throw new InvalidSetting(`${variable} is "${text}"; expected a whole number from ${min} on`)
}

const readTrustedProxies = (environment: Environment): readonly string[] => {
  const text = given(environment, 'GATEHOUSE_TRUSTED_PROXIES') ?? ''
  const ranges = text.split(',').flatMap((range) => range.trim() || [])
  try {
    createTrust(ranges)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new InvalidSetting(`GATEHOUSE_TRUSTED_PROXIES: ${problem}`)
  }
  return ranges
}

const parseSwitch = (variable: string, text: string): boolean => {
  if (text === '1' || text === '0') return text === '1'
  throw new InvalidSetting(`${variable} is "${text}"; expected 1 or 0`)
}

const parseStopGrace = (text: string | undefined): number => {
  const ms = text === undefined ? STOP_GRACE_MS_DEFAULT : Number(text)
  if (Number.isInteger(ms) && ms >= 0 && ms <= STOP_GRACE_MS_MAX) return ms
  throw new InvalidSetting(
    `GATEHOUSE_GRACE_MS is "${text}"; expected milliseconds from 0 to ${STOP_GRACE_MS_MAX}`,
  )
}

const parseId = (text: string): string => {
  const id = text.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 63)
  if (id === text && NAME.test(id)) return id
  throw new InvalidSetting(
    `GATEHOUSE_PROXY_ID is "${text}"; expected letters, digits, ".", "_" and "-", at most 63`,
  )
}
