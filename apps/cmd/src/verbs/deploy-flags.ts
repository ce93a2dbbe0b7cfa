/** The flags of `deploy`, named as kamal-proxy names them, as fields of a spec. Pure. */
import { resolve } from 'node:path'
import type { Field, FieldName, Fields, Flattened } from '../spec/fields.ts'
import { isRecord } from '../spec/readers.ts'
import { absoluteSocket } from '../spec/spec-file.ts'
import type { ChangeOptions } from './options.ts'

/** Values are as typed; the spec's readers check them. */
export interface DeployOptions extends ChangeOptions {
  readonly target?: readonly string[]
  readonly host?: readonly string[]
  readonly release?: string
  readonly metadata?: readonly string[]
  readonly healthCheckPath?: string
  readonly healthCheckInterval?: string
  readonly healthCheckTimeout?: string
  readonly healthCheckHost?: string
  readonly deployTimeout?: string
  readonly drainTimeout?: string
  readonly targetTimeout?: string
  readonly maxRequestBody?: string
  readonly tls?: true
  readonly tlsCertificatePath?: string
  readonly tlsPrivateKeyPath?: string
  readonly tlsClientCaPath?: string
  /** Text after the flag, if there is any. */
  readonly tlsRedirect?: true | string
  readonly hsts?: true | string
  readonly canonicalHost?: string
  readonly force?: true
  readonly stage?: true
  readonly takeOver?: true
  readonly ifAbsent?: true
}

/** The fields that flags give; `folder` is what relative sockets are meant from. */
export const fieldsOfFlags = (options: DeployOptions, folder: string): Flattened => {
  const fields = new Map<FieldName, Field>()
  const problems: string[] = []
  const take = (name: FieldName, written: string, value: unknown): void => {
    if (value !== undefined) fields.set(name, { value, written })
  }
  take(
    'targets',
    '--target',
    listOf(options.target)?.map((url) => targetUrl(url, folder)),
  )
  take('hosts', '--host', listOf(options.host))
  take('target_id', '--release', options.release)
  take('health.path', '--health-check-path', options.healthCheckPath)
  take('health.interval', '--health-check-interval', options.healthCheckInterval)
  take('health.attempt_timeout', '--health-check-timeout', options.healthCheckTimeout)
  take('health.host', '--health-check-host', options.healthCheckHost)
  take('health.timeout', '--deploy-timeout', options.deployTimeout)
  take('health.skip', '--force', options.force)
  take('drain_timeout', '--drain-timeout', options.drainTimeout)
  take('limits.response_timeout', '--target-timeout', options.targetTimeout)
  take('limits.max_request_body', '--max-request-body', options.maxRequestBody)
  takeTls(take, options, folder)
  const labels = Object.fromEntries(
    (options.metadata ?? []).map((text) => {
      const equals = text.indexOf('=')
      if (equals < 1) problems.push(`--metadata: found "${text}"; expected key=value`)
      return [text.slice(0, equals), text.slice(equals + 1)]
    }),
  )
  take('metadata', '--metadata', options.metadata === undefined ? undefined : labels)
  return { fields, problems }
}

const takeTls = (
  take: (name: FieldName, written: string, value: unknown) => void,
  options: DeployOptions,
  folder: string,
): void => {
  const pathOf = (path: string | undefined) =>
    path === undefined ? undefined : resolve(folder, path)
  const { tlsCertificatePath, tlsPrivateKeyPath, tlsClientCaPath, tlsRedirect } = options
  // kamal-proxy wants --tls beside the paths; they say more than it does.
  const brings = tlsCertificatePath !== undefined || tlsPrivateKeyPath !== undefined
  take('tls.mode', '--tls', options.tls === true && !brings ? 'auto' : undefined)
  take('tls.cert', '--tls-certificate-path', pathOf(tlsCertificatePath))
  take('tls.key', '--tls-private-key-path', pathOf(tlsPrivateKeyPath))
  take('tls.client_ca', '--tls-client-ca-path', pathOf(tlsClientCaPath))
  take('force_https', '--tls-redirect', TRUTH.get(tlsRedirect) ?? tlsRedirect)
  take('hsts', '--hsts', options.hsts)
  take('canonical_host', '--canonical-host', options.canonicalHost)
}

const TRUTH: ReadonlyMap<unknown, boolean> = new Map([
  ['true', true],
  ['false', false],
])

/** The fields of a file with those of the flags laid over them; labels are joined. */
export const withFlags = (file: Flattened, flags: Flattened): Flattened => {
  const fields: Map<FieldName, Field> = new Map([...file.fields, ...flags.fields])
  const [ours, theirs] = [flags.fields.get('metadata'), file.fields.get('metadata')]
  if (
    ours !== undefined &&
    theirs !== undefined &&
    isRecord(ours.value) &&
    isRecord(theirs.value)
  ) {
    fields.set('metadata', { ...ours, value: { ...theirs.value, ...ours.value } })
  }
  return { fields, problems: [...file.problems, ...flags.problems] }
}

/** The same with a service that the command line named. */
export const withService = ({ fields, problems }: Flattened, service: string): Flattened => {
  const named: Fields = new Map([...fields, ['service', { value: service, written: 'SERVICE' }]])
  return { fields: named, problems }
}

/** Flags may be repeated, and hold several values with commas between them. */
const listOf = (values: readonly string[] | undefined): readonly string[] | undefined =>
  values?.flatMap((text) => text.split(',')).map((text) => text.trim())

/** kamal-proxy writes targets as `host:port`, so on the command line that means http. */
const targetUrl = (text: string, folder: string): string =>
  /^[^:/\s]+:\d+$/.test(text) ? `http://${text}` : absoluteSocket(text, folder)
