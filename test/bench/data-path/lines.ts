/** All lines of the data path, in the order of the report. */
import type { Measurement } from '../measurement.ts'
import type { ContenderName } from './contenders.ts'
import { GET_ONCE, idleMeasurementOf, UPGRADE_ONCE, type IdleLine } from './idle-line.ts'
import { amount, measurementOf, ratio, type Line } from './line.ts'
import { http2, paced } from './loads/h2load.ts'
import { webSocketEcho } from './loads/websocket.ts'
import { wrk } from './loads/wrk.ts'

/** As a browser sends them: with the request line about 700 bytes. */
const BROWSER_HEADERS = {
  'User-Agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  Accept:
    'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Accept-Language': 'en-US,en;q=0.9,de;q=0.8',
  'Cache-Control': 'no-cache',
  Cookie:
    'sid=8f14e45fceea167a5a36dedd4bea2543; _ga=GA1.1.1234567890.1700000000; theme=dark; tz=Europe%2FBerlin',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Site': 'same-origin',
  Referer: 'https://bench.example/dashboard/projects?sort=recent',
}

const SERVERS: readonly ContenderName[] = [
  'gatehouse',
  'gatehouse-net',
  'nginx',
  'haproxy',
  'caddy',
]

const HTTP2_SERVERS: readonly ContenderName[] = [
  'gatehouse',
  'gatehouse-net',
  'nginx-http2',
  'haproxy',
  'caddy',
]

const LINES: readonly Line[] = [
  {
    name: 'small-get',
    title: 'GET 100 B on 64 connections',
    backend: 'files',
    load: wrk({ path: '/100', connections: 64 }),
    contenders: [...SERVERS, 'http-proxy-3', 'fastify-http-proxy', 'httpxy'],
    compares: 'requests',
    direct: true,
    figures: {
      'small-get-nginx': ratio('gatehouse', 'nginx'),
      'small-get-haproxy': ratio('gatehouse', 'haproxy'),
      'small-get-caddy': ratio('gatehouse', 'caddy'),
      'small-get-http-proxy-3': ratio('gatehouse', 'http-proxy-3'),
      'small-get-net-nginx': ratio('gatehouse-net', 'nginx'),
      'small-get-net-caddy': ratio('gatehouse-net', 'caddy'),
      'small-get-direct': ratio('gatehouse', 'direct', 'perSecond'),
      'memory-load': amount('gatehouse', ({ samples }) => samples.map(({ pssMb }) => pssMb)),
    },
  },
  {
    name: 'browser-get',
    title: 'GET 1 KB with the head of a browser on 64 connections',
    backend: 'files',
    load: wrk({ path: '/1k', connections: 64, headers: BROWSER_HEADERS }),
    contenders: SERVERS,
    compares: 'requests',
    figures: {
      'browser-get-nginx': ratio('gatehouse', 'nginx'),
      'browser-get-caddy': ratio('gatehouse', 'caddy'),
    },
  },
  {
    name: 'post',
    title: 'POST 10 KB on 64 connections',
    backend: 'echo',
    load: wrk({
      path: '/',
      connections: 64,
      postBytes: 10_240,
      headers: { 'Content-Type': 'application/octet-stream' },
    }),
    contenders: SERVERS,
    compares: 'requests',
    figures: {
      'post-nginx': ratio('gatehouse', 'nginx'),
      'post-caddy': ratio('gatehouse', 'caddy'),
    },
  },
  {
    name: 'get-64k',
    title: 'GET 64 KB on 64 connections',
    backend: 'files',
    load: wrk({ path: '/64k', connections: 64 }),
    contenders: [...SERVERS, 'nginx-tuned', 'haproxy-tuned'],
    compares: 'requests',
    figures: {
      'get-64k-nginx': ratio('gatehouse', 'nginx-tuned'),
      'get-64k-haproxy': ratio('gatehouse', 'haproxy'),
    },
  },
  {
    name: 'get-1m',
    title: 'GET 1 MB on 64 connections',
    backend: 'files',
    load: wrk({ path: '/1m', connections: 64 }),
    contenders: [...SERVERS, 'nginx-tuned', 'haproxy-tuned'],
    compares: 'requests',
    figures: {
      'get-1m-nginx': ratio('gatehouse', 'nginx-tuned'),
      'get-1m-caddy': ratio('gatehouse', 'caddy'),
    },
  },
  {
    name: 'connect',
    title: 'GET 1 KB on a new connection each, 64 at once',
    backend: 'files',
    load: wrk({ path: '/1k', connections: 64, headers: { Connection: 'close' } }),
    contenders: SERVERS,
    compares: 'requests',
    figures: {
      'connect-nginx': ratio('gatehouse', 'nginx'),
      'connect-caddy': ratio('gatehouse', 'caddy'),
    },
  },
  {
    name: 'paced',
    title: 'GET 1 KB at 10 000 requests/s on 32 connections',
    backend: 'files',
    load: paced({ path: '/1k', connections: 32, requestsPerSecond: 10_000 }),
    contenders: SERVERS,
    compares: 'p99',
    figures: {
      'paced-nginx': ratio('gatehouse', 'nginx', 'p99Ms'),
      'paced-haproxy': ratio('gatehouse', 'haproxy', 'p99Ms'),
    },
  },
  {
    name: 'thousand',
    title: 'GET 1 KB on 1 000 connections',
    backend: 'files',
    load: wrk({ path: '/1k', connections: 1_000 }),
    contenders: SERVERS,
    compares: 'requests',
    figures: {
      'thousand-nginx': ratio('gatehouse', 'nginx'),
      'thousand-haproxy': ratio('gatehouse', 'haproxy'),
    },
  },
  {
    name: 'http2',
    title: 'HTTP/2: GET 1 KB on 16 connections with 8 streams',
    backend: 'files',
    load: http2({ path: '/1k', connections: 16, streams: 8 }),
    contenders: HTTP2_SERVERS,
    compares: 'requests',
    figures: {
      'http2-nginx': ratio('gatehouse', 'nginx-http2'),
      'http2-haproxy': ratio('gatehouse', 'haproxy'),
      'http2-caddy': ratio('gatehouse', 'caddy'),
    },
  },
  {
    name: 'http2-one-stream',
    title: 'HTTP/2: GET 100 B on 64 connections with one stream',
    backend: 'files',
    load: http2({ path: '/100', connections: 64, streams: 1 }),
    contenders: HTTP2_SERVERS,
    compares: 'requests',
    figures: {
      'http2-one-stream-nginx': ratio('gatehouse', 'nginx-http2'),
      'http2-one-stream-caddy': ratio('gatehouse', 'caddy'),
    },
  },
  {
    name: 'http2-target',
    title: 'GET 1 KB on 64 connections, from a target of HTTP/2',
    backend: 'files-http2',
    load: wrk({ path: '/1k', connections: 64 }),
    // nginx speaks no HTTP/2 to targets but for gRPC.
    contenders: ['gatehouse', 'gatehouse-net', 'haproxy', 'caddy'],
    compares: 'requests',
    figures: {
      'http2-target-haproxy': ratio('gatehouse', 'haproxy'),
      'http2-target-caddy': ratio('gatehouse', 'caddy'),
    },
  },
  {
    name: 'websocket',
    title: 'WebSocket echo of 32 B on 64 connections',
    backend: 'echo',
    load: webSocketEcho({ connections: 64, payloadBytes: 32 }),
    contenders: [...SERVERS, 'http-proxy-3'],
    compares: 'messages',
    figures: {
      'websocket-nginx': ratio('gatehouse', 'nginx'),
      'websocket-haproxy': ratio('gatehouse', 'haproxy'),
    },
  },
]

const IDLE_LINES: readonly IdleLine[] = [
  {
    name: 'idle-websocket',
    title: 'Memory of an idle WebSocket, both sides',
    backend: 'echo',
    ...UPGRADE_ONCE,
    contenders: [...SERVERS, 'http-proxy-3'],
    figure: 'idle-websocket',
  },
  {
    name: 'idle-http',
    title: 'Memory of an idle HTTP/1.1 connection',
    backend: 'files',
    ...GET_ONCE,
    contenders: [...SERVERS, 'http-proxy-3'],
    figure: 'idle-http',
    figureAtRest: 'memory-idle',
  },
]

const onLinuxOnly = (measurement: Measurement): Measurement =>
  process.platform === 'linux'
    ? measurement
    : {
        ...measurement,
        measure: () =>
          Promise.resolve({
            samples: {},
            notes: [
              'The data path is not measured: only Linux says what processes have taken, and pins them.',
            ],
          }),
      }

export const DATA_PATH: readonly Measurement[] = [
  ...LINES.map(measurementOf),
  ...IDLE_LINES.map(idleMeasurementOf),
].map(onLinuxOnly)
