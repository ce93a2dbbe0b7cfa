/** Why a command is refused, as data; and the one sentence that people read. */
import type { HostPattern } from './host.ts'

export type Rejection =
  | { readonly reason: 'unknown-service'; readonly service: string }
  | {
      readonly reason: 'unknown-release'
      readonly service: string
      readonly release: string
      readonly known: readonly string[]
    }
  | { readonly reason: 'invalid'; readonly field: string; readonly problem: string }
  | { readonly reason: 'host-taken'; readonly host: HostPattern; readonly owner: string }
  | {
      readonly reason: 'version-moved'
      readonly service: string
      readonly expected: number
      readonly actual: number
    }
  | { readonly reason: 'no-previous-release'; readonly service: string }
  | { readonly reason: 'nothing-to-drain'; readonly service: string; readonly release?: string }
  | { readonly reason: 'unknown-certificate'; readonly certificate: string }
  | { readonly reason: 'certificate-imported'; readonly certificate: string }
  | { readonly reason: 'certificate-needed'; readonly certificate: string }
  | { readonly reason: 'nothing-to-revoke'; readonly certificate: string }

/** `Cannot <action>: <current state>` without the action, which the caller knows. */
export const sentenceOf = (rejection: Rejection): string => {
  switch (rejection.reason) {
    case 'unknown-service':
      return `there is no service "${rejection.service}"`
    case 'unknown-release':
      return `service ${rejection.service} has no release "${rejection.release}"; it knows ${listed(rejection.known)}`
    case 'invalid':
      return `${rejection.field} ${rejection.problem}`
    case 'host-taken':
      return `host ${rejection.host} belongs to service ${rejection.owner}; --take-over moves it`
    case 'version-moved':
      return `service ${rejection.service} is at version ${rejection.actual}, expected ${rejection.expected}`
    case 'no-previous-release':
      return `service ${rejection.service} has no release that was active before`
    case 'nothing-to-drain':
      return rejection.release === undefined
        ? `service ${rejection.service} has no active release`
        : `release ${rejection.release} of service ${rejection.service} serves nothing`
    case 'unknown-certificate':
      return `there is no certificate "${rejection.certificate}", and no service of that name with hosts for one`
    case 'certificate-imported':
      return `certificate ${rejection.certificate} was imported; import its successor, or name the hosts to order one for`
    case 'certificate-needed':
      return `service ${rejection.certificate} needs certificate ${rejection.certificate}: its tls is auto`
    case 'nothing-to-revoke':
      return `certificate ${rejection.certificate} has not been issued yet`
  }
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'none' : names.join(', ')
