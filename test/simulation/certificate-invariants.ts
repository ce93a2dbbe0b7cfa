/** What holds of certificates after every append. Each throws one sentence that says what broke. */
import {
  automatic,
  coversAll,
  isCalledFor,
  openOrder,
  type CertificateReport,
  type Gateway,
  type GatewayEvent,
} from '@gatehouse/domain'

export const checkCertificates = (gateway: Gateway): void => {
  for (const certificate of gateway.certificates.values()) {
    const { name, current, order } = certificate
    const empty = current === undefined && order === undefined
    must(!empty, `certificate ${name} is nothing`)
    const challenged = order?.failure === undefined || order.challenges.length === 0
    // Seen to fail by a failure that leaves its challenges.
    must(challenged || openOrder(certificate) !== undefined, `${name} is answered for nobody`)
  }
  for (const { name, hosts, active } of gateway.services.values()) {
    if (active === undefined || automatic(name, gateway) === undefined) continue
    const certificate = gateway.certificates.get(name)
    const named = hosts.filter((host) => host !== 'default')
    const names = [certificate?.current?.names, certificate?.order?.names]
    const provided = names.some((each) => each !== undefined && coversAll(each, named))
    // Seen to fail by an activation that orders nothing, and by one that overlooks an order for others.
    must(provided, `${name} serves ${named.join(', ')} and has no certificate for it, nor an order`)
  }
}

/** A report on an order that is open, and on a revocation that is pending, leads to something. */
export const checkCertificateReport = (
  report: CertificateReport,
  events: readonly GatewayEvent[],
  gateway: Gateway,
): void => {
  for (const event of events) {
    const same = 'certificate' in event && event.certificate === report.certificate
    must(same, `A report on certificate ${report.certificate} leads to another ${event.type}`)
  }
  if (report.type === 'ReportChallenge') return
  const job =
    report.type === 'ReportCertificate'
      ? ({ ...report, type: 'OrderCertificate' } as const)
      : ({ ...report, type: 'RevokeCertificate' } as const)
  // Seen to fail by a `decide` that takes a report of any generation for the present one.
  must(
    events.length > 0 === isCalledFor(job, gateway),
    `A ${report.type} on ${report.certificate} is heard when it is late, or not when it is due`,
  )
}

const must = (holds: boolean, complaint: string): void => {
  if (!holds) throw new Error(`${complaint}.`)
}
