/** Long answers, each on a connection of its own: taken to their end, or left in the middle. */
import { get, type ClientRequest, type IncomingMessage } from 'node:http'
import { portFor, RETRY_MS, STOP_MS_MAX, type Driver, type DriverParts } from './driver.ts'
import type { StreamPlan } from './plan.ts'

export const driveStreams = (plan: StreamPlan, parts: DriverParts): Driver => {
  const open = new Set<ClientRequest>()
  const stopping = new AbortController()
  const follow = async (port: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      const moment = parts.judge.moment()
      const askedAt = performance.now()
      try {
        const response = await headOf(plan, port, open)
        const tookMs = performance.now() - askedAt
        const whole = await readUntil(response, plan.cutAfterBytes)
        const { statusCode, headers } = response
        const answer = statusCode === 200 ? `200 ${String(headers['x-release'])}` : `${statusCode}`
        if (whole) parts.book.answered(answer, moment, tookMs)
        else parts.book.failed(`a stream of ${answer} broke off`)
        await delay(plan.pauseMs)
      } catch (error) {
        parts.book.failed(`port ${port}: ${error instanceof Error ? error.message : String(error)}`)
        await delay(RETRY_MS)
      }
    }
  }
  const following = Array.from({ length: plan.connections }, (_, index) =>
    follow(portFor(plan.ports, index)),
  )
  return {
    stop: async () => {
      stopping.abort()
      const late = setTimeout(() => {
        for (const request of open) request.destroy(new Error('no end came'))
      }, STOP_MS_MAX)
      await Promise.all(following)
      clearTimeout(late)
    },
  }
}

const headOf = (
  { host, path }: StreamPlan,
  port: number,
  open: Set<ClientRequest>,
): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, resolve)
    open.add(request)
    request.on('error', reject)
    request.on('close', () => open.delete(request))
  })

/** True when the answer came to its end, or to where we leave it. */
const readUntil = (
  response: IncomingMessage,
  cutAfterBytes: number | undefined,
): Promise<boolean> =>
  new Promise((resolve) => {
    let bytes = 0
    let left = false
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (cutAfterBytes === undefined || bytes < cutAfterBytes) return
      left = true
      response.destroy()
    })
    response.on('error', () => undefined)
    response.on('close', () => resolve(left || (response.complete && cutAfterBytes === undefined)))
  })

const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
