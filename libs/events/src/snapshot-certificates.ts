/** Certificates as a snapshot holds them: as they are, without the fields that are undefined. */
import type { Certificate, CertificateOrder, CurrentCertificate } from '@gatehouse/domain'

export interface PackedCertificate extends Pick<Certificate, 'name' | 'origin' | 'revocations'> {
  readonly current?: PackedCurrent
  readonly order?: PackedOrder
}

type PackedCurrent = Without<CurrentCertificate, 'revoked'>
type PackedOrder = Without<CertificateOrder, 'failure'>

type Without<Whole, Field extends keyof Whole> = Omit<Whole, Field> & {
  readonly [Name in Field]?: NonNullable<Whole[Name]>
}

export const packCertificates = (
  certificates: Iterable<Certificate>,
): readonly PackedCertificate[] =>
  Array.from(certificates, ({ name, origin, current, order, revocations }) => ({
    name,
    origin,
    revocations,
    ...(current === undefined ? {} : { current: packCurrent(current) }),
    ...(order === undefined ? {} : { order: packOrder(order) }),
  }))

const packCurrent = ({ revoked, ...current }: CurrentCertificate): PackedCurrent =>
  revoked === undefined ? current : { ...current, revoked }

const packOrder = ({ failure, ...order }: CertificateOrder): PackedOrder =>
  failure === undefined ? order : { ...order, failure }

/** Throws when a part is missing. */
export const unpackCertificates = (packed: readonly PackedCertificate[]): readonly Certificate[] =>
  packed.map(({ name, origin, current, order, revocations }) => ({
    name,
    origin,
    current: current && { ...current, revoked: current.revoked },
    order: order && { ...order, failure: order.failure },
    revocations,
  }))
