/** What a CA says of itself, as far as the ACME library does not look at it (RFC 8555 §7.1.1). */
import { z } from 'zod'
import type { AcmeConnection } from './connection.ts'
import { AcmeFailure } from './problem.ts'
import type { AcmeSettings } from './settings.ts'

export type Directory = z.infer<typeof directory>

const directory = z.object({
  /** Where it says when to renew (RFC 9773). */
  renewalInfo: z.url().optional(),
  meta: z
    .object({
      externalAccountRequired: z.boolean().default(false),
      /** The kinds of certificate that it offers, with a description each. */
      profiles: z.record(z.string(), z.string()).optional(),
    })
    .prefault({}),
})

/** Throws a sentence when there is no directory, or when it does not offer what the settings ask for. */
export const readDirectory = async (
  settings: AcmeSettings,
  connection: AcmeConnection,
  signal: AbortSignal,
): Promise<Directory> => {
  const { body } = await connection.get(settings.directory, signal)
  const found = parse(body)
  if (found === undefined)
    throw new AcmeFailure(`${settings.directory} is not the directory of a CA`)
  const { profile } = settings
  const offered = Object.keys(found.meta.profiles ?? {})
  if (profile === undefined || offered.includes(profile)) return found
  throw new AcmeFailure(
    `the CA offers no profile "${profile}" (GATEHOUSE_ACME_PROFILE); it has ${offered.length === 0 ? 'none' : offered.join(', ')}`,
  )
}

const parse = (body: string): Directory | undefined => {
  try {
    const parsed = JSON.parse(body) as unknown
    const isDirectory = z.object({ newOrder: z.url(), newAccount: z.url() }).safeParse(parsed)
    return isDirectory.success ? directory.safeParse(parsed).data : undefined
  } catch {
    return undefined
  }
}
