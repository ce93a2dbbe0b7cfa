/** Everybody who can take part in a comparison, by the name that tables and `--peer` use. */
import type { Contender } from './contender.ts'
import { caddy } from './contenders/caddy.ts'
import { gatehouse } from './contenders/gatehouse.ts'
import { haproxy } from './contenders/haproxy.ts'
import { nginx } from './contenders/nginx.ts'
import { nodePeer } from './contenders/node-peers.ts'

/** The ways in which Gatehouse itself can run; the first is the one that floors are about. */
const VARIANTS = {
  gatehouse: gatehouse({ GATEHOUSE_TRANSPORT: 'auto' }),
  'gatehouse-net': gatehouse({ GATEHOUSE_TRANSPORT: 'net' }),
} satisfies Record<string, Contender>

const PEERS = {
  nginx: nginx('plain'),
  'nginx-tuned': nginx('tuned'),
  'nginx-http2': nginx('http2'),
  haproxy: haproxy('plain'),
  'haproxy-tuned': haproxy('tuned'),
  caddy,
  'http-proxy-3': nodePeer('http-proxy-3'),
  'fastify-http-proxy': nodePeer('@fastify/http-proxy'),
  httpxy: nodePeer('httpxy'),
} satisfies Record<string, Contender>

export type VariantName = keyof typeof VARIANTS
export type PeerName = keyof typeof PEERS
export type ContenderName = VariantName | PeerName

export const CONTENDERS: Readonly<Record<ContenderName, Contender>> = { ...VARIANTS, ...PEERS }

// The keys of records that are written down here are just their names.
export const VARIANT_NAMES = Object.keys(VARIANTS) as readonly VariantName[]
export const PEER_NAMES = Object.keys(PEERS) as readonly PeerName[]
