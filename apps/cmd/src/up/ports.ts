/** Whether a port can be had, asked before anything is started that would need it. */
import { createServer } from 'node:net'
import { sayAddress, type Address } from './settings.ts'

export interface WantedPort {
  readonly address: Address
  /** Who listens there, as `the proxies`. */
  readonly who: string
  readonly setting: string
}

/** Undefined when the port is free; else one sentence: which port, who wants it, what to change. */
export const problemOfPort = async ({
  address,
  who,
  setting,
}: WantedPort): Promise<string | undefined> => {
  const code = await tryPort(address)
  if (code === undefined) return undefined
  const other = sayAddress({
    ...address,
    port: address.port < 65_000 ? address.port + 1_000 : 8_081,
  })
  const remedy = `set ${setting}, for example ${setting}=${other}`
  const wish = `${who} listen on ${sayAddress(address)}`
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${address.port} is taken by another program, but ${wish}: ${remedy}`
    case 'EACCES':
      return `Port ${address.port} may not be opened by this user, but ${wish}: ${remedy}`
    default:
      return `${sayAddress(address)} cannot be listened on (${code}), but ${wish}: ${remedy}`
  }
}

/** The port itself when it is free, else some other free port of the same address. */
export const freePort = async ({ host, port }: Address): Promise<number> => {
  if ((await tryPort({ host, port })) === undefined) return port
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port: 0, exclusive: true }, resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error(`no port is free on ${host}`)
  return address.port
}

/** The error code of listening there, or undefined. */
const tryPort = ({ host, port }: Address): Promise<string | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
