import { describe, expect, it } from 'vitest'
import { chooseSockets } from './choose.ts'
import { netSockets } from './net.ts'
import { transportProblem } from './self-test.ts'
import { NOBODY, type Sockets } from './transport.ts'

describe('the choice of a transport', () => {
  const broken: Sockets = {
    ...netSockets,
    name: 'handle',
    listen: () => Promise.reject(new Error('no')),
  }

  it('is the one on handles where that works', async () => {
    expect(await chooseSockets('auto')).toEqual({
      sockets: expect.objectContaining({ name: 'handle' }),
    })
  })

  it('falls back to node:net where it does not, and says why', async () => {
    expect(await chooseSockets('auto', broken)).toEqual({
      sockets: netSockets,
      fellBackBecause: 'no',
    })
  })

  it('is what the operator says, or a sentence why not', async () => {
    expect(await chooseSockets('net')).toEqual({ sockets: netSockets })
    await expect(chooseSockets('handle', broken)).rejects.toThrow(
      'GATEHOUSE_TRANSPORT is "handle", which does not work here: no',
    )
  })

  it('notices a transport that loses bytes', async () => {
    const lossy: Sockets = {
      ...netSockets,
      connect: (address, owner, trust) => {
        const transport = netSockets.connect(address, owner, trust)
        let reads = 0
        transport.owner = {
          ...NOBODY,
          onConnect: () => owner.onConnect(),
          onData: (buffer, length) => {
            reads += 1
            if (reads !== 3) owner.onData(buffer, length)
          },
          onEnd: () => owner.onEnd(),
          onClose: (error) => owner.onClose(error),
        }
        return transport
      },
    }
    expect(await transportProblem(lossy)).toMatch('what came back differs')
  })
})
