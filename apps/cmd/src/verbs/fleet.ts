/** `fleet`: the proxies and workers that follow the log, and whether they agree. */
import { openReplica, type Fleet } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput } from '../output/output.ts'
import { table } from '../output/table.ts'
import { withSession } from '../session.ts'
import { sayDuration } from '../spec/duration.ts'
import { outputOptions, type GlobalOptions } from './options.ts'

export interface MemberView {
  readonly id: string
  readonly kind: 'proxy' | 'worker'
  readonly address: string
  readonly host: string
  readonly pid: number
  readonly live: boolean
  readonly position: number
  /** How many events it is behind the head of the log. */
  readonly lag: number
  /** Whether its table is the one that the log gives at its position. */
  readonly table: 'agrees' | 'differs' | 'behind' | undefined
  readonly inFlight: number | undefined
  readonly seenMsAgo: number
  readonly version: string
  readonly notes: readonly string[]
}

export const fleet = (io: Io, options: GlobalOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  return withSession(io, output, async ({ log, readFleet, redis }) => {
    // The fleet is read first: a proxy then never seems to be ahead of the log.
    const seen = await readFleet()
    const replica = await openReplica(log)
    const { position } = replica.place
    const members = membersOf(seen, { position, tableHash: replica.tableHash.value() })
    for (const warning of redis.warnings) output.warn(warning)
    output.answer({ position, members, quarantined: replica.quarantine, redis }, () =>
      members.length === 0
        ? 'no proxy and no worker is running'
        : `position ${position}\n${textOf(members)}`,
    )
    return EXIT.ok
  })
}

/** Proxies first, each kind by name. Pure. */
export const membersOf = (
  { proxies, workers }: Pick<Fleet, 'proxies' | 'workers'>,
  head: { readonly position: number; readonly tableHash: string },
): readonly MemberView[] => {
  const byId = (one: MemberView, other: MemberView): number => (one.id < other.id ? -1 : 1)
  return [
    ...proxies
      .map((proxy): MemberView => {
        const { id, host, pid, live, position, seenMsAgo, version } = proxy
        return {
          id,
          kind: 'proxy',
          host,
          pid,
          live,
          position,
          seenMsAgo,
          version,
          address: proxy.listen.join(','),
          lag: Math.max(0, head.position - position),
          table: agreement(proxy, proxies, head),
          inFlight: proxy.work.reduce(
            (sum, { requests, upgraded }) => sum + requests + upgraded,
            0,
          ),
          notes: [
            ...(live ? [] : ['lease ran out']),
            ...(proxy.stopping ? ['stopping'] : []),
            ...(proxy.stale === undefined ? [] : [`stale: ${proxy.stale}`]),
            ...(proxy.certificateProblems ?? []).map(
              ({ certificate, problem }) => `certificate ${certificate} is not served: ${problem}`,
            ),
            ...(proxy.quarantined === 0 ? [] : [`${proxy.quarantined} events not understood`]),
          ],
        }
      })
      .toSorted(byId),
    ...workers
      .map((worker): MemberView => {
        const { id, host, pid, live, position, seenMsAgo, version } = worker
        return {
          id,
          kind: 'worker',
          host,
          pid,
          live,
          position,
          seenMsAgo,
          version,
          address: '',
          lag: Math.max(0, head.position - position),
          table: undefined,
          inFlight: undefined,
          notes: live ? [] : ['lease ran out'],
        }
      })
      .toSorted(byId),
  ]
}

/** At the head, the log decides; behind it, proxies at one position have to have one table. */
const agreement = (
  proxy: Fleet['proxies'][number],
  proxies: Fleet['proxies'],
  head: { readonly position: number; readonly tableHash: string },
): MemberView['table'] => {
  if (proxy.tableHash === undefined) return undefined
  if (proxy.position === head.position)
    return proxy.tableHash === head.tableHash ? 'agrees' : 'differs'
  const same = proxies.filter(({ position }) => position === proxy.position)
  return same.every(({ tableHash }) => tableHash === proxy.tableHash) ? 'behind' : 'differs'
}

const textOf = (members: readonly MemberView[]): string =>
  table(
    ['id', 'kind', 'address', 'position', 'lag', 'table', 'in flight', 'seen', 'version', 'notes'],
    members.map((member) => [
      member.id,
      member.kind,
      member.address,
      member.position,
      member.lag,
      member.table,
      member.inFlight,
      `${sayDuration(member.seenMsAgo)} ago`,
      member.version,
      member.notes.join(', '),
    ]),
  )
