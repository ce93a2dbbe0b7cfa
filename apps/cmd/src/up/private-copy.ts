/**
 * A copy of a program for this project alone, taken from the packages of Debian or Ubuntu. It needs no
 * root, changes nothing on the system and starts no service: the packages are only downloaded and
 * unpacked into the cache, with what they depend on that this machine lacks.
 */
import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const stepWithinMs = 180_000
const outputBytesMax = 1_000_000

/** Which program to take from which package. */
export interface Packaged {
  readonly package: string
  /** Where the package puts the program, such as `usr/bin/redis-server`. */
  readonly program: string
  /** The packages needed beyond a bare Debian, for when the resolver cannot be asked; all by name. */
  readonly bareNeeds: readonly string[]
}

export interface PrivateCopy {
  readonly path: string
  /** Value for LD_LIBRARY_PATH: the libraries that came with the copy. */
  readonly libraryPath: string
}

export type Fetched =
  | ({ readonly kind: 'fetched' } & PrivateCopy)
  | { readonly kind: 'failed'; readonly reason: string }

/** The copy an earlier start left in `copyDir`, if there is one. */
export async function findPrivateCopy(
  copyDir: string,
  { program }: Packaged,
): Promise<PrivateCopy | undefined> {
  const path = join(resolve(copyDir), program)
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  return exists ? { path, libraryPath: await libraryPath(resolve(copyDir)) } : undefined
}

/**
 * Fetches a copy into `copyDir`. It is built in a folder of its own and moved into place in one
 * step, so starts at the same time cannot spoil each other's, and a broken one is never seen.
 */
export async function fetchPrivateCopy(options: {
  readonly copyDir: string
  readonly packaged: Packaged
  readonly environment: Readonly<Record<string, string | undefined>>
}): Promise<Fetched> {
  const { packaged } = options
  const copyDir = resolve(options.copyDir)
  await mkdir(dirname(copyDir), { recursive: true })
  const workshop = await mkdtemp(`${copyDir}-`)
  try {
    const root = await download(workshop, packaged, options.environment)
    await putInPlace(root, copyDir, packaged)
    const copy = await findPrivateCopy(copyDir, packaged)
    if (copy) return { kind: 'fetched', ...copy }
    return { kind: 'failed', reason: `The fetched packages hold no ${packaged.program}.` }
  } catch (error) {
    return { kind: 'failed', reason: `None could be fetched: ${reasonOf(error)}.` }
  } finally {
    await rm(workshop, { recursive: true, force: true })
  }
}

async function download(
  workshop: string,
  { package: wanted, bareNeeds }: Packaged,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const state = join(workshop, 'state')
  const debs = join(workshop, 'debs')
  const root = join(workshop, 'root')
  for (const folder of [join(state, 'lists', 'partial'), join(debs, 'partial'), root]) {
    await mkdir(folder, { recursive: true })
  }
  const settings = {
    'Dir::State': state,
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::Cache': join(workshop, 'cache'),
    'Dir::Cache::archives': `${debs}/`,
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': 'root',
    'Acquire::Retries': '2',
  }
  const own = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  const limits = { cwd: debs, timeout: stepWithinMs, maxBuffer: outputBytesMax }
  const env = { ...environment, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: readonly string[]) =>
    run('apt-get', [...own, '-qq', ...args], { ...limits, env })

  // Images ship without package lists, so our own are fetched.
  await apt('update')
  // The resolver takes just what this machine lacks, but refuses where its packages are broken.
  await apt('-y', '--no-install-recommends', '--download-only', 'install', wanted).catch(() =>
    apt('download', ...bareNeeds),
  )
  const packages = (await readdir(debs)).filter((file) => file.endsWith('.deb'))
  for (const file of packages) {
    await run('dpkg-deb', ['-x', join(debs, file), root], { ...limits, env })
  }
  return root
}

async function putInPlace(root: string, copyDir: string, packaged: Packaged): Promise<void> {
  try {
    await rename(root, copyDir)
  } catch (cause) {
    // Another start was quicker and its copy is complete; one that does not run is replaced.
    if ((await findPrivateCopy(copyDir, packaged)) !== undefined) return
    await rm(copyDir, { recursive: true, force: true })
    await rename(root, copyDir).catch(() => {
      throw new Error(`${copyDir} cannot be written`, { cause })
    })
  }
}

async function libraryPath(root: string): Promise<string> {
  const folders: string[] = []
  for (const parent of [join(root, 'usr', 'lib'), join(root, 'lib')]) {
    const entries = await readdir(parent).catch(() => [])
    folders.push(
      ...entries.filter((name) => name.includes('-linux-gnu')).map((name) => join(parent, name)),
    )
  }
  return folders.join(':')
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ENOENT') return 'this is not Debian or Ubuntu (no apt-get)'
  const stderr = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : ''
  const line = stderr.split('\n').find((text) => text.startsWith('E: '))
  return line?.slice('E: '.length).replace(/\.$/, '') ?? error.message.split('\n')[0] ?? 'unknown'
}
