/**
 * One question to a Redis server on a Unix socket, without a client: enough to learn whether a
 * server is there before anything is connected to it, and to ask it to leave.
 */
import { createConnection } from 'node:net'

const answerWithinMs = 2_000
const lineBytesMax = 4_096

/**
 * `answer`: the first line of the reply, such as `+PONG` or `-LOADING …`.
 * `absent`: nobody listens on the socket. `silent`: somebody does, but did not answer in time.
 * `closed`: the connection ended without a reply, as it does after SHUTDOWN.
 */
export type RedisAnswer =
  | { readonly kind: 'answer'; readonly line: string }
  | { readonly kind: 'absent' | 'silent' | 'closed' }

/** Asks once, waiting at most two seconds. Never throws. */
export function askRedis(socketPath: string, command: 'PING' | 'SHUTDOWN'): Promise<RedisAnswer> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath)
    let connected = false
    let reply = ''
    const settle = (answer: RedisAnswer): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.setEncoding('latin1')
    socket.setTimeout(answerWithinMs, () => settle({ kind: 'silent' }))
    socket.on('connect', () => {
      connected = true
      socket.write(`${command}\r\n`)
    })
    socket.on('data', (text: string) => {
      reply += text
      const end = reply.indexOf('\r\n')
      if (end >= 0) settle({ kind: 'answer', line: reply.slice(0, end) })
      else if (reply.length > lineBytesMax) settle({ kind: 'silent' })
    })
    socket.on('error', () => settle({ kind: connected ? 'closed' : 'absent' }))
    socket.on('close', () => settle({ kind: 'closed' }))
  })
}
