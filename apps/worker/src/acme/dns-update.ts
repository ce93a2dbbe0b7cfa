/**
 * TXT records by signed updates to a name server (RFC 2136, RFC 8945), over TCP. The zone is found by
 * asking the server. That its answers are not checked for a signature of theirs does no harm: the CA looks
 * for itself, and a forged answer can only spoil an attempt.
 */
import { randomInt } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { readAnswer, writeUpdate, writeZoneQuestion, type DnsAnswer } from './dns-message.ts'
import type { DnsRecords } from './dns-records.ts'
import type { UpdateServer } from './dns-settings.ts'
import { AcmeFailure } from './problem.ts'

const ANSWER_MS_MAX = 10_000
const ID_MAX = 0x1_00_00

export const createUpdateRecords = (server: UpdateServer): DnsRecords => {
  const where = `the name server ${server.host}:${server.port}`
  const ask = async (message: Buffer, id: number, signal: AbortSignal): Promise<DnsAnswer> => {
    const answer = await exchange(server, message, signal).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      throw new AcmeFailure(`${where} cannot be asked: ${reason}`, { cause: error })
    })
    const read = readAnswer(answer)
    if (read?.id === id) return read
    throw new AcmeFailure(`${where} gave no answer to the question`)
  }
  const change = async (
    kind: 'add' | 'remove',
    name: string,
    text: string,
    signal: AbortSignal,
  ): Promise<void> => {
    const asked = randomInt(ID_MAX)
    const { zone } = await ask(writeZoneQuestion(asked, name), asked, signal)
    if (zone === undefined) throw new AcmeFailure(`${where} knows no zone that ${name} is in`)
    const id = randomInt(ID_MAX)
    const atSeconds = Math.floor(Date.now() / 1_000)
    const update = writeUpdate({ id, zone, kind, name, text }, server.key, atSeconds)
    const { code } = await ask(update, id, signal)
    if (code === 'NOERROR') return
    throw new AcmeFailure(
      `${where} refused to ${kind} ${name} in zone ${zone}: ${code}${HINTS[code] ?? ''}`,
    )
  }
  return {
    present: (record, value, signal) => change('add', record, value, signal),
    cleanup: (record, value, signal) => change('remove', record, value, signal),
  }
}

const HINTS: Readonly<Record<string, string>> = {
  NOTAUTH: ' (it does not know the key of GATEHOUSE_ACME_DNS_TSIG, or its clock is another)',
  REFUSED: ' (the key of GATEHOUSE_ACME_DNS_TSIG may not change the zone)',
}

/** One message there and one back, each behind its length (RFC 1035 §4.2.2). */
const exchange = async (
  { host, port }: UpdateServer,
  message: Buffer,
  signal: AbortSignal,
): Promise<Buffer> => {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)])
  const socket = connect({ host, port })
  const end = (): void => void socket.destroy(new Error(`no answer in ${ANSWER_MS_MAX / 1_000} s`))
  bounded.addEventListener('abort', end, { once: true })
  try {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(message.length)
    socket.write(Buffer.concat([length, message]))
    return await receive(socket)
  } finally {
    bounded.removeEventListener('abort', end)
    socket.destroy()
  }
}

const receive = async (socket: Socket): Promise<Buffer> => {
  let received = Buffer.alloc(0)
  for await (const chunk of socket) {
    // Nobody has set an encoding: what comes are bytes.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    received = Buffer.concat([received, chunk as Buffer])
    if (received.length < 2) continue
    const end = 2 + received.readUInt16BE(0)
    if (received.length >= end) return received.subarray(2, end)
  }
  throw new Error('it closed the connection')
}
