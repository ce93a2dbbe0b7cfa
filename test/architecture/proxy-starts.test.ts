/** What V8 has to be told before a proxy runs, whoever starts it: so every way to start one says it. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from './sources.ts'

const PROGRAM = 'apps/proxy/src/main.mjs'
const FLAGS = ['--max-semi-space-size=4', '--expose-gc']
const STARTS = ['package.json', 'Dockerfile', 'docker-compose.yml', 'examples/systemd/*.service']

it('every start of a proxy bounds its new objects, and lets it collect what loading left', () => {
  const lines = globSync(STARTS, { cwd: root })
    .flatMap((path) => readFileSync(join(root, path), 'utf8').split('\n'))
    .filter((line) => line.includes(PROGRAM))
  expect(lines.length).toBeGreaterThan(4)
  const without = (flag: string): readonly string[] => lines.filter((line) => !line.includes(flag))
  expect(FLAGS.flatMap(without)).toEqual([])
  const launch = readFileSync(join(root, 'apps/cmd/src/up/launch.ts'), 'utf8')
  for (const flag of FLAGS) expect(launch).toContain(`'${flag}'`)
})
