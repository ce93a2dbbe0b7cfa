/**
 * How `upgrade` talks with the `up` that runs, over the socket of its turn: one line asks, then come
 * lines with what is going on, and a last one with what came of it. Here are both ends.
 */
import { createConnection, type Socket } from 'node:net'
import { isRecord } from '../spec/readers.ts'
import type { Upgrade, Upgraded, UpgradeFailure } from './upgrade.ts'

export type Requested =
  | { readonly kind: 'answered'; readonly upgraded: Upgraded }
  /** Nobody listens at the socket. */
  | { readonly kind: 'nobody' }
  /** It was closed without an answer: by one that ended, or knows no upgrades. */
  | { readonly kind: 'unanswered' }

const REQUEST_WITHIN_MS = 2_000
const REQUEST_BYTES_MAX = 256

/** Carries the upgrade out if the other side asks for it; if not, lets it go. */
export const answerUpgrade = (socket: Socket, upgrade: Upgrade): void => {
  let text = ''
  const answer = async (readyMs: number): Promise<void> => {
    socket.setTimeout(0)
    const tell = (line: Line): void => {
      // The upgrade goes on when nobody listens any more.
      if (socket.writable) socket.write(`${JSON.stringify(line)}\n`)
    }
    const upgraded = await upgrade(readyMs, (sentence) => tell({ sentence }))
    tell({ upgraded })
    // Whoever asked may have stopped reading; that must not keep us.
    socket.destroySoon()
  }
  const listen = (part: string): void => {
    text += part
    if (text.includes('\n')) {
      socket.off('data', listen)
      const readyMs = Number(/^upgrade (\d{1,10})\n$/.exec(text)?.[1])
      if (Number.isNaN(readyMs)) socket.destroy()
      else void answer(readyMs)
    } else if (text.length > REQUEST_BYTES_MAX) socket.destroy()
  }
  socket.setEncoding('utf8').on('data', listen)
  socket.setTimeout(REQUEST_WITHIN_MS, () => socket.destroy())
}

/**
 * Asks for an upgrade and waits for its end. `readyMs` is what a successor may take to be ready. Aborting the
 * signal gives up the wait alone.
 */
export const requestUpgrade = (
  socketPath: string,
  readyMs: number,
  say: (sentence: string) => void,
  signal: AbortSignal,
): Promise<Requested> =>
  new Promise((resolve, reject) => {
    const socket = createConnection(socketPath)
    let upgraded: Upgraded | undefined
    let connected = false
    const giveUp = (): void => {
      socket.destroy()
      reject(new Error('interrupted; the upgrade goes on'))
    }
    signal.addEventListener('abort', giveUp, { once: true })
    socket.once('connect', () => {
      connected = true
      socket.write(`upgrade ${readyMs}\n`)
    })
    socket.on('error', () => socket.destroy())
    let text = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      const lines = `${text}${part}`.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines.map(lineIn)) {
        if (line === undefined) continue
        if ('sentence' in line) say(line.sentence)
        else upgraded = line.upgraded
      }
    })
    socket.once('close', () => {
      signal.removeEventListener('abort', giveUp)
      if (upgraded !== undefined) resolve({ kind: 'answered', upgraded })
      else resolve({ kind: connected ? 'unanswered' : 'nobody' })
    })
  })

type Line = { readonly sentence: string } | { readonly upgraded: Upgraded }

/** Undefined for what is neither, such as the greeting of the turn. */
const lineIn = (text: string): Line | undefined => {
  try {
    const line: unknown = JSON.parse(text)
    if (!isRecord(line)) return undefined
    if (typeof line['sentence'] === 'string') return { sentence: line['sentence'] }
    return isUpgraded(line['upgraded']) ? { upgraded: line['upgraded'] } : undefined
  } catch {
    return undefined
  }
}

/** The other end may be of another version: what it says is looked at before it is believed. */
const isUpgraded = (value: unknown): value is Upgraded =>
  isRecord(value) &&
  Array.isArray(value['proxies']) &&
  value['proxies'].every(isUpgradedProxy) &&
  (value['failure'] === undefined || isFailure(value['failure']))

const isUpgradedProxy = (value: unknown): boolean =>
  isRecord(value) &&
  typeof value['id'] === 'string' &&
  typeof value['succeeds'] === 'string' &&
  typeof value['readyMs'] === 'number' &&
  typeof value['finishMs'] === 'number' &&
  (value['cut'] === null || typeof value['cut'] === 'number')

const isFailure = (value: unknown): boolean =>
  isRecord(value) && REASONS.has(value['because']) && typeof value['why'] === 'string'

/** A reason that has no exit code here is no answer: it must not end as if all had gone well. */
const REASONS: ReadonlySet<unknown> = new Set<UpgradeFailure['because']>([
  'ended',
  'late',
  'stopping',
  'busy',
])
