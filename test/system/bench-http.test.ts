/**
 * The bench of the data path through the outside, with a Caddy that the test has put on the PATH: so slow,
 * or so quick, that it does not matter what else the machine does.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pidsOfTree } from '../bench/data-path/process-tree.ts'
import { findTool } from '../bench/data-path/tools.ts'
import type { Report } from '../bench/report.ts'
import { eventually } from '../support/eventually.ts'
import { isAlive } from '../support/machine.ts'
import { ROOT, startProgram, type TestProcess } from '../support/process.ts'

const CACHE = resolve(ROOT, '.gatehouse/cache')
const FETCH_MS_MAX = 60_000
const START_MS_MAX = 30_000

let folder = ''
/** Why the bench cannot run here at all. */
let unable: string | undefined

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-test-'))
  const options = { cacheDir: CACHE, environment: process.env, say: () => undefined }
  const tools = [await findTool('nginx', options), await findTool('wrk', options)]
  const missing = tools.flatMap((tool) => ('missing' in tool ? [tool.missing] : []))
  unable = process.platform === 'linux' ? missing[0] : 'The data path is measured on Linux only.'
}, FETCH_MS_MAX)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** A program on a PATH of its own; everything else is found behind it. */
const stub = async (name: string, lines: readonly string[]): Promise<string> => {
  const own = await mkdtemp(join(folder, `${name}-`))
  await writeFile(join(own, name), [`#!${process.execPath}`, ...lines, ''].join('\n'))
  await chmod(join(own, name), 0o755)
  return own
}

/** Answers by itself, with so many milliseconds of work for each request. */
const caddyThatTakes = (workMs: number): Promise<string> =>
  stub('caddy', [
    `const [asked, , file] = process.argv.slice(2)`,
    `if (asked === 'version') { console.log('v0.0.1'); process.exit() }`,
    `const port = Number(/http:\\/\\/:(\\d+)/.exec(require('fs').readFileSync(file, 'utf8'))[1])`,
    `require('net').createServer((socket) => {`,
    `  socket.on('error', () => {})`,
    `  socket.on('data', () => {`,
    `    for (const until = performance.now() + ${workMs}; performance.now() < until;);`,
    `    socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n\\r\\nx')`,
    `  })`,
    `}).listen(port, '127.0.0.1')`,
  ])

const bench = (path: readonly string[], ...args: readonly string[]): TestProcess =>
  startProgram('test/bench/main.ts', ['http', ...args], {
    ...process.env,
    PATH: [...path, process.env['PATH']].join(':'),
  })

const SHORT = ['--only', 'browser-get', '--seconds', '1', '--repetitions', '1', '--json']

describe('npm run bench -- http', () => {
  it.concurrent(
    'exits 0 when the floors are held, and names the peer that is missing',
    async ({ skip }) => {
      if (unable !== undefined) skip(unable)
      const broken = await stub('haproxy', [
        `if (process.argv[2] === '-v') console.log('HAProxy version 0.0.1')`,
        `else { console.error('no licence'); process.exitCode = 1 }`,
      ])
      await using run = bench(
        [await caddyThatTakes(5), broken],
        ...SHORT,
        '--peer',
        'caddy',
        '--peer',
        'haproxy',
      )
      const { exit, stdout, stderr } = await run.finished
      expect({ exit, stderr }).toMatchObject({ exit: 0 })
      // Its own words, read back.
      const { rows, comparisons, notes, failures } = JSON.parse(stdout) as Report
      expect(rows).toMatchObject([{ name: 'browser-get-caddy', floor: 4, verdict: 'floor' }])
      const [{ entries } = { entries: [] }] = comparisons
      expect(entries).toMatchObject([
        { name: 'gatehouse', errors: 0 },
        { name: 'gatehouse-net', errors: 0 },
        { name: 'caddy', version: '0.0.1', errors: 0 },
      ])
      expect(failures).toEqual([])
      expect(notes).toContainEqual(
        'browser-get: no figures of haproxy. It ended at once: no licence',
      )
    },
  )

  it.concurrent('exits 1 when a floor is missed', async ({ skip }) => {
    if (unable !== undefined) skip(unable)
    await using run = bench([await caddyThatTakes(0)], ...SHORT, '--peer', 'caddy')
    const { exit, stdout } = await run.finished
    const { rows } = JSON.parse(stdout) as Report
    expect({ exit, rows }).toMatchObject({
      exit: 1,
      rows: [{ name: 'browser-get-caddy', verdict: 'missed' }],
    })
  })

  it.concurrent('leaves no process behind when it is interrupted', async ({ skip }) => {
    if (unable !== undefined) skip(unable)
    await using run = bench([], '--only', 'small-get', '--peer', 'nginx', '--seconds', '60')
    const pids = await eventually(
      'all of its processes run',
      () => {
        const tree = pidsOfTree(run.child.pid ?? 0)
        // Itself, Redis, the backend's and the peer's master and worker, two proxies, the load.
        return tree.length >= 9 ? tree : undefined
      },
      START_MS_MAX,
    )
    run.signal('SIGINT')
    expect(await run.finished).toMatchObject({ exit: 130 })
    await eventually('all of them have ended', () => !pids.some(isAlive))
  })
})

describe('the tools of the bench', () => {
  it('that cannot be had are missing with the reason and what to do', async () => {
    const apt = await stub('apt-get', [
      `console.error('E: Could not resolve the mirror.')`,
      `process.exitCode = 100`,
    ])
    const found = await findTool('h2load', {
      cacheDir: join(folder, 'cache'),
      environment: { PATH: apt },
      say: () => undefined,
    })
    expect(found).toEqual({
      missing:
        'There is no h2load on the PATH. None could be fetched: Could not resolve the mirror. Install it (Debian and Ubuntu: apt-get install nghttp2-client).',
    })
  })
})
