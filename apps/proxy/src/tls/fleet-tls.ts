/** What a proxy with a TLS listener has of its fleet: certificates, and session ticket keys. */
import { join } from 'node:path'
import {
  BUNDLE_PURPOSE,
  createBundleStore,
  createSealer,
  openBundleCache,
  readTicketKeys,
  TICKET_PURPOSE,
  type RedisLink,
} from '@gatehouse/events'
import type { Logger } from 'pino'
import type { ProxySettings } from '../config.ts'
import type { DataPlane } from '../data-plane.ts'
import { createBundleSource } from './bundle-source.ts'
import { createFleetCertificates, type FleetCertificates } from './fleet-certificates.ts'
import { followTicketKeys } from './ticket-keys.ts'

export interface FleetTls {
  readonly certificates: FleetCertificates
  /** Looks for the session ticket keys from now on; resolves when it is time to let clients in. */
  readonly start: () => Promise<void>
}

export interface FleetTlsParts {
  readonly settings: ProxySettings
  readonly link: RedisLink
  readonly dataPlane: DataPlane
  /** What others want to know of has changed. */
  readonly onChange: () => void
  readonly logger: Logger
  readonly signal: AbortSignal
}

export const openFleetTls = async (parts: FleetTlsParts): Promise<FleetTls> => {
  const { settings, link, dataPlane, onChange, logger, signal } = parts
  const { fleet, id, dataDir, secretKeys, listenTls } = settings
  const { certificates, challenges } = dataPlane
  const isServing = listenTls.length > 0
  const source = !isServing
    ? undefined
    : createBundleSource({
        store: createBundleStore(link, fleet),
        cache: await openBundleCache(join(dataDir, `certificates-${fleet}-${id}`)),
        sealer: secretKeys && createSealer(secretKeys, fleet, BUNDLE_PURPOSE),
        onCacheTrouble: (why) => logger.warn(`a certificate cannot be kept for a start: ${why}`),
      })
  return {
    certificates: createFleetCertificates({
      source,
      certificates,
      challenges,
      onChange: (certificate, problem) => {
        if (problem === undefined) logger.info({ certificate }, 'the certificate is served now')
        else logger.error(`certificate ${certificate} is not served: ${problem}`)
        onChange()
      },
      signal,
    }),
    start: async () => {
      if (!isServing || secretKeys === undefined) return
      const sealer = createSealer(secretKeys, fleet, TICKET_PURPOSE)
      await followTicketKeys({
        read: () => readTicketKeys(link, fleet, sealer),
        onKeys: certificates.setTicketKeys,
        onTrouble: (why) => logger.warn(`session tickets are good for this proxy only: ${why}`),
        signal,
      })
    },
  }
}
