/**
 * A fleet without machines: commands, workers and proxies that share one log, and chance that decides
 * who moves next. Messages come late, twice, out of order or again after a crash; whoever decides may
 * know less than the log does. Nobody waits and nothing sleeps, so that a seed is a whole history.
 */
import {
  decide,
  isCalledFor,
  nameOf,
  outstanding,
  reactions,
  scopesOf,
  type Command,
  type GatewayEvent,
  type Job,
} from '@gatehouse/domain'
import { someCommand, someMood, someReport } from './commands.ts'
import {
  advance,
  advanceTo,
  createFollower,
  digestOf,
  restart,
  snapshotOf,
  type Follower,
  type Snapshot,
} from './follower.ts'
import { checkJobs, checkReport, checkSnapshot, checkState } from './invariants.ts'
import { createLog } from './log.ts'
import { type Random } from './random.ts'
import { createReferee } from './referee.ts'
import { checkStale } from './staleness.ts'

export interface World {
  /** Lets chance do one thing. Throws when an invariant breaks. */
  readonly step: () => void
  /** Nothing new is asked for, everything under way comes to its end, and the end is checked. */
  readonly settle: () => void
  readonly events: readonly GatewayEvent[]
  readonly counts: Counts
}

export interface Counts {
  conflicts: number
  rejections: number
  nothings: number
  restarts: number
}

/** A command that somebody wants decided, by somebody who has read at least up to `since`. */
interface Message {
  readonly command: Command
  readonly since: number
}

/** A decision on its way to the log. */
interface Pending extends Message {
  readonly events: readonly GatewayEvent[]
  readonly scopes: readonly string[]
  readonly readAt: number
  readonly generation: number
}

interface Queued {
  readonly job: Job
  readonly since: number
}

const SETTLE_ROUNDS_MAX = 200
const PROXIES = 3
const SUBMITTERS = 3

export const createWorld = (random: Random): World => {
  const mood = someMood(random)
  const log = createLog()
  const referee = createReferee()
  const truth = createFollower()
  const proxies = Array.from({ length: PROXIES }, createFollower)
  const submitters = Array.from({ length: SUBMITTERS }, createFollower)
  const reactor = createFollower()
  const worker = createFollower()
  const digests = [digestOf(truth)]
  const queue = new Map<string, Queued>()
  const messages: Message[] = []
  const pending: Pending[] = []
  const counts: Counts = { conflicts: 0, rejections: 0, nothings: 0, restarts: 0 }
  const snapshots: Snapshot[] = []

  const take = <Item>(items: Item[]): Item => {
    const [item] = items.splice(random.below(items.length), 1)
    if (item === undefined) throw new Error('There is nothing to take.')
    return item
  }

  const follow = (follower: Follower): void => {
    for (let n = random.below(4); n >= 0 && advance(follower, log); n -= 1);
  }

  const decideFor = (message: Message): void => {
    const submitter = random.pick(submitters)
    advanceTo(submitter, log, message.since)
    if (random.chance(0.5)) follow(submitter)
    const { gateway } = submitter.table
    const decision = decide(message.command, gateway)
    checkReport(message.command, 'accepted' in decision ? decision.accepted : [], gateway)
    if ('rejected' in decision) counts.rejections += 1
    else if (decision.accepted.length === 0) counts.nothings += 1
    else {
      const { command } = message
      const events = decision.accepted
      const scopes = scopesOf(command, events, gateway)
      const { generation } = gateway
      pending.push({ command, events, scopes, generation, since: 0, readAt: submitter.position })
    }
  }

  const append = (): void => {
    const { command, events, scopes, readAt, generation } = take(pending)
    if (log.hasMoved(scopes, readAt)) {
      counts.conflicts += 1
      messages.push({ command, since: readAt + 1 + random.below(log.events.length - readAt) })
      return
    }
    checkStale(command, events, generation, truth.table.gateway)
    const before = new Set(outstanding(truth.table.gateway).map(nameOf))
    log.append(events, scopes)
    for (const event of events) {
      referee.watch(event)
      advance(truth, log)
      digests.push(digestOf(truth))
    }
    checkState(truth, referee.routed)
    checkJobs(before, events, truth.table.gateway)
    // Whoever asked may have gone before the answer came, and asks again.
    if (random.chance(0.1)) messages.push({ command, since: readAt })
  }

  const react = (): void => {
    const event = log.events[reactor.position]
    if (event === undefined) return
    advance(reactor, log)
    for (const job of reactions(event)) queue.set(nameOf(job), { job, since: reactor.position })
  }

  /** The queue is lost with everything in it; a look at the state makes it good. */
  const sweep = (): void => {
    queue.clear()
    for (const job of outstanding(reactor.table.gateway)) {
      queue.set(nameOf(job), { job, since: reactor.position })
    }
  }

  const work = (): void => {
    const { job, since } = random.pick([...queue.values()])
    advanceTo(worker, log, since)
    if (random.chance(0.5)) follow(worker)
    if (!isCalledFor(job, worker.table.gateway)) {
      queue.delete(nameOf(job))
      return
    }
    // Killed before the report: the job stays where it is and is done again.
    if (random.chance(0.15)) return
    const message = { command: someReport(random, mood, job, worker.table.gateway), since }
    messages.push(message)
    if (random.chance(0.2)) messages.push(message)
    if (job.type !== 'WatchTargets') queue.delete(nameOf(job))
    // Lost on its way, after which nobody knows of the job: only a sweep finds it again.
    if (random.chance(0.05)) messages.pop()
  }

  const serve = (proxy: Follower): void => {
    follow(proxy)
    checkProxy(proxy)
    if (random.chance(0.05)) {
      counts.restarts += 1
      restart(proxy, random.chance(0.7) ? snapshots.at(-1) : undefined)
      checkProxy(proxy)
    }
  }

  /**
   * Whatever way a proxy came to a position, it routes as every other there does. Seen to fail by a
   * `project` that refreshes only the winner of a host, and by one that keeps a route's old hosts.
   */
  const checkProxy = (proxy: Follower): void => {
    if (digestOf(proxy) === digests[proxy.position]) return
    throw new Error(
      `Two proxies at position ${proxy.position} route differently:\n${digestOf(proxy)}\nand\n${digests[proxy.position]}.`,
    )
  }

  const step = (): void => {
    const kind = random.below(100)
    if (kind < 12) {
      messages.push({ command: someCommand(random, mood, truth.table.gateway), since: 0 })
    } else if (kind < 32) {
      if (messages.length > 0) decideFor(take(messages))
    } else if (kind < 52) {
      if (pending.length > 0) append()
    } else if (kind < 70) react()
    else if (kind < 84) {
      if (queue.size > 0) work()
    } else if (kind < 97) serve(random.pick(proxies))
    else if (kind < 99) snapshots.push(snapshotOf(random.pick(proxies)))
    else sweep()
  }

  const settle = (): void => {
    for (let round = 0; round < SETTLE_ROUNDS_MAX; round += 1) {
      while (reactor.position < log.events.length) react()
      sweep()
      for (let n = queue.size; n > 0 && queue.size > 0; n -= 1) work()
      while (messages.length > 0 || pending.length > 0) {
        if (messages.length > 0) decideFor(take(messages))
        if (pending.length > 0) append()
      }
      if (isQuiet()) return checkEnd()
    }
    // Seen to fail by a worker that never looks at the state for the jobs that its queue has lost.
    throw new Error(`${outstanding(truth.table.gateway).map(nameOf).join(', ')} never ends.`)
  }

  const isQuiet = (): boolean =>
    outstanding(truth.table.gateway).every(({ type }) => type === 'WatchTargets')

  const checkEnd = (): void => {
    for (const { name, candidate, drains } of truth.table.gateway.services.values()) {
      if (candidate !== undefined) throw new Error(`${name} still has a candidate.`)
      if (drains.length > 0) throw new Error(`${name} still drains.`)
    }
    for (const proxy of [...proxies, ...submitters]) {
      advanceTo(proxy, log, log.events.length)
      checkProxy(proxy)
    }
    if (snapshots.length > 0) checkSnapshot(random.pick(snapshots), log)
  }

  return { step, settle, events: log.events, counts }
}
