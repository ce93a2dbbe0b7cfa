/** The numbers of HTTP/2 (RFC 9113 §6, §7; RFC 8441; RFC 9218), and what of them we offer. */
import { HEAD_BYTES_MAX } from '../http/limits.ts'

/** What a client's connection begins with (RFC 9113 §3.4), up to where a head of HTTP/1 would end. */
export const PREFACE_HEAD = 'PRI * HTTP/2.0\r\n\r\n'
export const PREFACE = `${PREFACE_HEAD}SM\r\n\r\n`

export const FRAME_HEADER_BYTES = 9
/** RFC 9113 §4.2: what everybody takes, and more than we would want to hold. */
export const FRAME_BYTES_MAX = 16_384

export const DATA = 0x0
export const HEADERS = 0x1
export const PRIORITY = 0x2
export const RST_STREAM = 0x3
export const SETTINGS = 0x4
export const PUSH_PROMISE = 0x5
export const PING = 0x6
export const GOAWAY = 0x7
export const WINDOW_UPDATE = 0x8
export const CONTINUATION = 0x9
export const PRIORITY_UPDATE = 0x10

export const END_STREAM = 0x1
export const ACK = 0x1
export const END_HEADERS = 0x4
export const PADDED = 0x8
export const WITH_PRIORITY = 0x20

export const HEADER_TABLE_SIZE = 0x1
export const ENABLE_PUSH = 0x2
export const MAX_CONCURRENT_STREAMS = 0x3
export const INITIAL_WINDOW_SIZE = 0x4
export const MAX_FRAME_SIZE = 0x5
export const MAX_HEADER_LIST_SIZE = 0x6
export const ENABLE_CONNECT_PROTOCOL = 0x8
export const NO_RFC7540_PRIORITIES = 0x9

/** RFC 9113 §7. */
export const NO_ERROR = 0x0
export const PROTOCOL_ERROR = 0x1
export const INTERNAL_ERROR = 0x2
export const FLOW_CONTROL_ERROR = 0x3
export const STREAM_CLOSED = 0x5
export const FRAME_SIZE_ERROR = 0x6
export const REFUSED_STREAM = 0x7
export const CANCEL = 0x8
export const COMPRESSION_ERROR = 0x9
export const ENHANCE_YOUR_CALM = 0xb

/** RFC 9113 §6.5.2: of both sides, until a setting says otherwise. */
export const WINDOW_BYTES_DEFAULT = 65_535
export const WINDOW_BYTES_MAX = 2 ** 31 - 1
export const STREAM_ID_MAX = 2 ** 31 - 1

/** Requests of one client at a time: those beyond are refused, and may be sent again. */
export const STREAMS_MAX = 100
/** What may come for one request before its target takes it. */
export const STREAM_WINDOW_BYTES = 262_144
/** No bound of its own: each stream has one, and none of them is to wait for another. */
export const CONNECTION_WINDOW_BYTES = STREAMS_MAX * STREAM_WINDOW_BYTES
/** A field block as it is sent; what it says may be HEAD_BYTES_MAX. */
export const BLOCK_BYTES_MAX = 2 * HEAD_BYTES_MAX
/** Frames that go on with one block: one that is full has room for all of it. */
export const CONTINUATIONS_MAX = 16

export const OWN_SETTINGS: readonly (readonly [setting: number, value: number])[] = [
  [MAX_CONCURRENT_STREAMS, STREAMS_MAX],
  [INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES],
  [MAX_HEADER_LIST_SIZE, HEAD_BYTES_MAX],
  [ENABLE_CONNECT_PROTOCOL, 1],
  [NO_RFC7540_PRIORITIES, 1],
]
