/** Frames as we write them (RFC 9113 §4.1): latin1 text, one character an octet. */
import {
  ACK,
  CONTINUATION,
  END_HEADERS,
  END_STREAM,
  FRAME_BYTES_MAX,
  GOAWAY,
  HEADERS,
  OWN_SETTINGS,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from './protocol.ts'

export const frameHeader = (length: number, type: number, flags: number, id: number): string =>
  String.fromCharCode(
    (length >>> 16) & 0xff,
    (length >>> 8) & 0xff,
    length & 0xff,
    type,
    flags,
    (id >>> 24) & 0x7f,
    (id >>> 16) & 0xff,
    (id >>> 8) & 0xff,
    id & 0xff,
  )

/** A field block, in as many frames as it needs (RFC 9113 §4.3). */
export const headersFrames = (id: number, block: string, ends: boolean): string => {
  const endFlag = ends ? END_STREAM : 0
  if (block.length <= FRAME_BYTES_MAX) {
    return frameHeader(block.length, HEADERS, END_HEADERS | endFlag, id) + block
  }
  let frames = frameHeader(FRAME_BYTES_MAX, HEADERS, endFlag, id) + block.slice(0, FRAME_BYTES_MAX)
  for (let at = FRAME_BYTES_MAX; at < block.length; at += FRAME_BYTES_MAX) {
    const piece = block.slice(at, at + FRAME_BYTES_MAX)
    const flags = at + FRAME_BYTES_MAX >= block.length ? END_HEADERS : 0
    frames += frameHeader(piece.length, CONTINUATION, flags, id) + piece
  }
  return frames
}

export const resetFrame = (id: number, code: number): string =>
  frameHeader(4, RST_STREAM, 0, id) + uint32(code)

export const settingsFrame = (settings = OWN_SETTINGS): string =>
  frameHeader(6 * settings.length, SETTINGS, 0, 0) +
  settings.map(([setting, value]) => uint16(setting) + uint32(value)).join('')

export const SETTINGS_ACK = frameHeader(0, SETTINGS, ACK, 0)

export const pingFrame = (opaque: string, flags: number): string =>
  frameHeader(opaque.length, PING, flags, 0) + opaque

/** `about` is for whoever debugs the client: printable ASCII. */
export const goAwayFrame = (lastId: number, code: number, about: string): string =>
  frameHeader(8 + about.length, GOAWAY, 0, 0) + uint32(lastId) + uint32(code) + about

export const windowUpdateFrame = (id: number, increment: number): string =>
  frameHeader(4, WINDOW_UPDATE, 0, id) + uint32(increment)

const uint16 = (value: number): string => String.fromCharCode((value >>> 8) & 0xff, value & 0xff)

const uint32 = (value: number): string => uint16(value >>> 16) + uint16(value & 0xffff)
