/**
 * The few functions of C that a ring needs, called by way of `node:ffi`, which Node still calls
 * experimental. So nothing is believed of it: `systemCalls` looks whether all of it is here, and
 * self-test.ts whether it does what we think, on the very Node and kernel that run.
 *
 * A call costs a quarter of a microsecond or more. None happens for a request: a turn of the loop
 * makes one, whatever the number of sockets that had something to do in it.
 */
import type { DynamicLibrary } from 'node:ffi'
import { getSystemErrorName } from 'node:util'

export type SystemCalls = Functions & {
  /** What the last call that returned -1 failed of. */
  readonly errno: () => number
  /** The loop of this thread. */
  readonly loop: bigint
  readonly addressOf: (bytes: Uint8Array) => bigint
  readonly bytesAt: (address: bigint, length: number) => ArrayBuffer
  /** Its functions are good for as long as it is. */
  readonly library: DynamicLibrary
  /** A function of C that does nothing, whatever it is called with. */
  readonly nothing: bigint
}

const INT = 'int32'
const LONG = 'int64'
const POINTER = 'pointer'

const SIGNATURES = {
  syscall: { arguments: [LONG, LONG, LONG, LONG, LONG, LONG, LONG], return: LONG },
  mmap: { arguments: [POINTER, LONG, INT, INT, INT, LONG], return: POINTER },
  madvise: { arguments: [POINTER, LONG, INT], return: INT },
  fcntl: { arguments: [INT, INT, INT], return: INT },
  accept4: { arguments: [INT, POINTER, POINTER, INT], return: INT },
  close: { arguments: [INT], return: INT },
  shutdown: { arguments: [INT, INT], return: INT },
  getpeername: { arguments: [INT, POINTER, POINTER], return: INT },
  setsockopt: { arguments: [INT, INT, INT, POINTER, INT], return: INT },
  inet_ntop: { arguments: [INT, POINTER, POINTER, INT], return: POINTER },
  // libuv's, as every native module finds them in Node.
  uv_handle_size: { arguments: [INT], return: LONG },
  uv_poll_init: { arguments: [POINTER, POINTER, INT], return: INT },
  uv_poll_start: { arguments: [POINTER, INT, POINTER], return: INT },
  uv_ref: { arguments: [POINTER], return: 'void' },
  uv_unref: { arguments: [POINTER], return: 'void' },
} as const

type Functions = ReturnType<typeof DynamicLibrary.prototype.getFunctions<typeof SIGNATURES>>

/** Undefined where they cannot be had: another system than Linux, no FFI, `--permission`. */
export const systemCalls = (): SystemCalls | undefined => {
  if (process.platform !== 'linux') return undefined
  try {
    const ffi = quietly(() => process.getBuiltinModule('node:ffi'))
    if (ffi === undefined) return undefined
    const own = new ffi.DynamicLibrary(null)
    const functions = own.getFunctions(SIGNATURES)
    const locate = own.getFunction('__errno_location', { arguments: [], return: POINTER })
    const errno = new Int32Array(ffi.toArrayBuffer(locate(), Int32Array.BYTES_PER_ELEMENT, false))
    return {
      ...functions,
      library: own,
      errno: () => errno[0] ?? 0,
      loop: ffi.getCurrentEventLoop(),
      addressOf: ffi.getRawPointer,
      bytesAt: (address, length) => ffi.toArrayBuffer(address, length, false),
      // It returns a field of the handle that it is given, as a callback of libuv's is.
      nothing: own.getSymbol('uv_handle_get_type'),
    }
  } catch {
    return undefined
  }
}

/** Errors, by their numbers on Linux. */
export const ENFILE = 23
export const EMFILE = 24
export const ENOBUFS = 105
export const ECANCELED = 125

/** As Node's own socket errors: with `code` and `syscall`. */
export const systemError = (errno: number, syscall: string): Error => {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall, errno: -errno })
}

/** Without Node's warning that what we look at is experimental: the log says what came of it. */
const quietly = <Value>(look: () => Value): Value => {
  const warn = Reflect.get(process, 'emitWarning')
  process.emitWarning = () => {}
  try {
    return look()
  } finally {
    process.emitWarning = warn
  }
}
