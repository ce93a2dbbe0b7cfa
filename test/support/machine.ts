/** What tests ask of the machine they run on: free ports, and whether a process is still there. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { problemOfPort } from '../../apps/cmd/src/up/ports.ts'

/** Below the ports that systems give to outgoing connections. */
const PORT_MIN = 20_000
const PORT_MAX = 32_000
const TRIES = 100

/** The first of so many free ports in a row on 127.0.0.1. */
export const freePorts = async (count: number): Promise<number> => {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const first = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - PORT_MIN - count))
    const problems = await Promise.all(
      Array.from({ length: count }, (_, index) =>
        problemOfPort({
          address: { host: '127.0.0.1', port: first + index },
          who: 'a test',
          setting: '',
        }),
      ),
    )
    if (problems.every((problem) => problem === undefined)) return first
  }
  throw new Error(`no ${count} free ports in a row were found`)
}

/** Whether anybody listens at the port of 127.0.0.1. */
export const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

/** False for one that has ended and that nobody has taken notice of yet, too. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    // Only Linux has /proc.
    return process.platform !== 'linux'
  }
}

/** The environment without any setting of ours, so that those of a developer do no harm. */
export const ownEnvironment = (settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('GATEHOUSE_')),
  ),
  NO_COLOR: '1',
  ...settings,
})
