/** Ctrl-C while something is measured: it is given up, and everything that was started is ended. */

export interface Interruption {
  /** The work's answer, or `interrupted` when a signal came first. */
  readonly race: <Answer>(work: Promise<Answer>) => Promise<Answer | 'interrupted'>
}

export const EXIT_INTERRUPTED = 130

/** From now on a signal only interrupts. A second one ends the process at once. */
export const awaitInterruption = (): Interruption => {
  const interrupted = Promise.withResolvers<'interrupted'>()
  let before = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (before) process.exit(EXIT_INTERRUPTED)
      before = true
      interrupted.resolve('interrupted')
    })
  }
  return {
    race: (work) => {
      // After an interruption its processes are gone, and nobody wants to know what it makes of that.
      work.catch(() => undefined)
      return Promise.race([work, interrupted.promise])
    },
  }
}
