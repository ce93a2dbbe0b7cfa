/** What `up` starts and where, read once from the environment. */
import { NAME } from '@gatehouse/domain'
import { InvalidSetting, readDataDir, readFleetName, type Environment } from '@gatehouse/events'

export interface UpSettings {
  readonly dataDir: string
  readonly fleet: string
  /** What the proxies are called, with a number each: on several machines they need several names. */
  readonly name: string
  /** Absent: a private Redis is started. */
  readonly redisUrl: string | undefined
  readonly listen: Address
  /** Where clients speak TLS; `off`: nowhere. */
  readonly listenTls: Address | 'off'
  /** Nobody has said where, so that another port will do where this one is taken. */
  readonly listenTlsIsDefault: boolean
  /** Somebody has a certificate for unknown names already. */
  readonly ownCertificate: boolean
  /** The first proxy's; the others count up from it. */
  readonly admin: Address
  readonly proxies: number
  /** How long a proxy that is stopped or replaced lets its work go on. */
  readonly stopGraceMs: number
  readonly example: boolean
}

export interface Address {
  readonly host: string
  readonly port: number
}

const NAME_DEFAULT = 'proxy'
/** Leaves room for a number, and for what tells a proxy from its successor. */
const NAME_LENGTH_MAX = 58
const LISTEN_DEFAULT = '127.0.0.1:8080'
const LISTEN_TLS_DEFAULT = '127.0.0.1:8443'
const ADMIN_DEFAULT = '127.0.0.1:9900'
const PROXIES_DEFAULT = '2'
const PROXIES_MAX = 64
const PORT_MAX = 65_535
const STOP_GRACE_MS_DEFAULT = 30_000
const STOP_GRACE_MS_MAX = 86_400_000

/**
 * Throws `InvalidSetting` naming the variable, what it holds and what was expected. `--proxies` wins over
 * its variable.
 */
export const readUpSettings = (environment: Environment, proxiesOption?: string): UpSettings => {
  const redisUrl = environment['GATEHOUSE_REDIS_URL']
  const proxies =
    proxiesOption === undefined
      ? readProxies('GATEHOUSE_PROXIES', environment['GATEHOUSE_PROXIES'] || PROXIES_DEFAULT)
      : readProxies('--proxies', proxiesOption)
  const admin = readAddress(environment, 'GATEHOUSE_ADMIN', ADMIN_DEFAULT)
  if (admin.port + proxies - 1 > PORT_MAX) {
    throw new InvalidSetting(
      `GATEHOUSE_ADMIN is port ${admin.port} and ${proxies} proxies count up from it; expected at most ${PORT_MAX - proxies + 1}`,
    )
  }
  return {
    dataDir: readDataDir(environment),
    fleet: readFleetName(environment),
    name: readName(environment['GATEHOUSE_PROXY_ID']),
    redisUrl: redisUrl === '' ? undefined : redisUrl,
    listen: readAddress(environment, 'GATEHOUSE_LISTEN', LISTEN_DEFAULT),
    listenTls:
      environment['GATEHOUSE_LISTEN_TLS'] === 'off'
        ? 'off'
        : readAddress(environment, 'GATEHOUSE_LISTEN_TLS', LISTEN_TLS_DEFAULT),
    listenTlsIsDefault: (environment['GATEHOUSE_LISTEN_TLS'] ?? '') === '',
    ownCertificate: (environment['GATEHOUSE_TLS_CERT'] ?? '') !== '',
    admin,
    proxies,
    stopGraceMs: readStopGrace(environment['GATEHOUSE_GRACE_MS']),
    example: readExample(environment['GATEHOUSE_EXAMPLE']),
  }
}

/** `127.0.0.1:8080`, `[::1]:8080` */
export const sayAddress = ({ host, port }: Address): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/** The address to reach it at: one that listens everywhere is reached on loopback. */
export const reachable = ({ host, port }: Address): Address => ({
  host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
  port,
})

/** The proxy with this index, from 0 on. */
export const proxyName = (name: string, index: number): string => `${name}-${index + 1}`

const readName = (text: string | undefined): string => {
  if (text === undefined || text === '') return NAME_DEFAULT
  if (NAME.test(text) && text.length <= NAME_LENGTH_MAX) return text
  throw new InvalidSetting(
    `GATEHOUSE_PROXY_ID is "${text}"; expected letters, digits, ".", "_" and "-", at most ${NAME_LENGTH_MAX}`,
  )
}

const readAddress = (environment: Environment, variable: string, ifUnset: string): Address => {
  const given = environment[variable]
  const text = given === undefined || given === '' ? ifUnset : given
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\],]*)):(\d{1,5})$/i.exec(text.trim())
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > PORT_MAX) {
    throw new InvalidSetting(`${variable} is "${text}"; expected one host:port, such as ${ifUnset}`)
  }
  const host = match[1] ?? match[2] ?? ''
  return { host: host === '' ? '::' : host, port }
}

const readProxies = (from: string, text: string): number => {
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (Number.isInteger(count) && count >= 1 && count <= PROXIES_MAX) return count
  throw new InvalidSetting(`${from} is "${text}"; expected a whole number from 1 to ${PROXIES_MAX}`)
}

/** As a proxy reads it. */
const readStopGrace = (text: string | undefined): number => {
  const ms = text === undefined || text === '' ? STOP_GRACE_MS_DEFAULT : Number(text)
  if (Number.isInteger(ms) && ms >= 0 && ms <= STOP_GRACE_MS_MAX) return ms
  throw new InvalidSetting(
    `GATEHOUSE_GRACE_MS is "${text}"; expected milliseconds from 0 to ${STOP_GRACE_MS_MAX}`,
  )
}

const readExample = (text: string | undefined): boolean => {
  if (text === undefined || text === '' || text === 'yes') return true
  if (text === 'no') return false
  throw new InvalidSetting(`GATEHOUSE_EXAMPLE is "${text}"; expected yes or no`)
}
