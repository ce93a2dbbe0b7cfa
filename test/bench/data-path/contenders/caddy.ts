/** Caddy on one processor. It sets the X-Forwarded fields by itself. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../support/free-port.ts'
import { IDLE_SECONDS_MAX, KEPT_CONNECTIONS_MAX, type Contender, type Site } from '../contender.ts'

export const caddy: Contender = {
  start: async (site) => {
    const tool = await site.lab.tool('caddy')
    if ('missing' in tool) return tool
    const folder = await site.lab.folder()
    const path = join(folder, 'Caddyfile')
    const port = await freePort()
    await writeFile(path, configuration(port, site))
    const run = [tool.path, 'run', '--config', path, '--adapter', 'caddyfile']
    const env = { ...tool.env, GOMAXPROCS: '1', HOME: folder }
    const process = site.lab.processes.launch([...site.pinning.proxy, ...run], env)
    return { process, port, version: tool.version }
  },
}

const configuration = (port: number, { backendPort, backendSpeaksHttp2 }: Site): string => `
{
  admin off
  auto_https off
  servers {
    protocols h1 h2c
  }
}
http://:${port} {
  bind 127.0.0.1
  reverse_proxy ${backendSpeaksHttp2 ? 'h2c://' : ''}127.0.0.1:${backendPort} {
    transport http {
      ${backendSpeaksHttp2 ? 'versions h2c 2' : ''}
      keepalive ${IDLE_SECONDS_MAX}s
      keepalive_idle_conns_per_host ${KEPT_CONNECTIONS_MAX}
      compression off
    }
  }
}
`
