/**
 * What an idle connection costs in memory: how much a process grows over some thousand of them, one
 * contender after the other. The first ones are not counted: what a fresh process allocates once, or gives
 * back after its start, is not theirs.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Comparison } from '../comparison.ts'
import type { FigureName } from '../figures.ts'
import type { Bench, Measurement } from '../measurement.ts'
import type { IdleConnectionsTask, Opened, OpenMore } from '../programs/idle-connections.ts'
import type { BackendName } from './backends.ts'
import { HOST, type Site } from './contender.ts'
import type { ContenderName } from './contenders.ts'
import { figuresOf, type FigureRule, type FigureRules } from './figure-rule.ts'
import { askedOf, nothingOf } from './line.ts'
import { processorTimeOfTree, usageOfTree } from './process-tree.ts'
import { openStand, type Target } from './stand.ts'

export interface IdleLine {
  readonly name: string
  readonly title: string
  readonly backend: BackendName
  readonly request: string
  readonly answer: string
  readonly contenders: readonly ContenderName[]
  /** What Gatehouse's kilobytes are called, and its memory before the first connection. */
  readonly figure: FigureName
  readonly figureAtRest?: FigureName
}

interface Outcome {
  /** In kilobytes (10^3 bytes). */
  readonly perConnectionKb: number
  readonly openMicroseconds: number
  /** Resident before the first connection, in megabytes (10^6 bytes). */
  readonly restMb: number
  readonly errors: number
}

export const GET_ONCE = {
  request: `GET /100 HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  answer: 'HTTP/1.1 200 ',
}
export const UPGRADE_ONCE = {
  request: `GET /echo HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
  answer: 'HTTP/1.1 101 ',
}

const UNCOUNTED: Readonly<Record<Bench['scale'], number>> = { full: 1_000, quick: 100 }
/** Enough that what else a process holds does not show; each takes two files in the proxy. */
const CONNECTIONS: Readonly<Record<Bench['scale'], number>> = { full: 8_000, quick: 200 }
const SPARE_FILES = 1_000
/** Until memory that was needed for opening is given back. */
const SETTLE_MS = 2_000
const BYTES_PER_KIB = 1_024
const BYTES_PER_KB = 1_000
const BYTES_PER_MB = 1_000_000
const MICROSECONDS_PER_MS = 1_000

export const idleMeasurementOf = (line: IdleLine): Measurement => ({
  name: line.name,
  part: 'http',
  about: line.title,
  measure: async ({ lab, scale, load: { peers } }) => {
    const contenders = askedOf(line.contenders, peers)
    lab.say(`${line.name}: starting ${contenders.join(', ')} …`)
    const opened = await openStand(lab, { backend: line.backend, contenders, routes: 0 })
    if ('missing' in opened) return nothingOf(line.name, opened)
    await using stand = opened
    const { site, targets, absent } = stand
    const uncounted = UNCOUNTED[scale]
    const connections = Math.min(
      CONNECTIONS[scale],
      Math.floor((site.openFilesMax - SPARE_FILES) / 2) - uncounted,
    )
    const outcomes = new Map<ContenderName, Outcome>()
    for (const target of targets) {
      lab.say(`${line.name}: ${target.name} …`)
      outcomes.set(target.name, await grow(site, target, line, { uncounted, connections }))
    }
    const ofOurs = (value: keyof Outcome): FigureRule<Outcome> => ({
      uses: ['gatehouse'],
      values: (...all) => all.map((each) => each[value]),
    })
    const rules: FigureRules<Outcome> = {
      [line.figure]: ofOurs('perConnectionKb'),
      ...(line.figureAtRest === undefined ? {} : { [line.figureAtRest]: ofOurs('restMb') }),
    }
    const figures = figuresOf(line.name, rules, { outcomes, absent })
    const comparison: Comparison = {
      name: line.name,
      title: line.title,
      compared: 'KB each',
      better: 'less',
      entries: targets.flatMap(({ name, version }) => {
        const outcome = outcomes.get(name)
        if (outcome === undefined) return []
        const { perConnectionKb, openMicroseconds, restMb, errors } = outcome
        const details = { 'RSS MB at rest': restMb, 'CPU µs to open one': openMicroseconds }
        return [{ name, version, values: [perConnectionKb], details, errors }]
      }),
    }
    const note = `${line.name}: how much the memory of a process (PSS) grows from ${uncounted} to ${uncounted + connections} connections, each used once.`
    return { ...figures, notes: [note, ...figures.notes], comparison }
  },
})

const grow = async (
  { lab, pinning }: Site,
  { port, pid }: Target,
  { request, answer }: IdleLine,
  { uncounted, connections }: { readonly uncounted: number; readonly connections: number },
): Promise<Outcome> => {
  const task: IdleConnectionsTask = { port, request, answer }
  const clients = lab.processes.talkTo('idle-connections.ts', task, pinning.load)
  await clients.first
  const open = async (more: OpenMore): Promise<Opened> =>
    // The program answers with nothing else.
    (await clients.ask(more)) as Opened
  const restKib = usageOfTree(pid).rssKib
  await open({ connections: uncounted })
  await delay(SETTLE_MS)
  const before = usageOfTree(pid)
  const { errors } = await open({ connections })
  const { cpuMs } = processorTimeOfTree(pid)
  await delay(SETTLE_MS)
  const grownKib = usageOfTree(pid).pssKib - before.pssKib
  await clients.stop()
  return {
    perConnectionKb: (grownKib * BYTES_PER_KIB) / BYTES_PER_KB / connections,
    openMicroseconds: ((cpuMs - before.cpuMs) * MICROSECONDS_PER_MS) / connections,
    restMb: (restKib * BYTES_PER_KIB) / BYTES_PER_MB,
    errors,
  }
}
