/** The default certificate from files of the machine: read at the start, and again when somebody asks. */
import { readFile } from 'node:fs/promises'
import type { CertificateFiles } from '../config.ts'
import { reasonOf } from '../control/reason.ts'
import { readBundle, type Bundle } from './bundle.ts'

/** Throws with the file and the setting in the sentence. */
export const readCertificateFiles = async ({ cert, key }: CertificateFiles): Promise<Bundle> => {
  const [chain, privateKey] = await Promise.all([
    readPem(cert, 'GATEHOUSE_TLS_CERT'),
    readPem(key, 'GATEHOUSE_TLS_KEY'),
  ])
  const read = readBundle(chain, privateKey)
  if (read.kind === 'bundle') return read.bundle
  throw new Error(
    `GATEHOUSE_TLS_CERT is ${cert}, which ${read.problem} (GATEHOUSE_TLS_KEY: ${key})`,
  )
}

const readPem = async (path: string, setting: string): Promise<string> => {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new Error(`${setting} is ${path}, which cannot be read: ${reasonOf(cause)}`, { cause })
  }
}
