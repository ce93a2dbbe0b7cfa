/** Filling logs quickly, through the very append that everybody uses: only in large portions. */
import { EMPTY_QUARANTINE, writeSnapshot, type EventLog, type Meta } from '@gatehouse/events'
import type { GatewayEvent } from '@gatehouse/domain'
import type { History, Together } from './history.ts'

export const BENCH_META: Meta = {
  command: '01890a5d-ac96-774b-bcce-b302099a8057',
  actor: 'bench',
  tool: 'gatehouse/bench',
}

/** Large enough that the script's own cost vanishes, small enough that it does not hold Redis up. */
const EVENTS_PER_APPEND = 500
const APPENDS_UNDER_WAY_MAX = 4

/** Appends at least so many events of the history. Nobody else may be appending. */
export const fill = async (log: EventLog, history: History, eventsMin: number): Promise<void> => {
  const underWay: Promise<unknown>[] = []
  for (let appended = 0; appended < eventsMin;) {
    const events = take(history, Math.min(EVENTS_PER_APPEND, eventsMin - appended))
    appended += events.length
    underWay.push(append(log, events))
    if (underWay.length >= APPENDS_UNDER_WAY_MAX) await underWay.shift()
  }
  await Promise.all(underWay)
}

/** Appends all of a history that ends. Nobody else may be appending. */
export const appendAll = async (log: EventLog, appends: Iterable<Together>): Promise<void> => {
  for (const events of appends) await append(log, events)
}

/** Saves what the history has led to, as a worker does. All of it must have been appended. */
export const saveSnapshot = async (log: EventLog, { gateway }: History): Promise<void> => {
  const [first] = await log.range(1, 1)
  const origin = first?.hash ?? ''
  const state = { origin, gateway, quarantine: EMPTY_QUARANTINE }
  const snapshot = writeSnapshot(await log.head(), state)
  if (!(await log.saveSnapshot(snapshot))) throw new Error('A newer snapshot was there already.')
}

const take = ({ appends }: History, eventsMin: number): Together => {
  const [first, ...others] = appends.next().value
  const events: GatewayEvent[] = others
  while (events.length + 1 < eventsMin) events.push(...appends.next().value)
  return [first, ...events]
}

const append = async (log: EventLog, events: Together): Promise<void> => {
  const appended = await log.append(events, {
    readPosition: 0,
    scopes: [],
    idempotencyKey: crypto.randomUUID(),
    meta: BENCH_META,
  })
  if (appended.kind !== 'appended') throw new Error(`The log answered ${appended.kind}.`)
}
