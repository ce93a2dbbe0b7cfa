/** `cert rotate-key`: what older secret keys sealed is sealed anew, after which those may go. */
import {
  BUNDLE_PURPOSE,
  createBundleStore,
  createSealer,
  openReplica,
  requireSecretKeys,
  resealBundle,
  resealTicketKeys,
  TICKET_PURPOSE,
} from '@gatehouse/events'
import { EXIT, type ExitCode } from '../../exit-codes.ts'
import type { Io } from '../../io.ts'
import { createOutput, plain } from '../../output/output.ts'
import { withSession } from '../../session.ts'
import { outputOptions, type GlobalOptions } from '../options.ts'

export const rotateKey = (io: Io, options: GlobalOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  const keys = requireSecretKeys(io.environment)
  return withSession(io, output, async ({ log, link, fleet }) => {
    const { certificates } = (await openReplica(log)).table.gateway
    const store = createBundleStore(link, fleet)
    const sealer = createSealer(keys, fleet, BUNDLE_PURPOSE)
    const counts = { resealed: 0, current: 0, missing: 0, refused: 0 }
    for (const { name, current } of certificates.values()) {
      if (current === undefined) continue
      const { fingerprint, notAfter } = current
      const resealed = await resealBundle(store, sealer, fingerprint, notAfter)
      counts[resealed.kind] += 1
      if (resealed.kind === 'missing') output.warn(`${name}: its bundle is not in Redis`)
      if (resealed.kind === 'refused') output.warn(plain(`${name}: its bundle ${resealed.why}`))
    }
    await resealTicketKeys(link, fleet, createSealer(keys, fleet, TICKET_PURPOSE))
    const exit = counts.refused + counts.missing === 0 ? EXIT.ok : EXIT.failed
    const [{ id }] = keys
    output.answer({ command: 'cert rotate-key', key: id, exitCode: exit, ...counts }, () =>
      exit === EXIT.ok
        ? `everything is sealed with key ${id}: ${counts.resealed} sealed anew, ${counts.current} were already`
        : `${counts.refused + counts.missing} could not be sealed anew with key ${id}: keep the older keys`,
    )
    return exit
  })
}
