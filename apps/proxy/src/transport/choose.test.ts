import { describe, expect, it } from 'vitest'
import { chooseSockets, type Candidate } from './choose.ts'
import { netSockets } from './net.ts'
import { transportProblem } from './self-test.ts'
import { NOBODY, type Sockets } from './transport.ts'

describe('the choice of a transport', () => {
  const broken: Candidate = {
    name: 'uring',
    open: () => ({
      ...netSockets,
      name: 'uring',
      listen: () => Promise.reject(new Error('no')),
    }),
    needs: 'much',
  }
  const missing: Candidate = { name: 'handle', open: () => undefined, needs: 'more' }

  it('is the fastest that works', async () => {
    const works: Candidate = { ...missing, open: () => ({ ...netSockets, name: 'handle' }) }
    expect(await chooseSockets('auto', [works, broken])).toEqual({
      sockets: expect.objectContaining({ name: 'handle' }),
    })
    expect(await chooseSockets('auto', [broken, works])).toEqual({
      sockets: expect.objectContaining({ name: 'handle' }),
      fellBackBecause: '"uring" does not work here: no',
    })
  })

  it('falls back to node:net where none does, and says why', async () => {
    expect(await chooseSockets('auto', [broken, missing])).toEqual({
      sockets: netSockets,
      fellBackBecause: '"uring" does not work here: no; "handle" does not work here: it needs more',
    })
  })

  it('is what the operator says, or a sentence why not', async () => {
    expect(await chooseSockets('net')).toEqual({ sockets: netSockets })
    expect(await chooseSockets('handle')).toEqual({
      sockets: expect.objectContaining({ name: 'handle' }),
    })
    await expect(chooseSockets('uring', [broken, missing])).rejects.toThrow(
      'GATEHOUSE_TRANSPORT: "uring" does not work here: no',
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
