/**
 * How the programs end that measure for a person at a terminal: what they say on the way, the exit code,
 * and Ctrl-C, which gives up what is measured and ends everything that was started.
 */

export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
export const EXIT_INTERRUPTED = 130

/** To standard error: standard output is for what was measured. */
export const say = (sentence: string): void => {
  process.stderr.write(`${sentence}\n`)
}

/** Runs a program with its arguments, and ends the process with the exit code that it returns. */
export const endWith = async (
  main: (args: readonly string[]) => Promise<number>,
): Promise<never> => {
  let code = EXIT_FAILED
  try {
    code = await main(process.argv.slice(2))
  } catch (error) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  // What was interrupted may still wait for processes that are gone.
  process.exit(code)
}

export interface Interruption {
  /** The work's answer, or `interrupted` when a signal came first. */
  readonly race: <Answer>(work: Promise<Answer>) => Promise<Answer | 'interrupted'>
}

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
