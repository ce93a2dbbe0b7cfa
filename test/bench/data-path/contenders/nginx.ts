/** nginx with one worker: as a proxy, as it comes, tuned for large bodies, and with HTTP/2 in front. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../support/free-port.ts'
import { IDLE_SECONDS_MAX, KEPT_CONNECTIONS_MAX, type Contender, type Site } from '../contender.ts'

/** Buffers that hold what one read of a large body gives. */
const TUNED_BUFFERS = 'proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_busy_buffers_size 128k;'

export const nginx = (tuning: 'plain' | 'tuned' | 'http2'): Contender => ({
  start: async (site) => {
    const tool = await site.lab.tool('nginx')
    if ('missing' in tool) return tool
    const folder = await site.lab.folder()
    const port = await freePort()
    const path = join(folder, 'nginx.conf')
    // Before 1.25 a port without TLS speaks either HTTP/1 or HTTP/2.
    const readyPort = tuning === 'http2' ? await freePort() : port
    const listen =
      tuning === 'http2'
        ? [`127.0.0.1:${port} http2 backlog=4096`, `127.0.0.1:${readyPort}`]
        : [`127.0.0.1:${port} backlog=4096`]
    const buffers = tuning === 'tuned' ? TUNED_BUFFERS : ''
    const server = proxyServer(listen, site.backendPort, buffers)
    await writeFile(path, nginxConfiguration(folder, site.openFilesMax, server))
    const command = nginxCommand(tool.path, folder, path)
    const process = site.lab.processes.launch([...site.pinning.proxy, ...command], tool.env)
    return { process, port, readyPort, version: tool.version }
  },
})

/** In the foreground, and without a look at where the machine's own nginx keeps its files. */
export const nginxCommand = (program: string, folder: string, path: string): readonly string[] => [
  program,
  '-e',
  'stderr',
  '-p',
  folder,
  '-c',
  path,
]

/** One worker, no access log, connections kept for as long as anybody uses them. */
export const nginxConfiguration = (
  folder: string,
  openFilesMax: Site['openFilesMax'],
  servers: string,
): string => `
daemon off;
worker_processes 1;
worker_rlimit_nofile ${openFilesMax};
error_log stderr error;
pid ${folder}/nginx.pid;
${userDirective()}
events { worker_connections ${openFilesMax - SPARE_FILES}; }
http {
  access_log off;
  server_tokens off;
  tcp_nodelay on;
  keepalive_timeout ${IDLE_SECONDS_MAX}s;
  keepalive_requests ${REQUESTS_MAX};
  client_body_buffer_size 64k;
  default_type text/plain;
  ${TEMPORARY.map((what) => `${what}_temp_path ${folder}/${what};`).join(' ')}
  ${servers}
}
`

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
const REQUESTS_MAX = 1_000_000_000
/** For listeners, logs and the like. */
const SPARE_FILES = 64

/** As root, nginx would give its worker to a user who may not read our folders. */
const userDirective = (): string => (process.getuid?.() === 0 ? 'user root root;' : '')

const proxyServer = (listen: readonly string[], backendPort: number, more: string): string => `
  upstream backend {
    server 127.0.0.1:${backendPort};
    keepalive ${KEPT_CONNECTIONS_MAX};
    keepalive_requests ${REQUESTS_MAX};
    keepalive_timeout ${IDLE_SECONDS_MAX}s;
  }
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server {
    ${listen.map((where) => `listen ${where};`).join(' ')}
    location / {
      proxy_pass http://backend;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $host;
      proxy_read_timeout 3600s;
      ${more}
    }
  }`
