/** Connections that were used once and then do nothing, for as long as this process lives. */
import { connect } from 'node:net'

export interface IdleConnectionsTask {
  readonly port: number
  /** What each sends first. */
  readonly request: string
  /** How the answer begins when all is well. */
  readonly answer: string
}

/** Opens so many more, and answers with `Opened` once all of them have been used. */
export interface OpenMore {
  readonly connections: number
}

export interface Opened {
  /** Of all connections so far. */
  readonly errors: number
}

/** Opened at the same time: more would only wait in the kernel. */
const AT_ONCE = 100

// Written by `Processes.talkTo`.
const task = JSON.parse(process.argv[2] ?? '') as IdleConnectionsTask
let errors = 0

const use = (): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: task.port, noDelay: true })
    socket.write(task.request)
    socket.once('data', (chunk: Buffer) => {
      if (!chunk.toString('latin1').startsWith(task.answer)) errors += 1
      resolve()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      errors += 1
      resolve()
    })
  })

const open = async ({ connections }: OpenMore): Promise<void> => {
  for (let opened = 0; opened < connections; opened += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, connections - opened) }, use))
  }
  const answer: Opened = { errors }
  process.send?.(answer)
}

process.on('message', (asked: OpenMore) => void open(asked))
process.on('disconnect', () => process.exit())
process.send?.('ready')
