/**
 * A port of 127.0.0.1 that nobody listens at, below those that the system gives to outgoing connections: one
 * of them would be taken by the next best request of another test before it is used.
 */
import { createServer } from 'node:net'

const PORT_MIN = 15_000
/** Linux gives out ports from 32768 on, others from 49152. */
const PORT_MAX = 32_000
const TRIES_MAX = 100

export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN))
    if (await isFree(port)) return port
  }
  throw new Error('No free port was found.')
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
