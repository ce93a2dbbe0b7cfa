/**
 * The load generator: a process of its own, so that what it needs is not taken from whoever measures. It
 * is told what to do over the channel that it was started with, and answers everything with its books.
 */
import { createBook, createJudge, type Book } from './book.ts'
import type { Driver } from './driver.ts'
import type { Books, LoadPlan, ToLoad } from './plan.ts'
import { driveRequests } from './requests.ts'
import { driveSockets } from './sockets.ts'
import { driveStreams } from './streams.ts'

const judge = createJudge()
const books = new Map<string, Book>()
let drivers: readonly Driver[] = []

const bookOf = (name: string): Book => {
  const book = books.get(name) ?? createBook(judge)
  books.set(name, book)
  return book
}

const drive = (plan: LoadPlan): Driver => {
  const parts = { judge, book: bookOf(plan.book) }
  parts.book.begin()
  switch (plan.kind) {
    case 'requests':
      return driveRequests(plan, parts)
    case 'sockets':
      return driveSockets(plan, parts)
    case 'streams':
      return driveStreams(plan, parts)
  }
}

const stop = async (): Promise<void> => {
  // What comes while the last answers are awaited is counted; the time that it takes is not.
  for (const book of books.values()) book.end()
  await Promise.all(drivers.map((driver) => driver.stop()))
  drivers = []
}

const reports = (): Books =>
  Object.fromEntries([...books].map(([name, book]) => [name, book.report()]))

const follow = async (message: ToLoad): Promise<void> => {
  switch (message.type) {
    case 'start':
      drivers = [...drivers, ...message.plans.map(drive)]
      return
    case 'expect':
      return judge.expect(message.answers)
    case 'report':
      return
    case 'stop':
      return stop()
    case 'forget':
      return books.clear()
  }
}

process.on('message', (message: ToLoad) => {
  void follow(message).then(() => process.send?.(reports()))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
