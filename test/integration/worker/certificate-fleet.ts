/** What tests of certificates begin with: a fleet, an authority, and a service that wants a certificate. */
import type { Deploy } from '@gatehouse/domain'
import type { Pebble } from '../../support/pebble.ts'
import { startChallengeProxy, type ChallengeProxy } from './challenge-proxy.ts'
import { deploy, type TestFleet } from './fleet.ts'

/** On a machine that has other things to do. */
export const ISSUED_MS_MAX = 45_000

/** What a worker is told about the authority. */
export const settingsFor = (
  authority: Pick<Pebble, 'directory'>,
  { caFile }: Pick<Pebble, 'caFile'>,
): Readonly<Record<string, string>> => ({
  GATEHOUSE_ACME_DIRECTORY: authority.directory,
  GATEHOUSE_ACME_CA: caFile,
  GATEHOUSE_SECRET_KEY: '5e'.repeat(32),
})

export const withTls = (service: string, hosts: readonly string[]): Deploy =>
  deploy(
    service,
    'blue',
    ['http://127.0.0.1:9'],
    { skip: true },
    { hosts, ingress: { tls: 'auto', forceHttps: false } },
  )

/** A proxy at the address that every name has. */
export const oneProxy = (fleet: TestFleet, pebble: Pebble): Promise<ChallengeProxy> =>
  startChallengeProxy(fleet, { id: 'p1', port: pebble.httpPort })
