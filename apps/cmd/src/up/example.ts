/**
 * The example application's two releases, blue and green. Their specs name fixed ports; where one of
 * those is taken, the release listens elsewhere and a spec of its own says where.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isRecord } from '../spec/readers.ts'
import type { Output } from '../output/output.ts'
import { freePort } from './ports.ts'

export interface ExampleRelease {
  readonly label: 'blue' | 'green'
  readonly port: number
  /** The spec that deploys it. */
  readonly spec: string
}

export interface Example {
  readonly blue: ExampleRelease
  readonly green: ExampleRelease
}

/** The folder of the examples, beside the sources. */
export const EXAMPLES = resolve(import.meta.dirname, '../../../../examples')
export const EXAMPLE_SERVER = join(EXAMPLES, 'hello', 'server.ts')
export const EXAMPLE_HOST = 'hello.localhost'

const PORTS = { blue: 4_001, green: 4_002 } as const
const HOST = '127.0.0.1'

export const chooseExample = async (dataDir: string, output: Output): Promise<Example> => ({
  blue: await choose('blue', dataDir, output),
  green: await choose('green', dataDir, output),
})

const choose = async (
  label: ExampleRelease['label'],
  dataDir: string,
  output: Output,
): Promise<ExampleRelease> => {
  const shipped = join(EXAMPLES, `${label}.json`)
  const moved = join(dataDir, 'examples', `${label}.json`)
  // A release that had to move keeps its port while it can, since the fleet knows it by that.
  const before = await portIn(moved)
  const wanted = before ?? PORTS[label]
  const port = await freePort({ host: HOST, port: wanted })
  if (port === PORTS[label]) return { label, port, spec: shipped }
  if (port !== wanted) {
    output.step(`port ${wanted} is taken, so the example's ${label} release listens on ${port}`)
  }
  const spec: unknown = JSON.parse(await readFile(shipped, 'utf8'))
  if (!isRecord(spec)) throw new Error(`${shipped} is not a spec`)
  await mkdir(join(dataDir, 'examples'), { recursive: true })
  const text = JSON.stringify({ ...spec, target_url: `http://${HOST}:${port}` }, undefined, 2)
  await writeFile(moved, `${text}\n`)
  return { label, port, spec: moved }
}

const portIn = async (spec: string): Promise<number | undefined> => {
  try {
    const parsed: unknown = JSON.parse(await readFile(spec, 'utf8'))
    const url = isRecord(parsed) ? parsed['target_url'] : undefined
    return typeof url === 'string' ? Number(new URL(url).port) : undefined
  } catch {
    return undefined
  }
}
