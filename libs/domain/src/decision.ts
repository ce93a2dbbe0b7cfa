/** What a command leads to: events to append, or why not. */
import type { Request } from './command.ts'
import type { GatewayEvent } from './event.ts'
import type { Service } from './gateway.ts'
import type { Rejection } from './rejection.ts'

export type Decision =
  { readonly accepted: readonly GatewayEvent[] } | { readonly rejected: Rejection }

export const nothing: Decision = { accepted: [] }
export const accepted = (...events: readonly GatewayEvent[]): Decision => ({ accepted: events })
export const rejected = (rejection: Rejection): Decision => ({ rejected: rejection })

/** The rejection of a command that expected the service as it is no longer; undefined when it may go on. */
export const versionMoved = (
  command: Request,
  service: Service | undefined,
): Decision | undefined => {
  const actual = service?.version ?? 0
  return command.expectVersion === undefined || command.expectVersion === actual
    ? undefined
    : rejected({
        reason: 'version-moved',
        service: command.service,
        expected: command.expectVersion,
        actual,
      })
}

export const unknownRelease = (service: Service, release: string): Decision =>
  rejected({
    reason: 'unknown-release',
    service: service.name,
    release,
    known: [...new Set(service.releases.map((known) => known.release.id))],
  })
