/**
 * Proxies of the npm registry, in the Node that runs Gatehouse. They are installed into the cache, with
 * a package.json of their own, so that ours stays free of them.
 */
import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../../support/free-port.ts'
import type { NodePeerTask } from '../../programs/node-peer.ts'
import { IDLE_SECONDS_MAX, KEPT_CONNECTIONS_MAX, type Contender } from '../contender.ts'
import type { Missing } from '../tools.ts'

export type NodePeer = keyof typeof VERSIONS

const VERSIONS = {
  'http-proxy-3': '1.23.3',
  '@fastify/http-proxy': '11.6.3',
  httpxy: '0.5.6',
} as const
/** What @fastify/http-proxy is a plug-in of. */
const FASTIFY = '5.12.8'
const INSTALL_MS_MAX = 180_000
const run = promisify(execFile)
/** Tried once in a run, also when it fails: that takes npm a while. */
let installing: ReturnType<typeof install> | undefined

export const nodePeer = (peer: NodePeer): Contender => ({
  start: async ({ lab, pinning, backendPort }) => {
    const installed = await (installing ??= install(join(lab.cacheDir, 'peers'), lab.say))
    if ('missing' in installed) return installed
    const port = await freePort()
    const task: NodePeerTask = {
      peer,
      folder: installed.folder,
      port,
      backendPort,
      keptConnectionsMax: KEPT_CONNECTIONS_MAX,
      idleMs: IDLE_SECONDS_MAX * 1_000,
    }
    const process = lab.processes.talkTo('node-peer.ts', task, pinning.proxy)
    await process.first
    return { process, port, version: VERSIONS[peer] }
  },
})

/** Later runs find what the first has left. */
const install = async (
  folder: string,
  say: (sentence: string) => void,
): Promise<{ readonly folder: string } | Missing> => {
  const manifest = `${JSON.stringify({ private: true, dependencies: { ...VERSIONS, fastify: FASTIFY } })}\n`
  // Written last, so that one that was broken off is begun again.
  const mark = join(folder, 'installed.json')
  if ((await readFile(mark, 'utf8').catch(() => '')) === manifest) return { folder }
  say('Installing the Node peers into the cache (once, some seconds) …')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), manifest)
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  try {
    await run('npm', args, { cwd: folder, timeout: INSTALL_MS_MAX })
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : ''
    return { missing: `The Node peers could not be installed from the npm registry: ${reason}` }
  }
  await writeFile(mark, manifest)
  return { folder }
}
