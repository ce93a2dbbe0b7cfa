/** What a process holds at a moment: memory, descriptors, sockets and, for a proxy, work. */
import { readdir, readlink } from 'node:fs/promises'
import { ask } from '../../support/client.ts'
import { readExposition } from '../../support/exposition.ts'
import { inspectorsIn, memoryOf } from './inspector.ts'

/** A process that is looked at. */
export interface Watched {
  readonly name: string
  readonly pid: number
  /** What it has written so far, where it says which inspector it has opened. */
  readonly output: () => string
  /** The port of its admin listener, where it has one. */
  readonly adminPort?: number
}

export interface Look extends Holdings {
  readonly name: string
  /** After its garbage was collected. */
  readonly heapBytes: number
  readonly bufferBytes: number
  readonly rssBytes: number
}

/** What is given back when there is nothing to do. */
export interface Holdings {
  /** What is open: `socket`, or the path of a file. Empty where the system does not say: only Linux does. */
  readonly descriptors: readonly string[]
  readonly work: Work
}

/** By the proxy's own count. All 0 for other processes. */
export interface Work {
  readonly requestsInFlight: number
  readonly upgradedConnections: number
  readonly clientConnections: number
  readonly targetConnections: number
}

/** Throws when the process has ended. */
export const lookAt = async (watched: Watched): Promise<Look> =>
  // In this order: to look at the memory opens a connection.
  withMemory(watched, await holdingsOf(watched))

export const withMemory = async ({ name, output }: Watched, holdings: Holdings): Promise<Look> => {
  const memories = await Promise.all(inspectorsIn(output()).map(memoryOf))
  const sum = (of: 'heapBytes' | 'bufferBytes' | 'rssBytes'): number =>
    memories.reduce((total, memory) => total + memory[of], 0)
  return {
    name,
    ...holdings,
    heapBytes: sum('heapBytes'),
    bufferBytes: sum('bufferBytes'),
    rssBytes: sum('rssBytes'),
  }
}

export const holdingsOf = async ({ pid, adminPort }: Watched): Promise<Holdings> => {
  // In this order: the connection of a question may stay for a moment after its answer.
  const descriptors = await descriptorsOf(pid)
  return { descriptors, work: adminPort === undefined ? NO_WORK : await workOf(adminPort) }
}

const NO_WORK: Work = {
  requestsInFlight: 0,
  upgradedConnections: 0,
  clientConnections: 0,
  targetConnections: 0,
}

const descriptorsOf = async (pid: number): Promise<readonly string[]> => {
  if (process.platform !== 'linux') return []
  const folder = `/proc/${pid}/fd`
  const names = await readdir(folder)
  // One may be closed before we ask what it was.
  const links = await Promise.all(
    names.map((name) => readlink(`${folder}/${name}`).catch(() => undefined)),
  )
  // `socket:[4711]`
  return links
    .flatMap((link) => (link === undefined ? [] : link.replace(/:\[\d+\]$/, '')))
    .toSorted()
}

const workOf = async (adminPort: number): Promise<Work> => {
  // On a connection of its own, closed after it: one that is kept would be counted the next time.
  const { body } = await ask(adminPort, { host: '127.0.0.1', path: '/metrics' })
  const metrics = readExposition(body)
  const total = (name: string): number => {
    const metric = metrics.get(name)
    if (metric === undefined) throw new Error(`there is no metric ${name}`)
    return metric.samples.reduce((sum, { value }) => sum + value, 0)
  }
  return {
    requestsInFlight: total('gatehouse_http_in_flight_requests'),
    upgradedConnections: total('gatehouse_upgraded_connections'),
    clientConnections: total('gatehouse_client_connections'),
    targetConnections: total('gatehouse_upstream_connections'),
  }
}
