/**
 * What all contenders proxy to: nginx for small answers and files, which costs the least there is, and a
 * program of our own where request bodies have to be read or WebSocket messages echoed.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.ts'
import type { Process } from '../processes.ts'
import type { EchoBackendTask } from '../programs/echo-backend.ts'
import type { Site } from './contender.ts'
import type { Missing } from './tools.ts'
import { nginxCommand, nginxConfiguration } from './contenders/nginx.ts'

/** `files-http2` answers the same, and wants to be asked in HTTP/2. */
export type BackendName = 'files' | 'files-http2' | 'echo'

export interface Backend {
  readonly port: number
  /** Where it is asked in HTTP/1.1 whether it is ready, when it does not speak that on its port. */
  readonly readyPort?: number
  readonly speaksHttp2: boolean
  readonly process: Process
}

type BackendSite = Pick<Site, 'lab' | 'pinning' | 'openFilesMax'>

/** What `files` answers, by path, in bytes. */
export const FILES = { '/100': 100, '/1k': 1_024, '/64k': 65_536, '/1m': 1_048_576 } as const

/** Or says in a sentence why there is none. */
export const startBackend = (name: BackendName, site: BackendSite): Promise<Backend | Missing> => {
  switch (name) {
    case 'files':
      return startFiles(site, false)
    case 'files-http2':
      return startFiles(site, true)
    case 'echo':
      return startEcho(site)
  }
}

/** Answers up to this size stand in the configuration; larger ones are files, which the kernel sends. */
const INLINE_BYTES_MAX = 1_024
/** Of one connection: with HTTP/2 one has them all. */
const REQUESTS_MAX = 1_000_000_000

const startFiles = async (
  { lab, pinning, openFilesMax }: BackendSite,
  speaksHttp2: boolean,
): Promise<Backend | Missing> => {
  const nginx = await lab.tool('nginx')
  if ('missing' in nginx)
    return { missing: `${nginx.missing} It is also the backend of all others.` }
  const folder = await lab.folder()
  const files = join(folder, 'files')
  await mkdir(files)
  for (const [path, bytes] of Object.entries(FILES)) {
    await writeFile(join(files, path), 'x'.repeat(bytes))
  }
  const inline = Object.entries(FILES)
    .filter(([, bytes]) => bytes <= INLINE_BYTES_MAX)
    .map(([path, bytes]) => `location = ${path} { return 200 "${'x'.repeat(bytes)}"; }`)
  const port = await freePort()
  // Before 1.25 a port without TLS speaks either HTTP/1 or HTTP/2.
  const readyPort = speaksHttp2 ? await freePort() : port
  const server = `
  sendfile on;
  open_file_cache max=16;
  server {
    listen 127.0.0.1:${port} ${speaksHttp2 ? 'http2 ' : ''}backlog=4096;
    ${speaksHttp2 ? `listen 127.0.0.1:${readyPort};\n    keepalive_requests ${REQUESTS_MAX};` : ''}
    root ${files};
    ${inline.join('\n    ')}
  }`
  const path = join(folder, 'nginx.conf')
  await writeFile(path, nginxConfiguration(folder, openFilesMax, server))
  const command = [...pinning.load, ...nginxCommand(nginx.path, folder, path)]
  const process = lab.processes.launch(command, nginx.env)
  return { port, readyPort, speaksHttp2, process }
}

const startEcho = async ({ lab, pinning }: BackendSite): Promise<Backend> => {
  const port = await freePort()
  const task: EchoBackendTask = { port }
  const process = lab.processes.talkTo('echo-backend.ts', task, pinning.load)
  await process.first
  return { port, speaksHttp2: false, process }
}
