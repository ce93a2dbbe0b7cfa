/** All lines of the data path, in the order of the report. */
import type { Measurement } from '../measurement.ts'
import { amount, measurementOf, ratio, type Line } from './line.ts'
import { wrk } from './loads/wrk.ts'

const BYTES_PER_KIB = 1_024
const BYTES_PER_MB = 1_000_000

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

const LINES: readonly Line[] = [
  {
    name: 'small-get',
    title: 'GET 100 B on 64 connections',
    backend: 'files',
    load: wrk({ path: '/100', connections: 64 }),
    contenders: [
      'gatehouse',
      'nginx',
      'haproxy',
      'caddy',
      'http-proxy-3',
      'fastify-http-proxy',
      'httpxy',
    ],
    compares: 'requests',
    direct: true,
    figures: {
      'small-get-nginx': ratio('gatehouse', 'nginx'),
      'small-get-haproxy': ratio('gatehouse', 'haproxy'),
      'small-get-caddy': ratio('gatehouse', 'caddy'),
      'small-get-http-proxy-3': ratio('gatehouse', 'http-proxy-3'),
      'small-get-direct': ratio('gatehouse', 'direct', 'perSecond'),
      'memory-idle': amount('gatehouse', ({ idle }) => [
        (idle.rssKib * BYTES_PER_KIB) / BYTES_PER_MB,
      ]),
      'memory-load': amount('gatehouse', ({ samples }) => samples.map(({ pssMb }) => pssMb)),
    },
  },
  {
    name: 'browser-get',
    title: 'GET 1 KB with the head of a browser on 64 connections',
    backend: 'files',
    load: wrk({ path: '/1k', connections: 64, headers: BROWSER_HEADERS }),
    contenders: ['gatehouse', 'nginx', 'haproxy', 'caddy'],
    compares: 'requests',
    figures: {
      'browser-get-nginx': ratio('gatehouse', 'nginx'),
      'browser-get-caddy': ratio('gatehouse', 'caddy'),
    },
  },
]

export const DATA_PATH: readonly Measurement[] = LINES.map(measurementOf)
