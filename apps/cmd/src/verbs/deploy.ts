/** `deploy`: from a spec file or from flags to a release that every live proxy serves. */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { certifiable, type Release } from '@gatehouse/domain'
import { requireSecretKeys } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput, type Output } from '../output/output.ts'
import { withSession } from '../session.ts'
import type { Flattened } from '../spec/fields.ts'
import { releaseIdAt } from '../spec/release-id.ts'
import { readSpecFile } from '../spec/spec-file.ts'
import { readTlsFiles } from '../spec/tls-files.ts'
import { about, toRelease } from '../spec/to-release.ts'
import { keepBundle } from './certificates/keep-bundle.ts'
import { change } from './change.ts'
import { fieldsOfFlags, withFlags, withService, type DeployOptions } from './deploy-flags.ts'
import { outputOptions } from './options.ts'

export const deploy = async (
  io: Io,
  subject: string | undefined,
  options: DeployOptions,
): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  const flags = fieldsOfFlags(options, io.cwd)
  const isFile = subject !== undefined && namesFile(subject, io.cwd)
  const given = await fieldsOf(subject, isFile, flags, io.cwd)
  const spec = toRelease(given, {
    from: isFile ? subject : '',
    newId: () => releaseIdAt(Date.now(), Math.random()),
  })
  if ('problems' in spec) {
    return invalid(output, spec.problems)
  }

  const { service } = spec
  const read = await readTlsFiles(spec.files, certifiable(spec.release.hosts), Date.now())
  if ('problem' in read) {
    const problem = about(given.fields, read.field, read.problem, isFile ? subject : '')
    return invalid(output, [problem])
  }
  const release = withClientCa(spec.release, read.clientCa)
  const sealing = read.bundle && { ...read.bundle, keys: requireSecretKeys(io.environment) }
  if (release.health.skip) output.step(`release ${release.id} is activated without a health check`)
  if (release.tls?.verify === false) {
    output.step(
      `certificates of the targets of ${release.id} are not verified: tls.verify is false`,
    )
  }
  return withSession(io, output, async (session) => {
    // Before the event that names it: whoever reads that finds the bundle.
    if (sealing !== undefined) await keepBundle(session, sealing)
    return change(session, {
      verb: 'deploy',
      request: {
        type: 'Deploy',
        service,
        release,
        stage: options.stage === true,
        takeOver: options.takeOver === true,
        ifAbsent: options.ifAbsent === true,
        ...(sealing === undefined ? {} : { bundle: sealing.facts }),
        ...(options.expectVersion === undefined ? {} : { expectVersion: options.expectVersion }),
      },
      options,
      healthMs: release.health.skip ? 0 : release.health.timeoutMs,
    })
  })
}

const invalid = (output: Output, problems: readonly string[]): ExitCode => {
  for (const problem of problems) output.warn(problem)
  const refusal = { command: 'deploy', outcome: 'invalid', exitCode: EXIT.usage }
  if (output.json) output.answer({ ...refusal, problems }, () => '')
  return EXIT.usage
}

const withClientCa = (release: Release, clientCa: string | undefined): Release =>
  clientCa === undefined || release.ingress === undefined
    ? release
    : { ...release, ingress: { ...release.ingress, clientCa } }

/** A name with an ending or a folder is a file, and so is what lies there; the rest are services. */
const namesFile = (subject: string, cwd: string): boolean =>
  /\.(?:json|ya?ml)$/i.test(subject) ||
  subject.includes('/') ||
  statSync(resolve(cwd, subject), { throwIfNoEntry: false })?.isFile() === true

const fieldsOf = async (
  subject: string | undefined,
  isFile: boolean,
  flags: Flattened,
  cwd: string,
): Promise<Flattened> => {
  if (subject === undefined) return flags
  if (!isFile) return withService(flags, subject)
  return withFlags(await readSpecFile(resolve(cwd, subject), subject), flags)
}
