import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const MAIN = join(import.meta.dirname, '../../../apps/worker/src/main.ts')

const run = (
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly code: unknown; readonly stderr: string }> =>
  new Promise((resolve) => {
    const env = { ...process.env, GATEHOUSE_REDIS_URL: '', ...environment }
    execFile(process.execPath, [MAIN], { env }, (error, _stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stderr }),
    )
  })

describe('a worker that is started', { concurrent: true }, () => {
  it('says in one sentence which setting is wrong, and ends with 2', async () => {
    const ended = await Promise.all([
      run({ GATEHOUSE_REDIS_URL: 'http://127.0.0.1' }),
      run({ GATEHOUSE_REDIS_URL: 'redis://127.0.0.1', GATEHOUSE_FLEET: 'a b' }),
      run({ GATEHOUSE_DATA: join(tmpdir(), 'no-such-folder') }),
    ])
    expect(ended.map(({ code }) => code)).toEqual([2, 2, 2])
    expect(ended[0]?.stderr).toMatch(/^GATEHOUSE_REDIS_URL starts with "http:"; expected .*\n$/)
    expect(ended[1]?.stderr).toMatch(/^GATEHOUSE_FLEET is "a b"; expected .*\n$/)
    expect(ended[2]?.stderr).toMatch(/^No Redis is known: .*GATEHOUSE_REDIS_URL.*\n$/)
  })

  it('waits for a Redis that is away, says so once, and stops when it is told to', async () => {
    const env = { ...process.env, GATEHOUSE_REDIS_URL: 'unix:/nonexistent/redis.sock' }
    const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    const exited = once(child, 'exit')
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
    await expect.poll(() => said, { timeout: 5_000 }).toContain('Redis is away')
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    expect(said.match(/Redis is away/g)).toHaveLength(1)
  })
})
