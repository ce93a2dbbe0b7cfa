/**
 * A fence that nobody ever ran into may not stand at all. Each of ours gets a violation planted in
 * a copy of the project's shape, and the linter has to find every one; the neighbours of each fence
 * are planted too, and have to be left alone.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { projects, root } from './sources.ts'

interface Plant {
  readonly claim: string
  readonly file: string
  readonly source: string
  /** The rule that has to find it. */
  readonly rule: string
}

const imports = (name: string): string => `import { x } from '${name}'\nexport const y = x\n`
const calls = (expression: string): string => `export const y = (): unknown => ${expression}\n`

const purity = [
  calls('Date.now()'),
  calls('new Date()'),
  calls('performance.now()'),
  calls('setTimeout(() => undefined, 1)'),
  calls('fetch("http://a.test")'),
  calls('crypto.randomUUID()'),
  calls('process.pid'),
  calls('globalThis'),
].map((source, index) => ({
  claim: `the domain is pure: ${source.trim()}`,
  file: `libs/domain/src/global-${index}.ts`,
  source,
  rule: 'eslint(no-restricted-globals)',
}))

const foreign = ['node:crypto', 'node:fs', 'zod', '@gatehouse/events', '../../events/src/log.ts']

const violations: readonly Plant[] = [
  ...purity,
  {
    claim: 'the domain is pure: no randomness',
    file: 'libs/domain/src/random.ts',
    source: calls('Math.random()'),
    rule: 'eslint(no-restricted-properties)',
  },
  ...foreign.map((name, index) => ({
    claim: `the domain is pure: it does not import ${name}`,
    file: `libs/domain/src/import-${index}.ts`,
    source: imports(name),
    rule: 'eslint(no-restricted-imports)',
  })),
  ...[
    ['libs/events/src/submit.ts', 'ioredis'],
    ['libs/events/src/redis-log.ts', 'bullmq'],
    ['apps/worker/src/react.ts', 'ioredis'],
    ['apps/worker/src/react-later.ts', 'bullmq'],
    ['apps/worker/src/jobs.ts', 'ioredis'],
    ['apps/proxy/src/a.ts', '../../worker/src/jobs.ts'],
    ['apps/proxy/src/b.ts', '@gatehouse/domain/src/host.ts'],
    ['apps/proxy/src/c/d/e.ts', '../../../x.ts'],
  ].map(([file = '', name = '']) => ({
    claim: `${file} does not import ${name}`,
    file,
    source: imports(name),
    rule: 'eslint(no-restricted-imports)',
  })),
  {
    claim: 'the environment is read in config.ts alone',
    file: 'apps/proxy/src/environment.ts',
    source: calls(`process.env['HOME']`),
    rule: 'node(no-process-env)',
  },
  {
    claim: 'the console belongs to the output of the command line',
    file: 'apps/proxy/src/console.ts',
    source: calls('console.log("x")'),
    rule: 'eslint(no-console)',
  },
  {
    claim: 'there are no default exports',
    file: 'apps/proxy/src/default.ts',
    source: 'export default 1\n',
    rule: 'import(no-default-export)',
  },
  {
    claim: 'there is no any',
    file: 'apps/proxy/src/any.ts',
    source: 'export const y = (x: any): string => String(x)\n',
    rule: 'typescript(no-explicit-any)',
  },
  {
    claim: 'nothing is asserted to be there with an exclamation mark',
    file: 'apps/proxy/src/non-null.ts',
    source: 'export const y = (x: string[]): string => x[0]!\n',
    rule: 'typescript(no-non-null-assertion)',
  },
  {
    claim: 'a cast has to give its reason',
    file: 'apps/proxy/src/cast.ts',
    source: 'export const y = (x: unknown): string => x as string\n',
    rule: 'typescript(no-unsafe-type-assertion)',
  },
  {
    claim: 'types are imported as types',
    file: 'apps/proxy/src/import-type.ts',
    source: `import { Socket } from 'node:net'\nexport const y = (x: Socket): boolean => x.destroyed\n`,
    rule: 'typescript(consistent-type-imports)',
  },
  {
    claim: 'no promise is forgotten',
    file: 'apps/proxy/src/floating.ts',
    source: 'const x = async (): Promise<number> => 1\nexport const y = (): void => {\n  x()\n}\n',
    rule: 'typescript(no-floating-promises)',
  },
  {
    claim: 'no promise stands where a truth value is wanted',
    file: 'apps/proxy/src/misused.ts',
    source: 'export const y = (x: Promise<boolean>): number => (x ? 1 : 2)\n',
    rule: 'typescript(no-misused-promises)',
  },
  {
    claim: 'only promises are awaited',
    file: 'apps/proxy/src/await.ts',
    source: 'export const y = async (x: number): Promise<number> => await x\n',
    rule: 'typescript(await-thenable)',
  },
  {
    claim: 'a switch names every case of a union',
    file: 'libs/domain/src/switch.ts',
    source: `export const y = (x: 'a' | 'b'): void => {\n  switch (x) {\n    case 'a':\n  }\n}\n`,
    rule: 'typescript(switch-exhaustiveness-check)',
  },
  {
    claim: 'files import each other without cycles',
    file: 'libs/domain/src/cycle-a.ts',
    source: `import { b } from './cycle-b.ts'\nexport const a = (): number => b()\n`,
    rule: 'import(no-cycle)',
  },
  {
    claim: 'files import each other without cycles, seen from the other side',
    file: 'libs/domain/src/cycle-b.ts',
    source: `import { a } from './cycle-a.ts'\nexport const b = (): number => a()\n`,
    rule: 'import(no-cycle)',
  },
  {
    claim: 'file names are in kebab-case',
    file: 'libs/domain/src/hostName.ts',
    source: 'export const y = 1\n',
    rule: 'unicorn(filename-case)',
  },
  {
    claim: 'a file of more than 250 lines is asked whether it holds one idea',
    file: 'libs/domain/src/long.ts',
    source: Array.from({ length: 251 }, (_, line) => `export const x${line} = ${line}\n`).join(''),
    rule: 'eslint(max-lines)',
  },
]

const allowed: ReadonlyMap<string, string> = new Map([
  ['libs/domain/src/pure.ts', imports('./host-name.ts')],
  ['libs/domain/src/pure.test.ts', imports('node:fs')],
  ['libs/events/src/redis.ts', imports('ioredis')],
  ['libs/events/src/redis-follow.ts', imports('ioredis')],
  ['apps/worker/src/health.ts', imports('@gatehouse/domain')],
  ['apps/worker/src/config.ts', calls(`process.env['HOME']`)],
  ['apps/cmd/src/output.ts', calls('console.log("x")')],
  ['test/system/switch.ts', imports('../../apps/proxy/src/a.ts')],
])

const finding = z.object({ filename: z.string(), code: z.string() })
const report = z.object({ diagnostics: z.array(finding) })

let folder = ''
let found: readonly z.infer<typeof finding>[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-fences-'))
  await copyShape(folder)
  for (const { file, source } of violations) await plant(file, source)
  for (const [file, source] of allowed) await plant(file, source)
  found = await lint(folder)
})

afterAll(() => rm(folder, { recursive: true, force: true }))

describe('fences', () => {
  it.each(violations)('$claim', ({ file, rule }) => {
    expect(found).toContainEqual({ filename: file, code: rule })
  })

  it.each([...allowed.keys()])('leave %s alone', (file) => {
    expect(found.filter(({ filename }) => filename === file)).toEqual([])
  })
})

async function copyShape(to: string): Promise<void> {
  const configs = projects.map((project) => `${project}/tsconfig.json`)
  for (const file of ['.oxlintrc.json', 'tsconfig.base.json', 'test/tsconfig.json', ...configs]) {
    await cp(join(root, file), join(to, file))
  }
  await symlink(join(root, 'node_modules'), join(to, 'node_modules'))
}

async function plant(file: string, source: string): Promise<void> {
  await mkdir(dirname(join(folder, file)), { recursive: true })
  await writeFile(join(folder, file), source)
}

function lint(cwd: string): Promise<readonly z.infer<typeof finding>[]> {
  const oxlint = join(root, 'node_modules', '.bin', 'oxlint')
  const args = ['--format', 'json', 'apps', 'libs', 'test']
  return new Promise((resolve, reject) => {
    // It ends with 1 because it found something; what counts is what it found.
    execFile(oxlint, args, { cwd, maxBuffer: 10_000_000 }, (_error, stdout, stderr) => {
      try {
        resolve(report.parse(JSON.parse(stdout)).diagnostics)
      } catch (cause) {
        reject(new Error(`oxlint gave no report: ${stderr}`, { cause }))
      }
    })
  })
}
