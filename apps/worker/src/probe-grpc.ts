/**
 * The question that gRPC servers answer about their health (grpc.health.v1), in its two messages of one
 * field each, and what became of it as the end of a sentence.
 */
import type { OutgoingHttpHeaders } from 'node:http2'
import type { Http2Answer } from './probe-http2.ts'

export const GRPC_HEALTH_PATH = '/grpc.health.v1.Health/Check'

export const grpcFields = (withinMs: number): OutgoingHttpHeaders => ({
  'content-type': 'application/grpc',
  te: 'trailers',
  'grpc-timeout': `${withinMs}m`,
})

/** HealthCheckRequest; `service` is '' for the server as a whole. */
export const grpcHealthRequest = (service: string): Buffer => {
  const name = Buffer.from(service)
  const message =
    service === ''
      ? name
      : Buffer.concat([Buffer.from([FIELD_ONE_BYTES, ...lengthOf(name.length)]), name])
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

/** 'serving', or what else it was: it reads on after `gRPC health of h2c://10.0.0.5:3000`. */
export const grpcHealthOf = (answer: Http2Answer, service: string): string => {
  // What has nothing to say but its status says it in the head.
  const fields = answer.trailers ?? answer.headers
  const status = fields['grpc-status']
  if (status === undefined) {
    return answer.status === 200
      ? 'was answered without a gRPC status'
      : `was answered ${answer.status}, and not by gRPC`
  }
  if (status !== OK)
    return `was answered ${refusalOf(String(status), service, fields['grpc-message'])}`
  const serving = servingStatusOf(answer.body)
  return serving === SERVING
    ? 'serving'
    : `is ${SERVING_STATUSES[serving] ?? 'unreadable'}, expected SERVING`
}

/** As protobuf writes integers, and no longer than two octets of seven bits. */
const lengthOf = (length: number): readonly number[] =>
  length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]

const OK = '0'
const FIELD_ONE_BYTES = 0x0a
const FIELD_ONE_INTEGER = 0x08
/** One octet about compression, four for the length. */
const PREFIX_BYTES = 5
const SERVING = 1
const SERVING_STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']
const UNREADABLE = -1

/** HealthCheckResponse.status: a message without the field is one in which it is 0. */
const servingStatusOf = (body: Buffer): number => {
  if (body.length < PREFIX_BYTES || body[0] !== 0) return UNREADABLE
  const message = body.subarray(PREFIX_BYTES)
  if (message.length !== body.readUInt32BE(1)) return UNREADABLE
  if (message.length === 0) return 0
  return message[0] === FIELD_ONE_INTEGER && message.length === 2
    ? (message[1] ?? UNREADABLE)
    : UNREADABLE
}

const refusalOf = (status: string, service: string, message: unknown): string => {
  if (status === '5') return `NOT_FOUND: it knows no service "${service}"`
  if (status === '12') return 'UNIMPLEMENTED: it does not offer grpc.health.v1.Health'
  const said = typeof message === 'string' && message !== '' ? `: ${decoded(message)}` : ''
  return `${STATUSES[Number(status)] ?? `with gRPC status ${status}`}${said}`
}

/** Percent-encoded UTF-8, as far as it is. */
const decoded = (message: string): string => {
  try {
    return decodeURIComponent(message)
  } catch {
    return message
  }
}

const STATUSES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
]
