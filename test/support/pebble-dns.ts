/**
 * The name service that a test CA asks: every name is at one of the addresses that the test gives, at a
 * random one for each question, as behind DNS round robin; and TXT records are what the test puts there.
 */
import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'

export interface TestDns extends AsyncDisposable {
  readonly port: number
  /** IPv4 addresses of every name, from now on. */
  addresses: readonly string[]
  /** The values of a name's TXT records, from now on; the name in lower case without the last dot. */
  texts: (name: string) => readonly string[]
  /** Every question so far, such as `TXT _acme-challenge.app.test`. */
  readonly asked: readonly string[]
}

const HEADER_BYTES = 12
const TYPE_A = 1
const TYPE_TXT = 16
/** An answer, recursion available, no error. */
const ANSWER_FLAGS = 0x81_80
const TYPE_NAMES: Readonly<Record<number, string>> = { [TYPE_A]: 'A', [TYPE_TXT]: 'TXT' }

export const startDns = async (): Promise<TestDns> => {
  const socket = createSocket('udp4')
  const asked: string[] = []
  const dns: Omit<TestDns, 'port' | typeof Symbol.asyncDispose> = {
    addresses: ['127.0.0.1'],
    texts: () => [],
    asked,
  }
  const reply = (message: Buffer, from: RemoteInfo): void => {
    const { name, type, end } = questionOf(message)
    asked.push(`${TYPE_NAMES[type] ?? type} ${name}`)
    socket.send(answer(message, end, recordsOf(dns, name, type)), from.port, from.address)
  }
  socket.on('message', reply)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return Object.assign(dns, {
    port: socket.address().port,
    [Symbol.asyncDispose]: async () => {
      socket.close()
      await once(socket, 'close')
    },
  })
}

const questionOf = (
  message: Buffer,
): { readonly name: string; readonly type: number; readonly end: number } => {
  const labels: string[] = []
  let at = HEADER_BYTES
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = message.readUInt16BE(at + 1)
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 }
}

const recordsOf = (
  { addresses, texts }: Pick<TestDns, 'addresses' | 'texts'>,
  name: string,
  type: number,
): readonly Buffer[] => {
  if (type === TYPE_TXT) {
    return texts(name).map((text) =>
      record(TYPE_TXT, Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')])),
    )
  }
  const address = addresses[Math.floor(Math.random() * addresses.length)]
  return type === TYPE_A && address !== undefined
    ? [record(TYPE_A, Buffer.from(address.split('.').map(Number)))]
    : []
}

/** About the name in the question, which stands right behind the header. */
const record = (type: number, data: Buffer): Buffer => {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc0_00 + HEADER_BYTES, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

const answer = (question: Buffer, end: number, records: readonly Buffer[]): Buffer => {
  const head = Buffer.from(question.subarray(0, end))
  head.writeUInt16BE(ANSWER_FLAGS, 2)
  head.writeUInt16BE(records.length, 6)
  // Of what may follow the question nothing is answered: no authority, no additional records.
  head.writeUInt32BE(0, 8)
  return Buffer.concat([head, ...records])
}
