/**
 * One `up` at a time for a data folder. Whoever runs holds a socket; asking it tells a live holder
 * from one that was killed, which a file with a process id cannot.
 */
import { mkdir, rm } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { redisSocketPath } from './redis-server.ts'

/** What the holder tells those who ask. */
export interface Holder {
  readonly pid: number
  readonly address: string
}

export type Turn =
  | { readonly kind: 'taken'; readonly release: () => Promise<void> }
  | { readonly kind: 'held'; readonly holder: Holder | undefined }

const ANSWER_WITHIN_MS = 2_000
const ANSWER_BYTES_MAX = 4_096
const TRIES = 3

/** The socket for a data folder: in the short private folder that Redis' own socket lies in. */
export const turnSocket = async (dataDir: string): Promise<string> => {
  const folder = dirname(redisSocketPath(dataDir))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return join(folder, 'up.sock')
}

/**
 * Takes the turn, or says who has it. Throws when the socket cannot be made at all. Who asks is told
 * about `own` in one line, and is then in the hands of `serve`.
 */
export const takeTurn = async (
  socketPath: string,
  own: Holder,
  serve: (socket: Socket) => void,
): Promise<Turn> => {
  for (let attempt = 1; ; attempt += 1) {
    const server = await hold(socketPath, own, serve)
    if (server !== undefined) {
      return {
        kind: 'taken',
        release: () => new Promise((resolve) => server.close(() => resolve())),
      }
    }
    const asked = await ask(socketPath)
    if (asked !== 'nobody' || attempt === TRIES) {
      return { kind: 'held', holder: asked === 'nobody' ? undefined : asked }
    }
    // The holder was killed and could not take its socket away.
    await rm(socketPath, { force: true })
  }
}

const hold = (
  socketPath: string,
  own: Holder,
  serve: (socket: Socket) => void,
): Promise<Server | undefined> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy())
      socket.write(`${JSON.stringify(own)}\n`)
      serve(socket)
    })
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(new Error(`the socket ${socketPath} cannot be made: ${error.message}`))
    })
    server.listen(socketPath, () => {
      server.unref()
      resolve(server)
    })
  })

const ask = (socketPath: string): Promise<Holder | 'nobody' | undefined> =>
  new Promise((resolve) => {
    const socket = createConnection(socketPath)
    let text = ''
    const settle = (answer: Holder | 'nobody' | undefined): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setEncoding('utf8')
    socket.setTimeout(ANSWER_WITHIN_MS, () => settle(undefined))
    socket.on('data', (part: string) => {
      text += part
      if (text.includes('\n') || text.length > ANSWER_BYTES_MAX) settle(holderIn(text))
    })
    socket.on('error', () => settle(text === '' ? 'nobody' : undefined))
    socket.on('end', () => settle(holderIn(text)))
  })

const holderIn = (text: string): Holder | undefined => {
  try {
    const holder: unknown = JSON.parse(text)
    return typeof holder === 'object' &&
      holder !== null &&
      'pid' in holder &&
      typeof holder.pid === 'number' &&
      'address' in holder &&
      typeof holder.address === 'string'
      ? { pid: holder.pid, address: holder.address }
      : undefined
  } catch {
    return undefined
  }
}
