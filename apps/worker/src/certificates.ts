/**
 * What a worker needs for certificates, put together: what jobs take, the look for renewals, and orders on
 * demand. The ACME library comes in with the first certificate, not with the worker.
 */
import { randomUUID } from 'node:crypto'
import type { RequestCertificate } from '@gatehouse/domain'
import {
  createWishes,
  submit,
  TOOL,
  type EventLog,
  type RedisLink,
  type Replica,
  type SecretKeys,
} from '@gatehouse/events'
import type { Logger } from 'pino'
import type { OnDemandSettings } from './acme/on-demand-settings.ts'
import { openAcmeStore } from './acme/redis-store.ts'
import type { AcmeSettings } from './acme/settings.ts'
import { shareAdvice } from './acme/shared-advice.ts'
import { openBundleStore, sealerFor } from './bundle-store.ts'
import type { Exclusive } from './exclusive.ts'
import { orderOnDemand } from './on-demand.ts'
import type { CertificateWork } from './order-certificate.ts'
import { createRenewals } from './renewals.ts'
import type { Report } from './report.ts'
import type { FleetReader } from './watch-drain.ts'

export interface Certificates extends AsyncDisposable {
  /** What jobs about certificates take. */
  readonly work: () => Promise<CertificateWork>
  /** Called whenever the state may have moved, and now and then: orders what is due. */
  readonly look: () => void
}

export interface CertificatesOptions {
  readonly link: RedisLink
  readonly fleetName: string
  readonly worker: string
  readonly secretKeys: SecretKeys | undefined
  readonly acme: AcmeSettings
  readonly onDemand: OnDemandSettings | undefined
  readonly log: EventLog
  readonly replica: Replica
  /** A submit brings the replica forward, and so does the follower: they take turns. */
  readonly exclusive: Exclusive
  readonly isTrusted: () => boolean
  readonly fleet: FleetReader
  readonly report: Report
  readonly logger: Logger
}

/** What is kept of an authority is sealed for this. */
const ACME_PURPOSE = 'acme'

export const openCertificates = (options: CertificatesOptions): Certificates => {
  const { link, fleetName, secretKeys, acme, onDemand, replica, isTrusted, fleet, report, logger } =
    options
  const leaving = new AbortController()
  const bundles = openBundleStore(link, fleetName, secretKeys)
  const onTrouble = (error: Error): void => {
    logger.warn({ err: error }, 'something about a certificate went wrong')
  }
  let opened: Promise<CertificateWork> | undefined
  const open = async (): Promise<CertificateWork> => {
    const { openAuthority } = await import('./acme/authority.ts')
    const orders = openAcmeStore(link, fleetName, sealerFor(secretKeys, fleetName, ACME_PURPOSE))
    const authority = openAuthority(acme, orders, onTrouble)
    return { authority, orders, bundles, fleet, report, onTrouble }
  }
  const work = (): Promise<CertificateWork> => (opened ??= open())
  const request = createRequest(options)

  const { gateway } = replica.table
  const renewals = createRenewals({
    gateway,
    isTrusted,
    request: async (certificate, renews) => {
      await request({ type: 'RequestCertificate', certificate, reason: 'renewal', renews })
    },
    advise: shareAdvice({
      link,
      fleet: fleetName,
      ask: async (fingerprint) => {
        const bundle = await bundles.load(fingerprint)
        const { authority } = await work()
        return bundle && authority.advise(bundle.chain, leaving.signal)
      },
      logger,
    }),
    logger,
  })

  const ordering =
    onDemand === undefined
      ? undefined
      : orderOnDemand(
          {
            settings: onDemand,
            link,
            fleet: fleetName,
            wishes: createWishes(link, fleetName),
            gateway,
            isTrusted,
            order: (host) =>
              request({
                type: 'RequestCertificate',
                certificate: host,
                reason: 'on-demand',
                names: [host],
              }),
            logger,
          },
          leaving.signal,
        )

  return {
    work,
    look: renewals.look,
    [Symbol.asyncDispose]: async () => {
      leaving.abort()
      await ordering
    },
  }
}

/** Asks for a certificate as people do. Answers with why the domain refused, if it did. */
const createRequest =
  ({ log, replica, exclusive, worker, logger }: CertificatesOptions) =>
  async (command: RequestCertificate): Promise<string | undefined> => {
    const meta = { command: randomUUID(), actor: worker, tool: TOOL }
    const submitted = await exclusive(() => submit(log, replica, command, meta))
    const about = { certificate: command.certificate, reason: command.reason }
    switch (submitted.kind) {
      case 'accepted':
        logger.info(about, 'asked for a certificate')
        return undefined
      case 'nothing-to-do':
        return undefined
      case 'rejected':
        logger.warn({ ...about, rejection: submitted.rejection }, 'a certificate was refused')
        return submitted.rejection.reason
      case 'contended':
        throw new Error('A RequestCertificate found the log too busy, and was not appended')
    }
  }
