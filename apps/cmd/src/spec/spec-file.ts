/** A spec file, JSON or YAML, read into fields. Nothing of a file with a problem is used. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, resolve } from 'node:path'
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml'
import { nearMiss } from '../near-miss.ts'
import { fieldsOfFile, noFields, type Flattened, type SpecSource } from './fields.ts'
import { isRecord } from './readers.ts'

/** Far above any spec by hand, far below what would make reading it slow. */
export const SPEC_BYTES_MAX = 1_048_576

/** Reads the file; `name` is what it is called in sentences, as the user typed it. */
export const readSpecFile = async (path: string, name: string): Promise<Flattened> => {
  const content = await readText(path, name)
  return 'problem' in content
    ? noFields(content.problem)
    : parseSpec(content.text, name, dirname(path))
}

/** Parses the text of a spec; relative `unix:` targets are meant from `folder`. */
export const parseSpec = (text: string, name: string, folder: string): Flattened => {
  if (text.trim() === '') {
    return noFields(`${name}: the file is empty; expected service, hosts and target_url`)
  }
  const json = /\.json$/i.test(name)
  if (json) {
    const broken = problemOfJson(text)
    if (broken !== undefined) return noFields(`${name}${broken}`)
  }
  // JSON is YAML as well, so one parser gives us lines and duplicate names for both.
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined) {
    const line = lines.linePos(error.pos[0]).line
    return noFields(
      error.code === 'DUPLICATE_KEY'
        ? `${name}:${line}: two fields have the same name`
        : `${name}:${line}: is not YAML: ${lowerFirst(error.message)}`,
    )
  }
  const source: SpecSource = {
    file: name,
    lineOf: (path) => {
      const start = startOf(document, path)
      return start === undefined ? undefined : lines.linePos(start).line
    },
  }
  let spec: unknown
  try {
    spec = document.toJS({ maxAliasCount: 100 })
  } catch (cause) {
    return noFields(`${name}: ${lowerFirst(messageOf(cause))}`)
  }
  return fieldsOfFile(withAbsolutePaths(withAbsoluteSockets(spec, folder), folder), source)
}

/** `unix:./app.sock` is meant from the folder of the file that says so. */
export const absoluteSocket = (url: string, folder: string): string => {
  const [, scheme, path] = /^\s*(unix(?:\+h2c)?:)(?!\/)(.+)$/.exec(url) ?? []
  return path === undefined || isAbsolute(path.trim())
    ? url
    : `${scheme}${resolve(folder, path.trim())}`
}

/** Where the field that a path leads to begins: its name, or the entry of a list. */
const startOf = (document: Document, path: readonly (string | number)[]): number | undefined => {
  let node: unknown = document.contents
  let start: number | undefined
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part)
      if (pair === undefined) return undefined
      start = isNode(pair.key) ? pair.key.range?.[0] : undefined
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      start = isNode(node) ? node.range?.[0] : undefined
    } else return undefined
  }
  return start
}

/** Files of certificates are meant from the folder of the spec as well. */
const withAbsolutePaths = (spec: unknown, folder: string): unknown => {
  if (!isRecord(spec) || !isRecord(spec['tls'])) return spec
  const tls = Object.entries(spec['tls']).map(([key, value]) => [
    key,
    TLS_PATHS.has(key) && typeof value === 'string' ? resolve(folder, value) : value,
  ])
  return { ...spec, tls: Object.fromEntries(tls) }
}

const TLS_PATHS: ReadonlySet<string> = new Set(['cert', 'key', 'client_ca', 'clientCa'])

const withAbsoluteSockets = (spec: unknown, folder: string): unknown => {
  if (!isRecord(spec)) return spec
  const absolute = (value: unknown): unknown => {
    if (typeof value === 'string') return absoluteSocket(value, folder)
    if (Array.isArray(value)) return value.map(absolute)
    return isRecord(value) && typeof value['url'] === 'string'
      ? { ...value, url: absolute(value['url']) }
      : value
  }
  return Object.fromEntries(
    Object.entries(spec).map(([key, value]) => [
      key,
      key === 'targets' || key === 'target_url' || key === 'targetUrl' ? absolute(value) : value,
    ]),
  )
}

const readText = async (
  path: string,
  name: string,
): Promise<{ readonly text: string } | { readonly problem: string }> => {
  try {
    const { size } = await stat(path)
    if (size > SPEC_BYTES_MAX) {
      return { problem: `${name}: has ${size} bytes; expected a spec of at most ${SPEC_BYTES_MAX}` }
    }
    const bytes = await readFile(path)
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') {
      const near = nearMiss(basename(path), await readdir(dirname(path)).catch(() => []))
      return {
        problem: `${name}: there is no such file${near === undefined ? '' : `; did you mean "${near}"?`}`,
      }
    }
    if (code === 'EISDIR') return { problem: `${name}: is a folder; expected a spec file` }
    if (code === 'EACCES') return { problem: `${name}: may not be read by this user` }
    if (error instanceof TypeError) return { problem: `${name}: is not text in UTF-8` }
    return { problem: `${name}: cannot be read: ${messageOf(error)}` }
  }
}

/** `:3:7: is not JSON: …`, or nothing when it is. */
const problemOfJson = (text: string): string | undefined => {
  try {
    JSON.parse(text)
    return undefined
  } catch (error) {
    const message = messageOf(error)
    const what = lowerFirst(message.replace(/(,? in JSON at position|, "|, \.\.\.").*$/, ''))
    const position = /at position (\d+)/.exec(message)?.[1]
    // Of a text that ends too early, the place is its end; of a very short one, nobody asks.
    if (position === undefined && !what.includes('end of JSON')) return `: is not JSON: ${what}`
    const before = text.slice(0, Number(position ?? text.length)).split('\n')
    return `:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: is not JSON: ${what}`
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)

const lowerFirst = (text: string): string => text.slice(0, 1).toLowerCase() + text.slice(1)
