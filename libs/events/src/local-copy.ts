/**
 * What a proxy keeps on disk so that it can start without Redis: the newest snapshot as it was fetched,
 * and every entry since, as it came. Appending a line costs next to nothing, however large the table;
 * the hash chain tells whether what is read back is whole.
 */
import { hash as digest } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { breakOf, recordedOf } from './entries.ts'
import type { Entry, Snapshot } from './log.ts'
import { apply, emptyReplica, replicaOfSnapshot, type Keeper, type Replica } from './replica.ts'
import { readSnapshot } from './snapshot.ts'

export interface LocalCopy extends Keeper {
  readonly load: () => Promise<Loaded>
  /** Keeps entries that have been applied. Failures are reported once and never thrown. */
  readonly keep: (entries: readonly Entry[]) => void
  /** Starts over from a snapshot, and drops the entries that it covers; without one, drops all. */
  readonly rebase: (snapshot: Snapshot | undefined) => Promise<void>
  /** Entries kept since the snapshot. */
  readonly tailLength: () => number
  /** Writes what is still on its way. */
  readonly close: () => Promise<void>
}

export type Loaded =
  | { readonly kind: 'loaded'; readonly replica: Replica }
  | { readonly kind: 'empty' }
  | { readonly kind: 'corrupt'; readonly why: string }

/** With a longer tail, a start reads more lines than it saves: fetch a newer snapshot. */
export const TAIL_MAX = 10_000

/** Throws when the folder cannot be made: nothing could be kept at all. */
export const openLocalCopy = async (
  folder: string,
  onTrouble: (reason: string) => void,
): Promise<LocalCopy> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const snapshotPath = join(folder, 'snapshot.json')
  const tailPath = join(folder, 'tail.ndjson')
  let tail: Entry[] = []
  let file: FileHandle | undefined
  /** The file may hold something else than the tail, such as half a line: it is written anew, whole. */
  let damaged = false
  let troubled = false
  let last: Promise<void> = Promise.resolve()

  /** One write after the other. What fails is told once, and again after it has worked in between. */
  const inTurn = (write: () => Promise<void>): Promise<void> => {
    last = last.then(() => attempt(write))
    return last
  }

  const attempt = async (write: () => Promise<void>): Promise<void> => {
    try {
      await write()
      troubled = false
    } catch (error) {
      damaged = true
      if (!troubled) onTrouble(`cannot keep the local copy in ${folder}: ${String(error)}`)
      troubled = true
    }
  }

  const replaceTail = async (entries: readonly Entry[]): Promise<void> => {
    await file?.close()
    file = undefined
    await replaceFile(tailPath, entries.map(lineOf).join(''))
    damaged = false
  }

  const load = async (): Promise<Loaded> => {
    try {
      const kept = await readSnapshotFile(snapshotPath)
      if (kept.kind === 'corrupt') return kept
      const replica = kept.kind === 'empty' ? emptyReplica() : kept.replica
      const { entries, whole } = await readTail(tailPath)
      tail = []
      damaged = !whole
      for (const entry of entries) {
        // Two processes may have kept the same entries, and a snapshot may cover some: both are fine.
        if (entry.position <= replica.place.position) continue
        if (breakOf(replica.place, entry) !== undefined) {
          damaged = true
          break
        }
        apply(replica, recordedOf(entry))
        tail.push(entry)
      }
      return replica.place.position === 0 ? { kind: 'empty' } : { kind: 'loaded', replica }
    } catch (error) {
      return { kind: 'corrupt', why: `${folder} cannot be read: ${String(error)}` }
    }
  }

  const keep = (entries: readonly Entry[]): void => {
    if (entries.length === 0) return
    tail.push(...entries)
    void inTurn(async () => {
      if (damaged) return replaceTail(tail)
      file ??= await open(tailPath, 'a', 0o600)
      await file.appendFile(entries.map(lineOf).join(''))
    })
  }

  const rebase = async (snapshot: Snapshot | undefined): Promise<void> => {
    tail = snapshot === undefined ? [] : tail.filter(({ position }) => position > snapshot.position)
    await inTurn(async () => {
      if (snapshot === undefined) await rm(snapshotPath, { force: true })
      else await replaceFile(snapshotPath, snapshotText(snapshot))
      await replaceTail(tail)
    })
  }

  return {
    load,
    keep,
    rebase,
    tailLength: () => tail.length,
    close: async () => {
      await last
      await file?.close()
      file = undefined
    },
  }
}

const snapshotText = ({ position, hash, text }: Snapshot): string =>
  `${JSON.stringify({ position, hash, checksum: checksumOf({ position, hash, text }) })}\n${text}\n`

const checksumOf = ({ position, hash, text }: Snapshot): string =>
  digest('sha1', `${position} ${hash} ${text}`)

const readSnapshotFile = async (path: string): Promise<Loaded> => {
  const content = await readOrNothing(path)
  if (content === undefined) return { kind: 'empty' }
  const corrupt = (why: string): Loaded => ({ kind: 'corrupt', why: `${path} ${why}` })
  const newline = content.indexOf('\n')
  const header = headerOf(content.slice(0, newline))
  const text = content.slice(newline + 1, -1)
  if (header === undefined || header.checksum !== checksumOf({ ...header, text })) {
    return corrupt('does not match its checksum')
  }
  const read = readSnapshot({ ...header, text })
  return read.kind === 'state'
    ? { kind: 'loaded', replica: replicaOfSnapshot(read.place, read) }
    : corrupt(read.why)
}

const headerOf = (
  line: string,
): { readonly position: number; readonly hash: string; readonly checksum: string } | undefined => {
  const header = parseJson(line)
  if (typeof header !== 'object' || header === null) return undefined
  if (!('position' in header && 'hash' in header && 'checksum' in header)) return undefined
  const { position, hash, checksum } = header
  return typeof position === 'number' && typeof hash === 'string' && typeof checksum === 'string'
    ? { position, hash, checksum }
    : undefined
}

/** A line per entry. One that is torn or foreign ends the tail: the log has what came after. */
const readTail = async (
  path: string,
): Promise<{ readonly entries: readonly Entry[]; readonly whole: boolean }> => {
  const lines = ((await readOrNothing(path)) ?? '').split('\n')
  // After the last line that was written to its end, there is nothing.
  const rest = lines.pop()
  const entries: Entry[] = []
  for (const line of lines) {
    const entry = entryOfLine(line)
    if (entry === undefined) return { entries, whole: false }
    entries.push(entry)
  }
  return { entries, whole: rest === '' }
}

const entryOfLine = (line: string): Entry | undefined => {
  const fields = parseJson(line)
  if (!Array.isArray(fields)) return undefined
  const [position, atText, hash, body]: unknown[] = fields
  if (typeof position !== 'number' || typeof atText !== 'string') return undefined
  if (typeof hash !== 'string' || typeof body !== 'string') return undefined
  return { position, at: Number(atText), atText, hash, body }
}

const lineOf = ({ position, atText, hash, body }: Entry): string =>
  `${JSON.stringify([position, atText, hash, body])}\n`

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const readOrNothing = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Either the old content or the new one is there, whenever the power goes. */
const replaceFile = async (path: string, content: string): Promise<void> => {
  const temporary = `${path}.${process.pid}.new`
  try {
    const file = await open(temporary, 'w', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}
