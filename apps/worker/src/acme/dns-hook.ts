/** TXT records for dns-01, made by whatever the settings name. */
import { setTimeout as wait } from 'node:timers/promises'
import { createProgramRecords } from './dns-exec.ts'
import type { DnsRecords } from './dns-records.ts'
import { createUpdateRecords } from './dns-update.ts'
import { AcmeFailure } from './problem.ts'
import type { DnsSettings } from './settings.ts'

export interface DnsHook extends DnsRecords {
  /** Resolves when every name server has had the time to hear of what was presented. */
  readonly settled: (signal: AbortSignal) => Promise<void>
}

/** `onLeftBehind` is told of a record that could not be removed, which does no harm to the order. */
export const createDnsHook = (
  settings: DnsSettings,
  onLeftBehind: (failure: AcmeFailure) => void,
): DnsHook => {
  const records =
    'program' in settings
      ? createProgramRecords(settings.program)
      : createUpdateRecords(settings.server)
  return {
    present: records.present,
    cleanup: async (record, value, signal) => {
      try {
        await records.cleanup(record, value, signal)
      } catch (error) {
        if (!(error instanceof AcmeFailure)) throw error
        onLeftBehind(error)
      }
    },
    settled: (signal) => wait(settings.waitMs, undefined, { signal }),
  }
}
