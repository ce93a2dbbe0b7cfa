/** What `up` starts and where, read once from the environment. */
import { InvalidSetting, readDataDir, readFleetName, type Environment } from '@gatehouse/events'

export interface UpSettings {
  readonly dataDir: string
  readonly fleet: string
  /** Absent: a private Redis is started. */
  readonly redisUrl: string | undefined
  readonly listen: Address
  /** The first proxy's; the others count up from it. */
  readonly admin: Address
  readonly proxies: number
  readonly example: boolean
}

export interface Address {
  readonly host: string
  readonly port: number
}

const LISTEN_DEFAULT = '127.0.0.1:8080'
const ADMIN_DEFAULT = '127.0.0.1:9900'
const PROXIES_DEFAULT = 2
const PROXIES_MAX = 64
const PORT_MAX = 65_535

/** Throws `InvalidSetting` naming the variable, what it holds and what was expected. */
export const readUpSettings = (environment: Environment): UpSettings => {
  const redisUrl = environment['GATEHOUSE_REDIS_URL']
  const proxies = readProxies(environment['GATEHOUSE_PROXIES'])
  const admin = readAddress(environment, 'GATEHOUSE_ADMIN', ADMIN_DEFAULT)
  if (admin.port + proxies - 1 > PORT_MAX) {
    throw new InvalidSetting(
      `GATEHOUSE_ADMIN is port ${admin.port} and ${proxies} proxies count up from it; expected at most ${PORT_MAX - proxies + 1}`,
    )
  }
  return {
    dataDir: readDataDir(environment),
    fleet: readFleetName(environment),
    redisUrl: redisUrl === '' ? undefined : redisUrl,
    listen: readAddress(environment, 'GATEHOUSE_LISTEN', LISTEN_DEFAULT),
    admin,
    proxies,
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

const readProxies = (text: string | undefined): number => {
  if (text === undefined || text === '') return PROXIES_DEFAULT
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= PROXIES_MAX) return count
  throw new InvalidSetting(
    `GATEHOUSE_PROXIES is "${text}"; expected a whole number from 1 to ${PROXIES_MAX}`,
  )
}

const readExample = (text: string | undefined): boolean => {
  if (text === undefined || text === '' || text === 'yes') return true
  if (text === 'no') return false
  throw new InvalidSetting(`GATEHOUSE_EXAMPLE is "${text}"; expected yes or no`)
}
