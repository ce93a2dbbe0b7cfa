/** Sizes as people write them: bare bytes, `512KB`, `10MiB`, `1GB`; 0 and `unlimited` mean no bound. */
import { described } from './duration.ts'

export type ParsedSize = { readonly bytes: number | 'unlimited' } | { readonly problem: string }

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1_000,
  kib: 1_024,
  mb: 1_000_000,
  mib: 1_048_576,
  gb: 1_000_000_000,
  gib: 1_073_741_824,
}

/** Reads a size. The problem is a clause that fits after the field's name and a colon. */
export const parseSize = (value: unknown): ParsedSize => {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value).trim() : ''
  if (text.toLowerCase() === 'unlimited') return { bytes: 'unlimited' }
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? []
  const scale = UNIT_BYTES[(unit ?? '').toLowerCase()]
  if (amount === undefined || scale === undefined) {
    return { problem: `found ${described(value)}; expected bytes, "10MiB" or "unlimited"` }
  }
  const bytes = Math.round(Number(amount) * scale)
  if (!Number.isSafeInteger(bytes)) {
    return { problem: `found ${described(value)}; expected at most 8 PiB` }
  }
  return { bytes: bytes === 0 ? 'unlimited' : bytes }
}
