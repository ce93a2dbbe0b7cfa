/** What can be asked of a ring, in the kernel's own numbers (linux/io_uring.h). */

/** By the numbers of the kernel, as far as its eight bits go. */
export type Operation =
  typeof ACCEPT | typeof CANCEL | typeof CLOSE | typeof SEND | typeof RECEIVE | typeof RECEIVE_MUCH

export const ACCEPT = 13
export const CANCEL = 14
export const CLOSE = 19
export const SEND = 26
export const RECEIVE = 27
/** The same, into the buffers of the second group. */
export const RECEIVE_MUCH = 283

export const HAS_BUFFER = 1
/** More completions of the same operation will come. */
export const MORE = 2
export const BUFFER_SHIFT = 16

/** Options: what was asked for next is done after it, if it went well, or however it went. */
export const IF_WELL = 1 << 10
export const THEN = 1 << 11
/** Option: the kernel chooses one of the buffers that it was given. */
export const ANY_BUFFER = 1 << 13
/** Options: again and again, until it is cancelled. */
export const ACCEPT_ALL = 1 << 16
export const RECEIVE_ALL = 1 << 17

/** For CANCEL: one operation of a member, or all on a descriptor. */
export const operationOf = (place: number, operation: Operation): number =>
  operation * 2 ** 32 + place
export const ALL_OF_DESCRIPTOR = 3
