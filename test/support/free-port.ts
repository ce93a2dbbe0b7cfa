/**
 * A port of 127.0.0.1 that nobody listens at. It lies below those that the system gives to outgoing connections,
 * or else the next best request of another test would take it before it is used; each process of the test run
 * has a range of its own, and gives none away twice.
 */
import { createServer } from 'node:net'

const PORT_MIN = 15_000
/** Linux gives out ports from 32768 on, others from 49152. */
const PORTS_PER_PROCESS = 1_000
const RANGES = 17

const first = PORT_MIN + (process.pid % RANGES) * PORTS_PER_PROCESS
let given = Math.floor(Math.random() * PORTS_PER_PROCESS)

export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < PORTS_PER_PROCESS; tries++) {
    given = (given + 1) % PORTS_PER_PROCESS
    const port = first + given
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
