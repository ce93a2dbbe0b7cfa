/** WebSockets that send a short message each and wait for its echo before they send the next. */
import type { WebSocketLoadTask } from '../../programs/websocket-load.ts'
import { HOST } from '../contender.ts'
import type { Load, Sent } from '../load.ts'

export interface WebSocketOptions {
  readonly connections: number
  readonly payloadBytes: number
}

export const webSocketEcho = (options: WebSocketOptions): Load => ({
  find: () => Promise.resolve({ generator: 'a generator of our own on raw sockets' }),
  run: async ({ lab, pinning }, { port, seconds }) => {
    const task: WebSocketLoadTask = { ...options, port, seconds, host: HOST }
    const load = lab.processes.talkTo('websocket-load.ts', task, pinning.load)
    // The program answers with nothing else.
    const sent = (await load.first) as Sent
    await load.stop()
    return sent
  },
})
