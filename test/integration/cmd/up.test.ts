import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { startChild, type Child } from '../../../apps/cmd/src/up/child.ts'
import { freePort, problemOfPort } from '../../../apps/cmd/src/up/ports.ts'
import { takeTurn } from '../../../apps/cmd/src/up/turn.ts'
import { createFleet, eventually } from './fleet.ts'

const sources = join(import.meta.dirname, '../../../apps/cmd/src/up')
let folder = ''
let children: Child[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gh-up-'))
})

afterEach(() => {
  for (const child of children) child.kill()
  children = []
  rmSync(folder, { recursive: true, force: true })
})

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** For those who only want to know who has the turn. */
const letGo = (asking: Socket): void => void asking.end()

describe('one up at a time', () => {
  it('is told who holds the turn, until it is released', async () => {
    const socket = join(folder, 'up.sock')
    const own = { pid: 7, address: 'http://127.0.0.1:8080' }
    const first = await takeTurn(socket, own, letGo)
    const second = await takeTurn(socket, { pid: 8, address: '' }, letGo)
    expect(second).toEqual({ kind: 'held', holder: own })
    if (first.kind === 'taken') await first.release()
    const next = await takeTurn(socket, own, letGo)
    expect(next.kind).toBe('taken')
    if (next.kind === 'taken') await next.release()
  })

  it('takes the turn over from one that was killed', async () => {
    const socket = join(folder, 'up.sock')
    const script = `require('node:net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`
    const killed = spawn(process.execPath, ['-e', script])
    await new Promise((resolve) => killed.once('exit', resolve))
    expect(existsSync(socket)).toBe(true)
    const turn = await takeTurn(socket, { pid: 1, address: '' }, letGo)
    expect(turn.kind).toBe('taken')
    if (turn.kind === 'taken') await turn.release()
  })
})

describe('a port that is taken', () => {
  it('H4 is named in one sentence, with who wants it and the setting to change', async () => {
    const port = await freePort({ host: '127.0.0.1', port: 1 })
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const wanted = {
      address: { host: '127.0.0.1', port },
      who: 'the proxies',
      setting: 'GATEHOUSE_LISTEN',
    }
    expect(await problemOfPort(wanted)).toMatch(
      new RegExp(
        `^Port ${port} is taken by another program, but the proxies listen on 127\\.0\\.0\\.1:${port}: set GATEHOUSE_LISTEN, for example`,
      ),
    )
    expect(await freePort({ host: '127.0.0.1', port })).not.toBe(port)
    await new Promise((resolve) => server.close(resolve))
    expect(await problemOfPort(wanted)).toBeUndefined()
  })

  it('H4 ends up before anything is started, with exit code 1', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    await using fleet = createFleet(inject('redisUrl'))
    const environment = { GATEHOUSE_LISTEN: `127.0.0.1:${port}`, GATEHOUSE_DATA: folder }
    const ran = await fleet.cmd('up', { environment })
    await new Promise((resolve) => server.close(resolve))
    expect(ran.exit).toBe(1)
    expect(ran.stderr).toMatch(/^Port \d+ is taken by another program, .*GATEHOUSE_LISTEN=.*\n$/)
    expect(existsSync(join(folder, 'logs'))).toBe(false)
  })

  it.each([
    ['GATEHOUSE_LISTEN', '8080', 'expected one host:port, such as 127.0.0.1:8080'],
    ['GATEHOUSE_LISTEN', '127.0.0.1:99999', 'expected one host:port'],
    ['GATEHOUSE_GRACE_MS', '30s', 'expected milliseconds from 0 to 86400000'],
    ['GATEHOUSE_PROXY_ID', 'edge 1', 'expected letters, digits'],
    ['GATEHOUSE_PROXIES', '0', 'expected a whole number from 1 to 64'],
    ['GATEHOUSE_EXAMPLE', 'maybe', 'expected yes or no'],
    ['GATEHOUSE_ADMIN', '127.0.0.1:65535', 'count up from it'],
  ])('a wrong setting is a sentence and exit code 2: %s=%s', async (variable, value, sentence) => {
    await using fleet = createFleet(inject('redisUrl'))
    const ran = await fleet.cmd('up', {
      environment: { GATEHOUSE_DATA: folder, [variable]: value },
    })
    expect(ran.exit).toBe(2)
    expect(ran.stderr).toContain(`${variable} is `)
    expect(ran.stderr).toContain(sentence)
  })
})

it.each(['0', '65', 'two', ''])('--proxies "%s" is a sentence and exit code 2', async (count) => {
  await using fleet = createFleet(inject('redisUrl'))
  const ran = await fleet.cmd(['up', '--proxies', count], {
    environment: { GATEHOUSE_DATA: folder, GATEHOUSE_PROXIES: '3' },
  })
  expect(ran.exit).toBe(2)
  expect(ran.stderr).toBe(`--proxies is "${count}"; expected a whole number from 1 to 64\n`)
})

describe('a process that is kept running', () => {
  const start = (script: string, graceMs = 2_000): { child: Child; troubles: string[] } => {
    const file = join(folder, 'script.mjs')
    writeFileSync(file, script)
    const troubles: string[] = []
    const child = startChild({
      name: 'thing',
      script: file,
      environment: () => ({ PATH: process.env['PATH'] }),
      logDir: folder,
      graceMs,
      onTrouble: (sentence) => troubles.push(sentence),
    })
    children.push(child)
    return { child, troubles }
  }
  const log = (): string => readFileSync(join(folder, 'thing.log'), 'utf8')

  it('is started again after a crash, after growing pauses, with its last words in a sentence', async () => {
    const { child, troubles } = start(`console.log('started'); throw new Error('no luck')`)
    await eventually(() => (troubles.length > 2 ? true : undefined))
    await child.stop()
    const sentence = (pause: string): RegExp =>
      new RegExp(
        `^thing ended with exit code 1 \\(Error: no luck\\); it is started again in ${pause} \\(log: .*thing\\.log\\)$`,
      )
    expect(troubles[0]).toMatch(sentence('500 ms'))
    expect(troubles[1]).toMatch(sentence('1 s'))
    expect(troubles[2]).toMatch(sentence('2 s'))
  })

  it('is asked to end, and ended when it does not', async () => {
    const script = `process.on('SIGTERM', () => console.log('asked')); setInterval(() => {}, 1000); console.log(process.pid)`
    const { child, troubles } = start(script, 200)
    const pid = await eventually(() =>
      /^\d+$/m.test(log()) ? Number.parseInt(log(), 10) : undefined,
    )
    await child.stop()
    expect(log()).toContain('asked')
    expect(isAlive(pid)).toBe(false)
    expect(troubles).toEqual([])
  })

  it('H5 is asked to end when whoever started it was killed without warning', async () => {
    const script = join(folder, 'leashed.mjs')
    writeFileSync(
      script,
      `process.on('SIGTERM', () => { console.log('asked'); process.exit() }); setInterval(() => {}, 1000); console.log(process.pid)`,
    )
    const owner = `
      import { startChild } from ${JSON.stringify(join(sources, 'child.ts'))}
      startChild({ name: 'thing', script: ${JSON.stringify(script)}, environment: () => ({}), logDir: ${JSON.stringify(folder)}, graceMs: 1000, onTrouble() {} })`
    const up = spawn(process.execPath, ['--input-type=module', '-e', owner], { cwd: sources })
    const pid = await eventually(() =>
      existsSync(join(folder, 'thing.log')) && /^\d+$/m.test(log())
        ? Number.parseInt(log(), 10)
        : undefined,
    )
    up.kill('SIGKILL')
    await eventually(() => (isAlive(pid) ? undefined : true))
    expect(log()).toContain('asked')
  })
})
