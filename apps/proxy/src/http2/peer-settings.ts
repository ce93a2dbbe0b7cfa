/** What the other side has set (RFC 9113 §6.5.2), as far as we act upon it. */
import {
  ENABLE_PUSH,
  FLOW_CONTROL_ERROR,
  FRAME_BYTES_MAX,
  HEADER_TABLE_SIZE,
  INITIAL_WINDOW_SIZE,
  MAX_CONCURRENT_STREAMS,
  MAX_FRAME_SIZE,
  NO_ERROR,
  PROTOCOL_ERROR,
  WINDOW_BYTES_DEFAULT,
  WINDOW_BYTES_MAX,
} from './protocol.ts'

export const SETTING_BYTES = 6
const FRAME_BYTES_LARGEST = 2 ** 24 - 1

export class PeerSettings {
  /** What a new stream may send. */
  windowBytes = WINDOW_BYTES_DEFAULT
  /** Streams that may be open at a time; a client's says nothing, since we open none to it. */
  streamsMax = Number.POSITIVE_INFINITY
  /** Of the table for our heads; undefined while nothing was said. */
  tableBytes: number | undefined

  /** Reads the payload of a SETTINGS frame. NO_ERROR, or the error that ends the connection. */
  read(buffer: Buffer, from: number, to: number): number {
    for (let at = from; at < to; at += SETTING_BYTES) {
      const error = this.#set(buffer.readUInt16BE(at), buffer.readUInt32BE(at + 2))
      if (error !== NO_ERROR) return error
    }
    return NO_ERROR
  }

  #set(setting: number, value: number): number {
    switch (setting) {
      case HEADER_TABLE_SIZE:
        this.tableBytes = value
        return NO_ERROR
      case ENABLE_PUSH:
        return value > 1 ? PROTOCOL_ERROR : NO_ERROR
      case MAX_CONCURRENT_STREAMS:
        this.streamsMax = value
        return NO_ERROR
      case INITIAL_WINDOW_SIZE:
        if (value > WINDOW_BYTES_MAX) return FLOW_CONTROL_ERROR
        this.windowBytes = value
        return NO_ERROR
      case MAX_FRAME_SIZE:
        // Whatever it is, our frames are as small as everybody takes them.
        return value < FRAME_BYTES_MAX || value > FRAME_BYTES_LARGEST ? PROTOCOL_ERROR : NO_ERROR
      default:
        return NO_ERROR
    }
  }
}
