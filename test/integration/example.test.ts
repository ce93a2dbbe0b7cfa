/** The example application, as somebody tries it. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { serveWebSocket } from '../../examples/hello/web-socket.ts'
import { eventually } from '../support/eventually.ts'

let server: Server
let port: number

beforeAll(async () => {
  server = createServer()
  server.on('upgrade', (request, socket: Duplex) => serveWebSocket(request, socket, 'blue'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})
afterAll(() => void server.close())

const opened = async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`)
  const heard: string[] = []
  let end: readonly [number, string] | undefined
  socket.on('message', (data: Buffer) => heard.push(data.toString()))
  socket.on('pong', (data) => heard.push(`pong ${data.toString()}`))
  socket.on('close', (code, reason) => (end = [code, reason.toString()]))
  await once(socket, 'open')
  return { socket, heard, end: () => end }
}

it('E1 says its release on a WebSocket, echoes, answers pings and closes', async () => {
  const { socket, heard, end } = await opened()
  for (const text of ['one', 'two', 'three']) socket.send(text)
  socket.ping('alive?')
  await eventually('all came back', () => heard.length === 5)
  expect(heard).toEqual(['blue', 'blue: one', 'blue: two', 'blue: three', 'pong alive?'])
  socket.close(4001, 'bye')
  expect(await eventually('the end came', end)).toEqual([4001, 'bye'])
})

it('E13 closes with 1009 when a message is too long for it', async () => {
  const { socket, end } = await opened()
  socket.send('x'.repeat(126))
  expect(await eventually('the end came', end)).toEqual([1009, ''])
})
