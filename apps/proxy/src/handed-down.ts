/**
 * Listening sockets that whoever started this process has bound and handed down, as systemd's socket
 * activation does (sd_listen_fds(3)): descriptors from 3 on, counted by LISTEN_FDS, named by
 * LISTEN_FDNAMES, meant for the process of LISTEN_PID. `up` hands its own down in the same way.
 */
import { InvalidSetting, type Environment } from '@gatehouse/events'

export interface HandedDown {
  /** Where traffic comes from; empty when nothing was handed down. */
  readonly traffic: readonly number[]
  /** Those that are named `tls`, for clients that speak it. */
  readonly tls: readonly number[]
  /** The socket that is named `admin`. */
  readonly admin: number | undefined
}

const FIRST_DESCRIPTOR = 3
const DESCRIPTORS_MAX = 64
const ADMIN = 'admin'
const TLS = 'tls'

/** `pid` is this process's. Throws `InvalidSetting` when the sockets are there and cannot be ours. */
export const readHandedDown = (environment: Environment, pid: number): HandedDown => {
  const count = readCount(environment['LISTEN_FDS'])
  if (count === 0) return { traffic: [], tls: [], admin: undefined }
  const meant = environment['LISTEN_PID']
  // Who starts us by fork and exec at once cannot know our id beforehand, and leaves it out.
  if (meant !== undefined && meant !== '' && meant !== String(pid)) {
    throw new InvalidSetting(
      `LISTEN_PID is "${meant}", but this is process ${pid}: sockets reach only the process that systemd starts itself, so name node and apps/proxy/src/main.mjs in ExecStart, not npm`,
    )
  }
  const names = (environment['LISTEN_FDNAMES'] ?? '').split(':')
  const all = Array.from({ length: count }, (_, index) => ({
    fd: FIRST_DESCRIPTOR + index,
    name: names[index],
  }))
  const fdsOf = (isMeant: (name: string | undefined) => boolean): readonly number[] =>
    all.filter(({ name }) => isMeant(name)).map(({ fd }) => fd)
  const admins = fdsOf((name) => name === ADMIN)
  const tls = fdsOf((name) => name === TLS)
  const traffic = fdsOf((name) => name !== ADMIN && name !== TLS)
  if (traffic.length + tls.length === 0 || admins.length > 1) {
    throw new InvalidSetting(
      `LISTEN_FDNAMES is "${names.join(':')}"; expected one name per socket, at most one of them "${ADMIN}" and at least one for traffic`,
    )
  }
  return { traffic, tls, admin: admins[0] }
}

const readCount = (text: string | undefined): number => {
  if (text === undefined || text === '') return 0
  const count = Number(text)
  if (/^\d+$/.test(text) && count <= DESCRIPTORS_MAX) return count
  throw new InvalidSetting(
    `LISTEN_FDS is "${text}"; expected a whole number from 0 to ${DESCRIPTORS_MAX}`,
  )
}
