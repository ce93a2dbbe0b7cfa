/** HAProxy with one thread: as it comes, and tuned for large bodies. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../support/free-port.ts'
import { IDLE_SECONDS_MAX, KEPT_CONNECTIONS_MAX, type Contender, type Site } from '../contender.ts'

/** Larger buffers take memory for every connection, so fewer may come. */
const TUNED = {
  global: 'tune.bufsize 65536',
  defaults: 'option splice-auto',
  connectionsMax: 2_000,
}
/** For listeners, checks and the like. */
const SPARE_FILES = 256

export const haproxy = (tuning: 'plain' | 'tuned'): Contender => ({
  start: async (site) => {
    const tool = await site.lab.tool('haproxy')
    if ('missing' in tool) return tool
    const path = join(await site.lab.folder(), 'haproxy.cfg')
    const port = await freePort()
    await writeFile(path, configuration(port, site, tuning))
    const command = [...site.pinning.proxy, tool.path, '-db', '-f', path]
    return { process: site.lab.processes.launch(command, tool.env), port, version: tool.version }
  },
})

const configuration = (
  port: number,
  { backendPort, backendSpeaksHttp2, openFilesMax }: Site,
  tuning: 'plain' | 'tuned',
): string => {
  const plain = {
    global: '',
    defaults: '',
    connectionsMax: Math.floor((openFilesMax - SPARE_FILES) / 2),
  }
  const { global, defaults, connectionsMax } = tuning === 'tuned' ? TUNED : plain
  return `
global
  nbthread 1
  maxconn ${connectionsMax}
  fd-hard-limit ${openFilesMax}
  ${global}
defaults
  mode http
  timeout client ${IDLE_SECONDS_MAX}s
  timeout server ${IDLE_SECONDS_MAX}s
  timeout connect 5s
  timeout tunnel 3600s
  http-reuse always
  option forwardfor
  ${defaults}
frontend bench
  bind 127.0.0.1:${port} backlog 4096
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend bench
backend bench
  server backend 127.0.0.1:${backendPort} pool-max-conn ${KEPT_CONNECTIONS_MAX}${backendSpeaksHttp2 ? ' proto h2' : ''}
`
}
