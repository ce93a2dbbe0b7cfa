/**
 * A process that does nothing but keep a local copy: it appends entries and starts over from a snapshot,
 * again and again, until it is killed or has done it often enough. Arguments: the folder, and how often.
 */
import {
  apply,
  createMemoryLog,
  emptyReplica,
  openLocalCopy,
  writeSnapshot,
} from '@gatehouse/events'
import { appendAll, readAll, variedHistory } from '../../../libs/events/src/testing.ts'

const ROUNDS_MAX = 5_000
const [folder = '', rounds = String(ROUNDS_MAX)] = process.argv.slice(2)

const log = createMemoryLog(() => 1_000)
await appendAll(log, variedHistory(12))
const history = await readAll(log, { position: 0, hash: '' })

const copy = await openLocalCopy(folder, (reason) => process.stderr.write(`${reason}\n`))
const loaded = await copy.load()
process.stdout.write(`${loaded.kind}\n`)
for (let round = 0; round < Number(rounds); round++) {
  const replica = emptyReplica()
  await copy.rebase(undefined)
  for (const [index, entry] of history.entries()) {
    apply(replica, entry)
    copy.keep([entry])
    if (index % 10 === 9) {
      const { origin, place, table, quarantine } = replica
      await copy.rebase(writeSnapshot(place, { origin, gateway: table.gateway, quarantine }))
    }
  }
  await copy.close()
}
