/**
 * A server of somebody else's that a test needs: what is on the PATH, else a private copy from the packages
 * of Debian or Ubuntu, fetched once into `.gatehouse/cache`. Nothing is installed.
 */
import { access, constants } from 'node:fs/promises'
import { basename, delimiter, join, resolve } from 'node:path'
import {
  fetchPrivateCopy,
  findPrivateCopy,
  type Packaged,
} from '../../apps/cmd/src/up/private-copy.ts'
import { ROOT } from './process.ts'

export type FoundProgram =
  | { readonly path: string; readonly libraryPath: string }
  /** There is none, and what to do about it, in one sentence. */
  | { readonly missing: string }

/** Servers are often where ordinary users do not look. */
const SERVER_FOLDERS = ['/usr/local/sbin', '/usr/sbin']

export const findDebianProgram = async (packaged: Packaged): Promise<FoundProgram> => {
  const name = basename(packaged.program)
  const searched = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  for (const folder of [...searched, ...SERVER_FOLDERS]) {
    const path = join(folder, name)
    if (await isProgram(path)) return { path, libraryPath: '' }
  }
  const copyDir = resolve(ROOT, '.gatehouse/cache', packaged.package)
  const kept = await findPrivateCopy(copyDir, packaged)
  if (kept !== undefined) return kept
  const fetched = await fetchPrivateCopy({ copyDir, packaged, environment: process.env })
  if (fetched.kind === 'fetched') return fetched
  return {
    missing: `There is no ${name} on the PATH. ${fetched.reason} Install it (Debian and Ubuntu: apt-get install ${packaged.package}).`,
  }
}

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
