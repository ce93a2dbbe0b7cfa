import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { createFleet, eventually } from './fleet.ts'

const redisUrl = inject('redisUrl')
const main = join(dirname(dirname(dirname(import.meta.dirname))), 'apps', 'cmd', 'src', 'main.ts')

describe('exit codes', () => {
  it('A22 is 6 when Redis cannot be reached, with its address but without its password', async () => {
    await using fleet = createFleet(redisUrl)
    const environment = { GATEHOUSE_REDIS_URL: 'redis://me:secret@127.0.0.1:1' }
    const ran = await fleet.cmd('list', { environment })
    expect(ran).toMatchObject({ exit: 6, stdout: '' })
    expect(ran.stderr).toContain('127.0.0.1:1')
    expect(ran.stderr).not.toContain('secret')
    expect(ran.stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  it('is 2 when nothing says where Redis is, and says how to start one', async () => {
    await using fleet = createFleet(redisUrl)
    const empty = mkdtempSync(join(tmpdir(), 'gh-cmd-'))
    const environment = { GATEHOUSE_REDIS_URL: '', GATEHOUSE_DATA: empty }
    const ran = await fleet.cmd('list', { environment })
    rmSync(empty, { recursive: true })
    expect(ran.exit).toBe(2)
    expect(ran.stderr).toMatch(/npm start.*GATEHOUSE_REDIS_URL/)
  })

  it.each([
    ['deplyo spec.json', "error: unknown command 'deplyo'\n(Did you mean deploy?)"],
    ['list --jsn', "error: unknown option '--jsn'\n(Did you mean --json?)"],
    ['switch shop', "error: missing required argument 'release'"],
    [
      'drain shop --drain-timeout soon',
      'expected milliseconds or a duration such as "5s", "1m30s" or "250ms", or "infinity".',
    ],
    ['history --limit 0', 'expected a whole number from 1 on.'],
    ['deploy', 'SERVICE is missing'],
    ['deploy shop', '--host is missing'],
    ['resume shop extra', 'too many arguments'],
  ])('is 2 for "%s", with the reason', async (line, sentence) => {
    await using fleet = createFleet(redisUrl)
    const ran = await fleet.cmd(line)
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toContain(sentence)
  })

  it('is 0 for help, which lists the verbs and the exit codes', async () => {
    await using fleet = createFleet(redisUrl)
    const { exit, stdout } = await fleet.cmd('--help')
    expect(exit).toBe(0)
    for (const verb of ['deploy', 'switch', 'rollback', 'drain', 'watch', 'up']) {
      expect(stdout).toContain(`\n  ${verb}`)
    }
    expect(stdout).toContain('130')
    expect((await fleet.cmd('deploy --help')).stdout).toContain('--health-check-path')
  })

  it('is 130 after Ctrl-C, and says that the deployment goes on', async () => {
    await using fleet = createFleet(redisUrl)
    const flags = ['--host', 'shop.test', '--target', 'http://127.0.0.1:9', '--release', 'blue']
    const child = spawn(process.execPath, [main, 'deploy', 'shop', ...flags], {
      env: {
        PATH: process.env['PATH'],
        GATEHOUSE_REDIS_URL: redisUrl,
        GATEHOUSE_FLEET: fleet.name,
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    await eventually(() => (stderr.includes('no worker is running') ? true : undefined))
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(stderr).toContain(
      'interrupted: what was accepted goes on; npm run cmd -- watch shop --from 1 shows it',
    )
    expect((await fleet.log.head()).position).toBe(1)
  })
})
