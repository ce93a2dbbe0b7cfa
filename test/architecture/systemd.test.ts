/** The units in examples/systemd: they set only what programs read, and systemd has nothing against them. */
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { root } from './sources.ts'

const run = promisify(execFile)
const units = globSync('examples/systemd/*', { cwd: root }).map((path) => ({
  name: basename(path),
  text: readFileSync(join(root, path), 'utf8'),
}))
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const canVerify = await run('systemd-analyze', ['--version']).then(
  () => true,
  () => false,
)

it('set only what the programs read', () => {
  const set = units.flatMap(({ text }) => [...text.matchAll(/^Environment=(\w+)=/gm)])
  expect(set.length).toBeGreaterThan(5)
  for (const [, name = ''] of set) expect(readme).toContain(`| \`${name}\` `)
})

it.skipIf(!canVerify)('pass systemd-analyze verify', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-units-'))
  try {
    for (const { name, text } of units) {
      // Where this copy lies, and as the first instance of a template.
      const here = text.replaceAll('/opt/gatehouse', root).replaceAll('=/usr/bin/curl', '=/bin/sh')
      await writeFile(join(folder, name.replace('@.', '@1.')), here)
      await writeFile(join(folder, name), here)
    }
    const names = units.map(({ name }) => join(folder, name.replace('@.', '@1.')))
    const { stdout, stderr } = await run('systemd-analyze', ['verify', '--man=no', ...names])
    expect(`${stdout}${stderr}`).toBe('')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
