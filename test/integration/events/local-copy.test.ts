import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  apply,
  BEGINNING,
  createMemoryLog,
  emptyReplica,
  openLocalCopy,
  openReplica,
  writeSnapshot,
  type Loaded,
  type LocalCopy,
  type Recorded,
  type Replica,
  type Snapshot,
} from '@gatehouse/events'
import { appendAll, readAll, variedHistory } from '../../../libs/events/src/testing.ts'
import { eventually } from '../../support/eventually.ts'

const WRITER = join(import.meta.dirname, 'local-copy-writer.ts')

let folder = ''
let history: readonly Recorded[] = []
let troubles: string[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gh-copy-'))
  troubles = []
  const log = createMemoryLog(() => 1_000)
  await appendAll(log, variedHistory(12))
  history = await readAll(log, BEGINNING)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const openCopy = (): Promise<LocalCopy> => openLocalCopy(folder, (reason) => troubles.push(reason))

const replicaAt = (position: number): Replica => {
  const replica = emptyReplica()
  for (const entry of history.slice(0, position)) apply(replica, entry)
  return replica
}

const snapshotAt = (position: number): Snapshot => {
  const { origin, place, table, quarantine } = replicaAt(position)
  return writeSnapshot(place, { origin, gateway: table.gateway, quarantine })
}

const loadAgain = async (): Promise<Replica> => {
  const copy = await openCopy()
  const loaded = await copy.load()
  await copy.close()
  if (loaded.kind !== 'loaded') throw new Error(JSON.stringify(loaded))
  return loaded.replica
}

/** Whatever was loaded is a state that the history went through. */
const expectPartOfHistory = (replica: Replica): void => {
  const { position } = replica.place
  expect(replica.place).toStrictEqual(replicaAt(position).place)
  expect(replica.tableHash.value()).toBe(replicaAt(position).tableHash.value())
}

const expectWhole = (loaded: Loaded): void => {
  if (loaded.kind === 'corrupt') throw new Error(loaded.why)
  if (loaded.kind === 'loaded') expectPartOfHistory(loaded.replica)
}

describe('a local copy', () => {
  it('is empty at first, and then what was kept: a snapshot and what came after it', async () => {
    const copy = await openCopy()
    expect(await copy.load()).toStrictEqual({ kind: 'empty' })
    copy.keep(history.slice(0, 20))
    await copy.rebase(snapshotAt(15))
    copy.keep(history.slice(20, 40))
    expect(copy.tailLength()).toBe(25)
    await copy.close()
    const replica = await loadAgain()
    expect(replica.place.position).toBe(40)
    expectPartOfHistory(replica)
    expect(troubles).toStrictEqual([])
  })

  it('is for its owner alone, since a log may tell of much', async () => {
    const copy = await openCopy()
    await copy.rebase(snapshotAt(10))
    await copy.close()
    for (const name of ['snapshot.json', 'tail.ndjson']) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    }
  })

  it('drops a last line that was torn, and keeps what comes after whole', async () => {
    const copy = await openCopy()
    copy.keep(history.slice(0, 30))
    await copy.close()
    const path = join(folder, 'tail.ndjson')
    await truncate(path, (await stat(path)).size - 20)

    const again = await openCopy()
    const loaded = await again.load()
    expect(loaded.kind === 'loaded' && loaded.replica.place.position).toBe(29)
    again.keep(history.slice(29, 40))
    again.keep(history.slice(40, 50))
    await again.close()
    const replica = await loadAgain()
    expect(replica.place.position).toBe(50)
    expectPartOfHistory(replica)
  })

  it('ends where its lines stop being the history, and goes on from there', async () => {
    const copy = await openCopy()
    copy.keep(history.slice(0, 10))
    copy.keep(history.slice(12, 20))
    await copy.close()
    const again = await openCopy()
    const loaded = await again.load()
    expect(loaded.kind === 'loaded' && loaded.replica.place.position).toBe(10)
    again.keep(history.slice(10, 30))
    await again.close()
    expect((await loadAgain()).place.position).toBe(30)
  })

  it.each([
    ['changed', (text: string) => text.replace('"s0"', '"s7"'), 'does not match its checksum'],
    ['of another position', (text: string) => text.replace('10', '11'), 'does not match its'],
    ['cut short', (text: string) => text.slice(0, -100), 'does not match its checksum'],
    ['empty', () => '', 'does not match its checksum'],
    ['without its first line', (text: string) => text.slice(text.indexOf('\n') + 1), 'checksum'],
  ])('A26 says why it is not used when its snapshot is %s', async (_what, spoil, why) => {
    const copy = await openCopy()
    await copy.rebase(snapshotAt(10))
    await copy.close()
    const path = join(folder, 'snapshot.json')
    await writeFile(path, spoil(await readFile(path, 'utf8')))
    const again = await openCopy()
    expect(await again.load()).toMatchObject({
      kind: 'corrupt',
      why: expect.stringContaining(`${path} `) as unknown,
    })
    expect(await again.load()).toMatchObject({ why: expect.stringContaining(why) as unknown })

    // It is whole again with the next snapshot.
    await again.rebase(snapshotAt(20))
    await again.close()
    expect((await loadAgain()).place.position).toBe(20)
  })

  it('says so when it cannot be read at all', async () => {
    const copy = await openCopy()
    await symlink('snapshot.json', join(folder, 'snapshot.json'))
    expect(await copy.load()).toMatchObject({
      kind: 'corrupt',
      why: expect.stringContaining('cannot be read') as unknown,
    })
  })

  it('takes no harm from another copy that keeps the same entries', async () => {
    const [one, other] = [await openCopy(), await openCopy()]
    one.keep(history.slice(0, 10))
    await one.close()
    other.keep(history.slice(0, 20))
    await other.close()
    const replica = await loadAgain()
    expect(replica.place.position).toBe(20)
    expectPartOfHistory(replica)
  })

  it('A26 tells of trouble once, however long it lasts, and again when it comes again', async () => {
    const copy = await openCopy()
    for (const times of [1, 2]) {
      await rm(folder, { recursive: true })
      for (let index = 0; index < 5; index++) copy.keep(history.slice(index, index + 1))
      await copy.rebase(snapshotAt(10))
      expect(troubles).toHaveLength(times)
      await mkdir(folder)
      await copy.rebase(snapshotAt(10))
    }
    await copy.close()
    expect((await loadAgain()).place.position).toBe(10)
  })

  it('keeps what a replica was opened from', async () => {
    const log = createMemoryLog(() => 1_000)
    await appendAll(log, variedHistory(12).slice(0, 30))
    await log.saveSnapshot(snapshotAt(25))
    const copy = await openCopy()
    const opened = await openReplica(log, copy)
    expect(copy.tailLength()).toBe(5)
    await copy.close()
    const loaded = await loadAgain()
    expect(loaded.place).toStrictEqual(opened.place)
    expect(loaded.tableHash.value()).toBe(opened.tableHash.value())
  })

  it('A26 tells of a full disk once, throws nothing, and is whole again when there is room', async () => {
    const copy = await openCopy()
    copy.keep(history.slice(0, 10))
    await copy.close()
    // Every write to this device fails as on a full disk.
    await rm(join(folder, 'tail.ndjson'))
    await symlink('/dev/full', join(folder, 'tail.ndjson'))
    const full = await openCopy()
    full.keep(history.slice(0, 10))
    await full.close()
    expect(troubles).toStrictEqual([expect.stringContaining('ENOSPC')])
    full.keep(history.slice(10, 20))
    await full.close()
    expect(troubles).toHaveLength(1)
    const replica = await loadAgain()
    expect(replica.place.position).toBe(20)
    expectPartOfHistory(replica)
  })
})

describe('a process that keeps a local copy', () => {
  const start = (...args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [WRITER, folder, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })

  it('A26 may be killed at any moment: the copy loads, as a state that there was', async () => {
    let loadedPositions = 0
    for (let round = 0; round < 6; round++) {
      const child = start()
      await eventually('it writes', async () => (await stat(join(folder, 'tail.ndjson'))).ino > 0)
      const before = (await stat(join(folder, 'tail.ndjson'))).ino
      await eventually(
        'it has written anew',
        async () => (await stat(join(folder, 'tail.ndjson'))).ino !== before,
      )
      child.kill('SIGKILL')
      await once(child, 'exit')
      const copy = await openCopy()
      const loaded = await copy.load()
      await copy.close()
      expectWhole(loaded)
      if (loaded.kind === 'loaded') loadedPositions += loaded.replica.place.position
    }
    expect(loadedPositions).toBeGreaterThan(0)
  })

  it('A26 may have a second one beside it: what they leave loads all the same', async () => {
    const children = [start('40'), start('40')]
    const ends = children.map((child) => once(child, 'exit'))
    let looks = 0
    const looking = (async () => {
      while (children.some(({ exitCode }) => exitCode === null)) {
        const copy = await openCopy()
        expectWhole(await copy.load())
        looks++
      }
    })()
    await Promise.all([...ends, looking])
    expect(children.map(({ exitCode }) => exitCode)).toStrictEqual([0, 0])
    expect(looks).toBeGreaterThan(0)
    expectPartOfHistory(await loadAgain())
  })

  it('A26 goes on when its files may not grow any more, and has told of it', async () => {
    // A file-size limit of one block, as `ulimit -f` sets it; the signal that comes with it is ignored.
    const script = `trap '' XFSZ; ulimit -f 1; exec "$0" "$1" "$2" 2`
    const ran = await promisify(execFile)('bash', ['-c', script, process.execPath, WRITER, folder])
    expect(ran.stderr).toContain('cannot keep the local copy in')
    expect(ran.stderr).toContain('EFBIG')
    const copy = await openCopy()
    expectWhole(await copy.load())
  })
})
