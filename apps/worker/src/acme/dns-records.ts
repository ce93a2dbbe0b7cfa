/** Makes and removes single TXT records: what each way to the DNS has to offer. */
export interface DnsRecords {
  /** Throws `AcmeFailure` when the record was not made. Others of the same name stay. */
  readonly present: (record: string, value: string, signal: AbortSignal) => Promise<void>
  /** Throws `AcmeFailure` when it was not removed. */
  readonly cleanup: (record: string, value: string, signal: AbortSignal) => Promise<void>
}
