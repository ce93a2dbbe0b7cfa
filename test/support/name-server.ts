/** A real name server of a test's own, Knot DNS, with one zone that takes signed updates. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Resolver } from 'node:dns/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Packaged } from '../../apps/cmd/src/up/private-copy.ts'
import { findDebianProgram, type FoundProgram } from './debian-program.ts'
import { eventually } from './eventually.ts'
import { freePort } from './free-port.ts'
import { startProcess } from './process.ts'

export interface NameServer extends AsyncDisposable {
  /** Of 127.0.0.1, TCP and UDP. */
  readonly port: number
  /** The values of a name's TXT records, in no order. */
  readonly texts: (name: string) => Promise<readonly string[]>
}

export interface NameServerOptions {
  readonly zone: string
  /** Who may change it; the secret in base64. */
  readonly key: { readonly name: string; readonly algorithm: string; readonly secret: string }
}

const PACKAGED: Packaged = {
  package: 'knot',
  program: 'usr/sbin/knotd',
  bareNeeds: ['knot', 'libknot13', 'libdnssec9', 'libzscanner4', 'liblmdb0', 'libfstrm0'],
}

const START_MS_MAX = 30_000

let asked: Promise<FoundProgram> | undefined

/** Undefined where there is one, or one could be fetched. */
export const whyNoNameServer = async (): Promise<string | undefined> => {
  const found = await (asked ??= findDebianProgram(PACKAGED))
  return 'missing' in found ? found.missing : undefined
}

export const startNameServer = async ({ zone, key }: NameServerOptions): Promise<NameServer> => {
  const found = await (asked ??= findDebianProgram(PACKAGED))
  if ('missing' in found) throw new Error(found.missing)
  await using stack = new AsyncDisposableStack()
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-names-'))
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  const port = await freePort()
  await writeFile(
    join(folder, 'zone'),
    `$ORIGIN ${zone}.\n$TTL 60\n@ SOA ns.${zone}. ops.${zone}. 1 60 60 60 60\n@ NS ns.${zone}.\n* A 127.0.0.1\n`,
  )
  const lines = [
    `server:\n  listen: 127.0.0.1@${port}\n  rundir: ${folder}`,
    `database:\n  storage: ${folder}`,
    `key:\n  - id: ${key.name}\n    algorithm: ${key.algorithm}\n    secret: ${key.secret}`,
    `acl:\n  - id: change\n    key: ${key.name}\n    action: update`,
    `zone:\n  - domain: ${zone}\n    storage: ${folder}\n    file: zone\n    acl: change`,
  ]
  const config = join(folder, 'knot.conf')
  await writeFile(config, `${lines.join('\n')}\n`)
  const server = stack.use(
    startProcess(found.path, ['-c', config], { LD_LIBRARY_PATH: found.libraryPath }),
  )
  const resolver = new Resolver({ timeout: 5_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  await eventually(
    'the name server answers',
    () => {
      if (!server.running()) throw new Error(server.output())
      return resolver.resolveSoa(zone)
    },
    START_MS_MAX,
  )
  const owned = stack.move()
  return {
    port,
    texts: async (name) => {
      try {
        return (await resolver.resolveTxt(name)).map((parts) => parts.join(''))
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENODATA') return []
        if (error instanceof Error && 'code' in error && error.code === 'ENOTFOUND') return []
        throw error
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
