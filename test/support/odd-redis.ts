/** Servers that answer as Redis does and are of no use as a log. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedisServer } from '../../apps/cmd/src/up/redis-server.ts'
import { eventually } from './eventually.ts'
import { freePorts } from './machine.ts'
import { ROOT, startProcess } from './process.ts'

export interface OddRedis extends AsyncDisposable {
  readonly url: string
}

const OLD_VERSION = '6.2.14'
const START_MS_MAX = 10_000

/** Says that it is older than what the log needs, and knows no other command. */
export const startOldRedis = async (): Promise<OddRedis> => {
  const info = `# Server\r\nredis_version:${OLD_VERSION}\r\nrole:master\r\nloading:0\r\n`
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      // A command is a list of strings with their lengths; the first one is its name.
      for (const [, name = ''] of bytes.toString('latin1').matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        if (name.toLowerCase() === 'info') socket.write(`$${info.length}\r\n${info}\r\n`)
        else socket.write(`-ERR unknown command '${name}'\r\n`)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

/** A real server that follows another one, and takes no writes. */
export const startReplica = async (primaryUrl: string): Promise<OddRedis> => {
  const cacheDir = join(ROOT, '.gatehouse', 'cache')
  const binary = await findRedisServer({ cacheDir, environment: process.env })
  if ('missing' in binary) throw new Error(binary.missing)
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-replica-'))
  const port = await freePorts(1)
  const { hostname, port: primaryPort } = new URL(primaryUrl)
  const replicaof = ['--replicaof', hostname, primaryPort]
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const server = startProcess(binary.path, [...args, ...replicaof], binary.env)
  await eventually(
    'the replica follows',
    () => server.output().includes('sync: Finished with success'),
    START_MS_MAX,
  )
  return {
    url: `redis://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
