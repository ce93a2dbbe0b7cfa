/**
 * For which hosts a certificate is ordered when a client first asks for one. Nothing is, unless a list or
 * somebody who is asked allows the host: an order for whatever name a stranger sends would be his to spend.
 */
import { parseHostPattern, type HostPattern } from '@gatehouse/domain'
import { InvalidSetting, type Environment } from '@gatehouse/events'

export interface OnDemandSettings {
  /** Asked `GET <url>?domain=<host>` for each new host; 200 to 299 allows it. */
  readonly askUrl?: string
  /** The host has to match one of them, when there are any. */
  readonly hosts: readonly HostPattern[]
  /** Certificates that the fleet orders this way in an hour. */
  readonly perHourMax: number
}

export const ON_DEMAND_PER_HOUR_MAX = 20

/** Undefined when neither a list nor an URL is set. Throws `InvalidSetting`. */
export const readOnDemandSettings = (environment: Environment): OnDemandSettings | undefined => {
  const ask = environment['GATEHOUSE_ON_DEMAND_ASK']?.trim() ?? ''
  const hosts = environment['GATEHOUSE_ON_DEMAND_HOSTS']?.trim() ?? ''
  const perHourMax = readCount(environment['GATEHOUSE_ON_DEMAND_PER_HOUR_MAX']?.trim() ?? '')
  if (ask === '' && hosts === '') return undefined
  return {
    ...(ask === '' ? {} : { askUrl: readUrl(ask) }),
    hosts: hosts === '' ? [] : hosts.split(',').map(readHost),
    perHourMax,
  }
}

const readUrl = (given: string): string => {
  if (URL.canParse(given) && /^https?:$/.test(new URL(given).protocol)) return given
  throw new InvalidSetting(
    `GATEHOUSE_ON_DEMAND_ASK is "${given}"; expected a URL that answers 200 for hosts that may have a certificate, such as http://127.0.0.1:5000/allowed`,
  )
}

const readHost = (given: string): HostPattern => {
  const parsed = parseHostPattern(given)
  if ('pattern' in parsed) return parsed.pattern
  throw new InvalidSetting(`GATEHOUSE_ON_DEMAND_HOSTS: ${parsed.problem}`)
}

const readCount = (given: string): number => {
  if (given === '') return ON_DEMAND_PER_HOUR_MAX
  const count = Number(given)
  if (/^\d+$/.test(given) && count >= 1 && count <= 10_000) return count
  throw new InvalidSetting(
    `GATEHOUSE_ON_DEMAND_PER_HOUR_MAX is "${given}"; expected a number from 1 to 10000`,
  )
}
