/** The load generator, from the side of those who tell it what to do. */
import type { Processes } from '../processes.ts'
import type { BookReport, Books, LoadPlan, ToLoad } from './load/plan.ts'

export interface Generator {
  readonly start: (...plans: readonly LoadPlan[]) => Promise<void>
  /**
   * From now on releases with these labels may answer, and `statuses` besides, and no others. When it
   * returns, a question that is asked later is judged by them alone.
   */
  readonly expect: (labels: readonly string[], statuses?: readonly string[]) => Promise<void>
  readonly books: () => Promise<Books>
  /** Lets every open question be answered, ends all plans, and answers with the books. */
  readonly stop: () => Promise<Books>
  /** New books. */
  readonly forget: () => Promise<void>
}

export const startGenerator = async (processes: Processes): Promise<Generator> => {
  const talk = processes.talkTo('../scenarios/load/main.ts', {})
  await talk.first
  // It answers one question after the other, and with nothing but its books.
  const tell = async (message: ToLoad): Promise<Books> => (await talk.ask(message)) as Books
  return {
    start: async (...plans) => void (await tell({ type: 'start', plans })),
    expect: async (labels, statuses = []) => {
      const answers = labels.flatMap((label) => [`200 ${label}`, `101 ${label}`])
      await tell({ type: 'expect', answers: [...answers, 'echo', ...statuses] })
    },
    books: () => tell({ type: 'report' }),
    stop: () => tell({ type: 'stop' }),
    forget: async () => void (await tell({ type: 'forget' })),
  }
}

/** One of the books. Throws when there is none of that name. */
export const bookIn = (books: Books, name: string): BookReport => {
  const book = books[name]
  if (book === undefined) throw new Error(`there is no book ${name}`)
  return book
}
