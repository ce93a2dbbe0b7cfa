/** The README says what there is: its settings are those that programs read, its verbs those of the command. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { EXIT } from '../../apps/cmd/src/exit-codes.ts'
import { createProgram } from '../../apps/cmd/src/program.ts'
import { readUpSettings, sayAddress } from '../../apps/cmd/src/up/settings.ts'
import { readProxySettings } from '../../apps/proxy/src/config.ts'
import { root } from './sources.ts'

const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The rows of the table of settings: name and default. */
const settings = new Map(
  [...readme.matchAll(/^\| `(GATEHOUSE_[A-Z_]+)` +\| (.+?) +\|/gm)].map(
    ([, name = '', value = '']) => [name, value.replaceAll('`', '')],
  ),
)

/** What our programs read from their environment, wherever in the sources. */
const read = new Set(
  globSync(['apps/*/src/**/*.ts', 'libs/*/src/**/*.ts'], { cwd: root })
    .filter((path) => !path.endsWith('.test.ts'))
    .flatMap((path) => readFileSync(join(root, path), 'utf8').match(/'GATEHOUSE_[A-Z_]+'/g) ?? [])
    .map((name) => name.slice(1, -1)),
)

it('has every setting that a program reads, and no other one', () => {
  expect([...settings.keys()].toSorted()).toEqual([...read].toSorted())
})

it('has the settings that programs start with when none is given', () => {
  const environment = { GATEHOUSE_REDIS_URL: 'redis://127.0.0.1' }
  const up = readUpSettings({})
  const proxy = readProxySettings(environment)
  expect({
    GATEHOUSE_FLEET: up.fleet,
    GATEHOUSE_LISTEN: sayAddress(up.listen),
    GATEHOUSE_ADMIN: sayAddress(up.admin),
    GATEHOUSE_PROXIES: String(up.proxies),
    GATEHOUSE_DATA: up.dataDir.slice(root.length + 1),
    GATEHOUSE_CONNECTIONS_MAX: String(proxy.connectionsMax),
    GATEHOUSE_REQUEST_BYTES_PER_SECOND_MIN: String(proxy.requestBytesPerSecondMin),
  }).toEqual(
    Object.fromEntries(
      [
        'FLEET',
        'LISTEN',
        'ADMIN',
        'PROXIES',
        'DATA',
        'CONNECTIONS_MAX',
        'REQUEST_BYTES_PER_SECOND_MIN',
      ].map((name) => [`GATEHOUSE_${name}`, settings.get(`GATEHOUSE_${name}`)]),
    ),
  )
  expect(proxy).toMatchObject({
    fleet: up.fleet,
    listen: [up.listen],
    admin: up.admin,
    dataDir: up.dataDir,
  })
})

it('has every verb of the command, and no other one', () => {
  const never = new AbortController().signal
  const silent = { write: () => undefined }
  const io = { stdout: silent, stderr: silent, environment: {}, cwd: root }
  const { commands } = createProgram({ ...io, interrupted: never, atOnce: never }, () => undefined)
  const verbs = commands.map((command) => command.name())
  // `npm run cmd -- one …` and `npm run cmd -- one | two [X] | three`.
  const shown = [...readme.matchAll(/^npm run cmd -- (.+?)(?: {2,}.*| {2}#.*)?$/gm)].flatMap(
    ([, line = '']) => line.split(' | ').map((part) => part.split(' ')[0] ?? ''),
  )
  expect([...new Set(shown)].toSorted()).toEqual(
    // `up` is `npm start`.
    verbs.filter((verb) => verb !== 'up' && verb !== 'help').toSorted(),
  )
})

it('has no command of npm that is not there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const named = [...readme.matchAll(/\bnpm (?:run )?(start|test|(?<=run )[a-z]+)/g)].map(
    ([, name = '']) => name,
  )
  expect(named).toContain('proxy')
  expect(named.filter((name) => !(name in scripts))).toEqual([])
})

it('has exit codes that the command knows, in their order', () => {
  const [, list = ''] = /honest exit codes: ([^.]+)\./.exec(readme.replaceAll('\n', ' ')) ?? []
  const shown = list.split('·').map((each) => Number.parseInt(each.trim(), 10))
  const known = Object.values(EXIT).filter((code) => shown.includes(code))
  expect(shown.length).toBeGreaterThan(5)
  expect(shown).toEqual(known)
})
