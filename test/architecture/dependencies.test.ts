import { describe, expect, it } from 'vitest'
import {
  findCycle,
  importsOf,
  packageOf,
  projects,
  readManifest,
  resolveRelative,
  sourcesIn,
} from './sources.ts'

/** The whole map. A new arrow is a change here, and needs a decision in docs/decisions. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  '@gatehouse/domain': [],
  '@gatehouse/events': ['@gatehouse/domain'],
  '@gatehouse/proxy': ['@gatehouse/domain', '@gatehouse/events'],
  '@gatehouse/worker': ['@gatehouse/domain', '@gatehouse/events'],
  '@gatehouse/cmd': ['@gatehouse/domain', '@gatehouse/events'],
}

const isOurs = (name: string): boolean => name.startsWith('@gatehouse/')
const isTest = (path: string): boolean => path.endsWith('.test.ts')

describe('dependencies between projects', () => {
  it('are those of the map, in every package.json', () => {
    const declared = projects.map((project) => {
      const { name, dependencies = {} } = readManifest(project)
      return [name, Object.keys(dependencies).filter(isOurs)] as const
    })
    expect(Object.fromEntries(declared)).toEqual(mayImport)
  })

  it.each(projects)('%s imports only what its package.json declares', (project) => {
    const { dependencies = {} } = readManifest(project)
    const { devDependencies = {} } = readManifest('.')
    const undeclared = sourcesIn(`${project}/src`).flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => !/^(\.|node:)/.test(specifier))
        .map(packageOf)
        .filter((name) => !(name in dependencies) && !(isTest(path) && name in devDependencies))
        .map((name) => `${path} imports ${name}`),
    )
    expect(undeclared).toEqual([])
  })

  it.each(projects)('%s never leaves its own folder by a relative path', (project) => {
    const leaving = sourcesIn(`${project}/src`).flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => !resolveRelative(path, specifier).startsWith(`${project}/src/`))
        .map((specifier) => `${path} imports ${specifier}`),
    )
    expect(leaving).toEqual([])
  })

  it('give each foreign system one home', () => {
    const importers = (name: string): readonly string[] =>
      sourcesIn('{apps,libs}')
        .filter(({ path, imports }) => !isTest(path) && imports.includes(name))
        .map(({ path }) => path)
    for (const path of importers('ioredis'))
      expect(path).toMatch(/^libs\/events\/src\/redis.*\.ts$/)
    for (const path of importers('bullmq')) expect(path).toBe('apps/worker/src/jobs.ts')
    for (const path of importers('acme-client')) expect(path).toMatch(/^apps\/worker\/src\/acme\//)
  })
})

describe('files', () => {
  it('import each other without cycles', () => {
    const graph = new Map(
      sourcesIn('{apps,libs,test}').map(({ path, imports }) => [
        path,
        imports
          .filter((specifier) => specifier.startsWith('.'))
          .map((specifier) => resolveRelative(path, specifier)),
      ]),
    )
    expect(graph.size).toBeGreaterThan(5)
    expect(findCycle(graph)).toBeUndefined()
  })

  it('would be caught in a cycle', () => {
    const graph = new Map([
      ['start', ['a']],
      ['a', ['b', 'c']],
      ['b', []],
      ['c', ['a']],
    ])
    expect(findCycle(graph)).toEqual(['a', 'c', 'a'])
  })

  it('are read right, whatever form an import takes', () => {
    const text = [
      `import './effect.ts'`,
      `import a, { b } from "./named.ts"`,
      `import type { C } from './type.ts'`,
      `import {\n  d,\n  e,\n} from './lines.ts'`,
      `export { f } from './again.ts'`,
      `const g = await import('./later.ts')`,
      ` * import { h } from './comment.ts'`,
      `export const from = './value.ts'`,
    ].join('\n')
    const expected = ['effect', 'named', 'type', 'lines', 'again', 'later']
    expect(importsOf(text)).toEqual(expected.map((name) => `./${name}.ts`))
  })

  it('with tests lie where the test run finds them', () => {
    const homes =
      /^(?:apps|libs)\/[^/]+\/src\/|^test\/(?:architecture|simulation|conformance|fuzz|integration|system)\//
    const lost = sourcesIn('{apps,libs,test,examples,tools}').filter(
      ({ path }) => isTest(path) && !homes.test(path),
    )
    expect(lost.map(({ path }) => path)).toEqual([])
  })

  it('name what they export', () => {
    const vague = sourcesIn('{apps,libs,test}').filter(({ exportsAll }) => exportsAll)
    expect(vague.map(({ path }) => path)).toEqual([])
  })

  it('stay small enough to be read in one go', () => {
    const linesMax = 400
    const tooLong = sourcesIn('{apps,libs,test}')
      .filter(({ lines }) => lines > linesMax)
      .map(({ path, lines }) => `${path}: ${lines} lines`)
    expect(tooLong).toEqual([])
  })
})
