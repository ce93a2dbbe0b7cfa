/** `cert list` and `cert show`: what there is, until when, and what is under way. */
import { openReplica } from '@gatehouse/events'
import type { Certificate } from '@gatehouse/domain'
import { EXIT, type ExitCode } from '../../exit-codes.ts'
import type { Io } from '../../io.ts'
import { didYouMean } from '../../near-miss.ts'
import { createOutput, plain, type Paint } from '../../output/output.ts'
import { table } from '../../output/table.ts'
import { withSession } from '../../session.ts'
import { outputOptions, type GlobalOptions } from '../options.ts'
import { sayTime } from '../say-time.ts'
import { certificateView, sayOrder, stateOf, type CertificateState } from './certificate-view.ts'

export const listCertificates = (io: Io, options: GlobalOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  return withSession(io, output, async ({ log }) => {
    const { gateway } = (await openReplica(log)).table
    const now = Date.now()
    const all = [...gateway.certificates.values()].toSorted((one, other) =>
      one.name < other.name ? -1 : 1,
    )
    output.answer(
      all.map((each) => certificateView(each, now)),
      () => (all.length === 0 ? 'no certificates' : textOf(all, now, output.paint)),
    )
    return EXIT.ok
  })
}

export const showCertificate = (
  io: Io,
  name: string,
  options: GlobalOptions,
): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  return withSession(io, output, async ({ log }) => {
    const { certificates } = (await openReplica(log)).table.gateway
    const certificate = certificates.get(name)
    if (certificate === undefined) {
      const near = didYouMean(name, [...certificates.keys()])
      output.warn(plain(`there is no certificate "${name}"${near}`))
      return EXIT.failed
    }
    const now = Date.now()
    output.answer(certificateView(certificate, now), () => detailsOf(certificate, now))
    return EXIT.ok
  })
}

const textOf = (all: readonly Certificate[], now: number, paint: Paint): string =>
  table(
    ['certificate', 'state', 'names', 'issuer', 'until', 'under way'],
    all.map((each) => [
      each.name,
      paint[STATE_PAINT[stateOf(each, now)]](stateOf(each, now)),
      (each.current?.names ?? each.order?.names ?? []).join(','),
      each.current?.issuer,
      each.current === undefined ? undefined : sayTime(each.current.notAfter),
      sayOrder(each),
    ]),
  )

const STATE_PAINT = {
  valid: 'good',
  missing: 'fair',
  revoked: 'bad',
  expired: 'bad',
} as const satisfies Record<CertificateState, keyof Paint>

const detailsOf = (certificate: Certificate, now: number): string => {
  const { name, current, order, revocations } = certificate
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['certificate', name],
    ['state', stateOf(certificate, now)],
    ['names', (current?.names ?? order?.names ?? []).join(', ')],
    ['source', current?.source],
    ['issuer', current?.issuer],
    ['serial', current?.serial],
    ['fingerprint', current?.fingerprint],
    ['valid from', current && sayTime(current.notBefore)],
    ['valid until', current && sayTime(current.notAfter)],
    ['renewed from', current?.renewAt === undefined ? undefined : sayTime(current.renewAt)],
    ['revoked', current?.revoked],
    ['under way', sayOrder(certificate)],
    ['ordered for', order?.names.join(', ')],
    ['to be revoked', revocations.map(({ fingerprint }) => fingerprint).join(', ')],
  ]
  const width = Math.max(...facts.map(([label]) => label.length))
  return facts
    .flatMap(([label, value]) =>
      value === undefined || value === '' ? [] : [`${label.padEnd(width)}  ${plain(value)}\n`],
    )
    .join('')
}
