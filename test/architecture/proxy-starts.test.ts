/** A proxy cannot bound its own young generation: whoever starts one has to, in every way there is. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from './sources.ts'

const PROGRAM = 'apps/proxy/src/main.mjs'
const BOUND = '--max-semi-space-size=4'
const STARTS = ['package.json', 'Dockerfile', 'docker-compose.yml', 'examples/systemd/*.service']

it('every start of a proxy bounds its young generation', () => {
  const lines = globSync(STARTS, { cwd: root })
    .flatMap((path) => readFileSync(join(root, path), 'utf8').split('\n'))
    .filter((line) => line.includes(PROGRAM))
  expect(lines.length).toBeGreaterThan(4)
  expect(lines.filter((line) => !line.includes(BOUND))).toEqual([])
  const launch = readFileSync(join(root, 'apps/cmd/src/up/launch.ts'), 'utf8')
  expect(launch).toContain(`'${BOUND}'`)
})
