/** What waits to be written, in order, to go out in one piece. Its bytes are its own. */
export class WriteQueue {
  #parts: (string | Buffer)[] = []
  bytes = 0

  get empty(): boolean {
    return this.#parts.length === 0
  }

  /** Latin-1 text, or bytes that nobody will change. */
  add(part: string | Buffer): void {
    if (part.length === 0) return
    this.#parts.push(part)
    this.bytes += part.length
  }

  /** All of it; undefined for nothing. */
  take(): string | Buffer | undefined {
    const parts = this.#parts
    const [first] = parts
    if (first === undefined) return undefined
    this.clear()
    if (parts.length === 1) return first
    if (parts.every((part) => typeof part === 'string')) return parts.join('')
    return Buffer.concat(
      parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
    )
  }

  clear(): void {
    this.#parts = []
    this.bytes = 0
  }
}
