/** Our own sources as data: which files there are, and what each one imports. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export const root = dirname(dirname(import.meta.dirname))
export const projects = ['apps/cmd', 'apps/proxy', 'apps/worker', 'libs/domain', 'libs/events']

export interface Source {
  /** Path from the root, such as `libs/domain/src/host.ts`. */
  readonly path: string
  readonly lines: number
  /** Specifiers as written: `./host.ts`, `@gatehouse/domain`, `node:net`, `zod`. */
  readonly imports: readonly string[]
  /** True when it passes on everything of another file, so that nobody can say what it exports. */
  readonly exportsAll: boolean
}

export interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Every TypeScript file of ours below a folder of the root. */
export function sourcesIn(folder: string): readonly Source[] {
  return globSync(`${folder}/**/*.ts`, { cwd: root })
    .filter((path) => !path.includes('node_modules'))
    .toSorted((a, b) => a.localeCompare(b))
    .map((path) => readSource(path))
}

export function readManifest(project: string): Manifest {
  // npm refuses a package.json where these fields have other types.
  return JSON.parse(readFileSync(join(root, project, 'package.json'), 'utf8')) as Manifest
}

/** The specifiers of all import and export statements and of `import('…')`. */
export function importsOf(text: string): readonly string[] {
  // Statements begin a line; in a comment the line begins with something else.
  const statement = /^[ \t]*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm
  const call = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g
  return [statement, call].flatMap((pattern) =>
    [...text.matchAll(pattern)].flatMap(([, specifier]) => specifier ?? []),
  )
}

/** The file that a relative specifier names, as a path from the root. */
export function resolveRelative(importer: string, specifier: string): string {
  return relative(root, join(root, dirname(importer), specifier))
}

/** The package of a bare specifier: `zod/mini` → `zod`, `@gatehouse/domain/x` → `@gatehouse/domain`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** A cycle in a graph of files, as the path that leads back to its start; undefined if none. */
export function findCycle(
  graph: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const done = new Set<string>()
  const visit = (file: string, trail: readonly string[]): readonly string[] | undefined => {
    const seenAt = trail.indexOf(file)
    if (seenAt >= 0) return [...trail.slice(seenAt), file]
    if (done.has(file)) return undefined
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next, [...trail, file])
      if (cycle) return cycle
    }
    done.add(file)
    return undefined
  }
  for (const file of graph.keys()) {
    const cycle = visit(file, [])
    if (cycle) return cycle
  }
  return undefined
}

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  const exportsAll = /^[ \t]*export (?:type )?\*/m.test(text)
  return { path, lines: text.split('\n').length - 1, imports: importsOf(text), exportsAll }
}
