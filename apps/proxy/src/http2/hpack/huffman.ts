/**
 * The Huffman code of HPACK (RFC 7541 §5.2). It is canonical, so the lengths of its codes say all of it:
 * codes of one length count upwards in the order of their octets. A string is decoded by a machine that
 * takes four bits a step, which is never more than one octet of output, for no code is shorter than five.
 */

/** Octets that `text` (latin1) takes when it is encoded. */
export const huffmanLength = (text: string): number => {
  let bits = 0
  for (let at = 0; at < text.length; at += 1) bits += LENGTHS[text.charCodeAt(at)] ?? 0
  return (bits + 7) >> 3
}

/** The code of `text`, as latin1 too: one character an octet. */
export const encodeHuffman = (text: string): string => {
  let encoded = ''
  let octet = 0
  let free = 8
  for (let at = 0; at < text.length; at += 1) {
    const symbol = text.charCodeAt(at)
    const code = CODES[symbol] ?? 0
    for (let left = LENGTHS[symbol] ?? 0; left > 0;) {
      const taken = Math.min(left, free)
      left -= taken
      free -= taken
      octet |= ((code >>> left) & ((1 << taken) - 1)) << free
      if (free > 0) continue
      encoded += String.fromCharCode(octet)
      octet = 0
      free = 8
    }
  }
  // What is left of the last octet is filled with the first bits of EOS, which are all set.
  return free === 8 ? encoded : encoded + String.fromCharCode(octet | ((1 << free) - 1))
}

/**
 * The text (latin1) whose code are these octets; undefined when they are the code of none: EOS in it,
 * padding that is not the beginning of EOS, or more than seven bits of it.
 */
export const decodeHuffman = (buffer: Buffer, from: number, to: number): string | undefined => {
  const room = (to - from) * OCTETS_PER_OCTET_MAX
  const decoded = room <= scratch.length ? scratch : Buffer.allocUnsafe(room)
  let length = 0
  let state = 0
  for (let at = from; at < to; at += 1) {
    const octet = buffer[at] ?? 0
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = STEPS[(state << 4) | ((octet >>> shift) & 0xf)] ?? FAILS
      if (step & FAILS) return undefined
      if (step & EMITS) {
        decoded[length] = (step >>> 8) & 0xff
        length += 1
      }
      state = step & 0xff
    }
  }
  return MAY_END[state] === 1 ? decoded.toString('latin1', 0, length) : undefined
}

/** RFC 7541 appendix B: how many bits the code of each octet has, and that of EOS at the end. */
const LENGTHS = Uint8Array.from([
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
])
const EOS = 256
const LENGTH_MAX = 30
const OCTETS_PER_OCTET_MAX = 2
const PADDING_BITS_MAX = 7

const CODES = ((): Uint32Array => {
  const codes = new Uint32Array(LENGTHS.length)
  let code = 0
  for (let length = 1; length <= LENGTH_MAX; length += 1) {
    code *= 2
    for (let symbol = 0; symbol < LENGTHS.length; symbol += 1) {
      if (LENGTHS[symbol] !== length) continue
      codes[symbol] = code
      code += 1
    }
  }
  return codes
})()

/** A step of the machine: the next state in the low octet, the octet to write, and these two. */
const EMITS = 1 << 16
const FAILS = 1 << 17

/** The inner nodes of the tree of codes, which are the states; `-1 - symbol` stands for a leaf. */
const NODES = ((): readonly (readonly number[])[] => {
  const nodes: number[][] = [[0, 0]]
  for (let symbol = 0; symbol < LENGTHS.length; symbol += 1) {
    let node = 0
    for (let left = (LENGTHS[symbol] ?? 0) - 1; left >= 0; left -= 1) {
      const branches = nodes[node] ?? [0, 0]
      const bit = ((CODES[symbol] ?? 0) >>> left) & 1
      if (left === 0) branches[bit] = -1 - symbol
      else if (branches[bit] === 0) branches[bit] = nodes.push([0, 0]) - 1
      node = branches[bit] ?? 0
    }
  }
  return nodes
})()

const STEPS = ((): Uint32Array => {
  const steps = new Uint32Array(NODES.length * 16)
  for (let place = 0; place < steps.length; place += 1) {
    let node = place >>> 4
    let step = 0
    for (let shift = 3; shift >= 0; shift -= 1) {
      node = NODES[node]?.[(place >>> shift) & 1] ?? 0
      if (node >= 0) continue
      const symbol = -1 - node
      step = symbol === EOS ? FAILS : EMITS | (symbol << 8)
      node = 0
      if (step === FAILS) break
    }
    steps[place] = step | node
  }
  return steps
})()

const MAY_END = ((): Uint8Array => {
  const mayEnd = new Uint8Array(NODES.length)
  let node = 0
  for (let bits = 0; bits <= PADDING_BITS_MAX; bits += 1) {
    mayEnd[node] = 1
    node = NODES[node]?.[1] ?? 0
  }
  return mayEnd
})()

const scratch = Buffer.allocUnsafeSlow(16_384)
