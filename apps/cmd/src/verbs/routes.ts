/** `routes`: which host leads where, by the fleet's state or as one running proxy has it. */
import { releaseOf, type Gateway } from '@gatehouse/domain'
import { openReplica } from '@gatehouse/events'
import { z } from 'zod'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput } from '../output/output.ts'
import { table } from '../output/table.ts'
import { withSession } from '../session.ts'
import { outputOptions, type GlobalOptions } from './options.ts'

export interface RoutesOptions extends GlobalOptions {
  /** The admin listener of a proxy, such as `http://127.0.0.1:9900`. */
  readonly url?: string
}

interface RouteRow {
  readonly host: string
  readonly service: string
  readonly release: string | undefined
  readonly target: string | undefined
  readonly state?: string
  readonly inFlight?: number
}

const PROXY_ANSWERS_WITHIN_MS = 5_000
const EMPTY = 'no routes: nothing is deployed yet'

export const routes = async (io: Io, options: RoutesOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  if (options.url === undefined) {
    return withSession(io, output, async ({ log }) => {
      const rows = rowsOf((await openReplica(log)).table.gateway)
      output.answer(rows, () => textOf(rows, ['host', 'service', 'release', 'target']))
      return EXIT.ok
    })
  }
  const asked = await askProxy(options.url, io.interrupted)
  if ('problem' in asked) {
    output.warn(asked.problem)
    return io.interrupted.aborted ? EXIT.interrupted : EXIT.failed
  }
  const head = ['host', 'service', 'release', 'target', 'state', 'in flight']
  output.answer(asked.rows, () => textOf(asked.rows, head))
  return EXIT.ok
}

/** One row for every target of every host, sorted by host, then service, then target. */
export const rowsOf = (gateway: Gateway): readonly RouteRow[] =>
  [...gateway.services.values()]
    .flatMap((service): RouteRow[] => {
      const active = releaseOf(service, service.active)
      const { name } = service
      const targets = active?.release.targets.map(({ url }) => url) ?? [undefined]
      return service.hosts.flatMap((host) =>
        targets.map((target) => ({ host, service: name, release: active?.release.id, target })),
      )
    })
    .toSorted(byHost)

const byHost = (one: RouteRow, other: RouteRow): number => {
  const keys = (row: RouteRow): string => `${row.host}\n${row.service}\n${row.target ?? ''}`
  return keys(one) < keys(other) ? -1 : 1
}

const textOf = (rows: readonly RouteRow[], head: readonly string[]): string =>
  rows.length === 0
    ? EMPTY
    : table(
        head,
        rows.map(({ host, service, release, target, state, inFlight }) =>
          [host, service, release, target, state, inFlight].slice(0, head.length),
        ),
      )

const absent = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined)

const answerSchema = z.array(
  z.object({
    host: z.string(),
    service: z.string(),
    release: absent,
    target: absent,
    state: z.string().exactOptional(),
    inFlight: z.number().exactOptional(),
  }),
)

const askProxy = async (
  text: string,
  signal: AbortSignal,
): Promise<{ readonly rows: readonly RouteRow[] } | { readonly problem: string }> => {
  const base = URL.parse(text)
  if (base === null || !base.protocol.startsWith('http')) {
    return {
      problem: `--url: found "${text}"; expected the admin address of a proxy, such as http://127.0.0.1:9900`,
    }
  }
  const url = new URL('/routes', base)
  try {
    const timeout = AbortSignal.timeout(PROXY_ANSWERS_WITHIN_MS)
    const answer = await fetch(url, { signal: AbortSignal.any([signal, timeout]) })
    if (!answer.ok) {
      return {
        problem: `${url.href} answered ${answer.status}; expected the admin listener of a proxy`,
      }
    }
    const parsed = answerSchema.safeParse(await answer.json())
    if (!parsed.success) {
      return {
        problem: `${url.href} did not answer with routes; expected the admin listener of a proxy`,
      }
    }
    return { rows: parsed.data.toSorted(byHost) }
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    const why = cause instanceof Error ? cause.message : String(cause)
    return { problem: `no proxy answers at ${url.origin}: ${why}` }
  }
}
