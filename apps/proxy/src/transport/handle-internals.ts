/**
 * The part of Node that `node:net` itself is built on: libuv's stream handles, as
 * `process.binding` gives them out. Deprecated for use outside of Node (DEP0111) and not covered by
 * its promises, so nothing is believed of it: `handleInternals` checks that what we use is there, and
 * self-test.ts that it does what we think, on the very Node that runs.
 */
import type { Server, Socket } from 'node:net'
import type { ReadBuffer } from './read-buffers.ts'

/** A connected TCP or Unix socket. Methods return 0 or a negative libuv error number. */
export interface StreamHandle {
  /** Called with the handle as `this`; may return the buffer to read into from then on. */
  onread: (this: StreamHandle) => Buffer | undefined
  /** Whom Node's own callbacks look for: the `net.Socket` that had the handle before us. */
  owner?: unknown
  /** Ours: whom the callbacks look for that all handles share. */
  holder?: unknown
  useUserBuffer(buffer: Buffer): void
  readStart(): number
  readStop(): number
  writeLatin1String(request: WriteRequest, text: string): number
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  /** Each chunk is followed by its encoding: `latin1` or `buffer`. */
  writev(request: WriteRequest, chunks: readonly (string | Buffer)[], onlyBuffers: boolean): number
  shutdown(request: ShutdownRequest): number
  close(onClosed: (this: StreamHandle) => void): void
  /** TCP only: closes with RST. */
  reset?(onClosed: (this: StreamHandle) => void): number
  /** TCP only. */
  setNoDelay?(on: boolean): number
  getpeername?(address: { address?: string }): number
}

/** Stands for a write that the kernel did not take whole at once, until it has. */
export interface WriteRequest {
  /** Called with the request as `this`. */
  oncomplete: (this: WriteRequest, status: number) => void
  /** Ours, as a handle's. */
  holder?: unknown
  /** What must outlive the write. */
  keptBytes?: Buffer | undefined
  kept?: ReadBuffer | undefined
}

export interface ShutdownRequest {
  oncomplete: (this: ShutdownRequest, status: number) => void
}

/** A listening socket of `node:net`. */
export interface ServerHandle {
  onconnection: (status: number, client: StreamHandle | undefined) => void
}

export interface HandleInternals {
  readonly WriteWrap: new () => WriteRequest
  readonly ShutdownWrap: new () => ShutdownRequest
  /** Where a callback or a write leaves its numbers. */
  readonly state: Int32Array
  /** Indices into it: bytes read or an error, and whether the last write goes on without us. */
  readonly readBytesOrError: number
  readonly lastWriteWasAsync: number
}

/** `UV_EOF`: the peer has sent FIN. */
export const END_OF_FILE = -4095

/** Undefined when this Node does not give them out, for example under `--permission`. */
export const handleInternals = (): HandleInternals | undefined => {
  const binding: unknown = Reflect.get(process, 'binding')
  if (typeof binding !== 'function') return undefined
  let wrap: unknown
  try {
    wrap = binding('stream_wrap')
  } catch {
    return undefined
  }
  if (!isStreamWrap(wrap)) return undefined
  return {
    WriteWrap: wrap.WriteWrap,
    ShutdownWrap: wrap.ShutdownWrap,
    state: wrap.streamBaseState,
    readBytesOrError: wrap.kReadBytesOrError,
    lastWriteWasAsync: wrap.kLastWriteWasAsync,
  }
}

/** The handle below a socket of `node:net`; undefined when it is not what we know. */
export const streamHandleOf = (socket: Socket): StreamHandle | undefined => {
  const handle: unknown = Reflect.get(socket, '_handle')
  return isStreamHandle(handle) ? handle : undefined
}

/** The handle below a listening server. */
export const serverHandleOf = (server: Server): ServerHandle | undefined => {
  const handle: unknown = Reflect.get(server, '_handle')
  return isServerHandle(handle) ? handle : undefined
}

interface StreamWrap {
  readonly WriteWrap: HandleInternals['WriteWrap']
  readonly ShutdownWrap: HandleInternals['ShutdownWrap']
  readonly streamBaseState: Int32Array
  readonly kReadBytesOrError: number
  readonly kLastWriteWasAsync: number
}

const isStreamWrap = (value: unknown): value is StreamWrap =>
  hasAll(value, 'function', ['WriteWrap', 'ShutdownWrap']) &&
  hasAll(value, 'number', ['kReadBytesOrError', 'kLastWriteWasAsync']) &&
  Reflect.get(value, 'streamBaseState') instanceof Int32Array

export const isStreamHandle = (value: unknown): value is StreamHandle =>
  hasAll(value, 'function', [
    'useUserBuffer',
    'readStart',
    'readStop',
    'writeLatin1String',
    'writeBuffer',
    'writev',
    'shutdown',
    'close',
  ])

const isServerHandle = (value: unknown): value is ServerHandle =>
  hasAll(value, 'function', ['onconnection', 'close'])

const hasAll = (
  value: unknown,
  type: 'function' | 'number',
  names: readonly string[],
): value is object =>
  typeof value === 'object' &&
  value !== null &&
  names.every((name) => typeof Reflect.get(value, name) === type)
