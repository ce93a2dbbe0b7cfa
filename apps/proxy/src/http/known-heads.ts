/**
 * What heads were found to mean, so that one which comes again need not be read again: a client sends
 * most of its fields unchanged from request to request, and a target most of its responses. To
 * compare them is some twenty times cheaper than to read them.
 *
 * It is a memory of a pure function, keyed by the whole text, so it can change no answer. Texts get a
 * place when they come for the second time, each place has one text at a time, and both their number
 * and their length are bounded: four megabytes at most. What a head carried, a cookie say, may so stay
 * in this process's memory for longer than its request, and never leaves it.
 */

const PLACES = 1_024
const TEXT_CHARACTERS_MAX = 2_048
const SAMPLES = 16

export class KnownHeads<Meaning> {
  readonly #read: (text: string) => Meaning
  readonly #texts: string[] = Array.from({ length: PLACES }, () => '')
  readonly #meanings: (Meaning | undefined)[] = Array.from({ length: PLACES }, () => undefined)
  /** Hashes of the texts that came last. */
  readonly #seen = new Int32Array(PLACES)

  /** `read` says what a text means that was read without complaint before. */
  constructor(read: (text: string) => Meaning) {
    this.#read = read
  }

  /** What the text means; undefined when that is not known. */
  find(text: string): Meaning | undefined {
    const place = hashOf(text) & (PLACES - 1)
    return this.#texts[place] === text ? this.#meanings[place] : undefined
  }

  /** To be told of a text that was read without complaint. */
  notice(text: string): void {
    const hash = hashOf(text)
    const place = hash & (PLACES - 1)
    if (this.#seen[place] === hash && text.length <= TEXT_CHARACTERS_MAX) {
      const copy = owned(text)
      this.#texts[place] = copy
      this.#meanings[place] = this.#read(copy)
    }
    this.#seen[place] = hash
  }
}

/** Of a sample of the text: it only has to spread, because the whole text is compared. */
const hashOf = (text: string): number => {
  const { length } = text
  const step = Math.floor(length / SAMPLES) + 1
  let hash = length
  for (let at = length - 1; at >= 0; at -= step) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0
  }
  return hash
}

/** A copy of its own: a slice would keep alive everything that was read with it. */
const owned = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
