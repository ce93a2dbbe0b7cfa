/**
 * llhttp, the parser inside Node, which is written by other people and asked for a second opinion.
 * Node has no public API for it; this file is the only one that knows the private one.
 */
import { getBuiltinModule } from 'node:process'

/** Called once per head. What it returns: 0 to read on, 1 when no body follows whatever the head says. */
export type HeadersComplete = (
  majorVersion: number,
  minorVersion: number,
  /** Name, value, name, value … as received; undefined when they came through `kOnHeaders`. */
  rawFields: string[] | undefined,
  method: number | undefined,
  target: string | undefined,
  status: number | undefined,
  reason: string | undefined,
  upgrade: boolean,
  keepAlive: boolean,
) => number

/** What we use of Node's undocumented binding. */
export interface Parser {
  [callback: number]: unknown
  /** May be called again and again: it forgets everything. Strict but for the flags. */
  initialize(type: number, resource: object, headBytesMax?: number, leniencies?: number): void
  /** The number of bytes understood, or why the next one is not. */
  execute(bytes: Buffer): number | (Error & { readonly code: string })
  /** The sender has ended. */
  finish(): Error | undefined
}

interface ParserBinding {
  readonly methods: readonly string[]
  readonly HTTPParser: (new () => Parser) & {
    readonly REQUEST: number
    readonly RESPONSE: number
    readonly kOnHeaders: number
    readonly kOnHeadersComplete: number
    readonly kOnBody: number
    readonly kOnMessageComplete: number
    readonly kLenientKeepAlive: number
  }
}

// Node has no types for this module; were it to change, every test that asks it would fail.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const binding = getBuiltinModule('_http_common') as unknown as ParserBinding

export const { HTTPParser } = binding

/** The name of a method by llhttp's number; '' when it has none. */
export const methodOfNumber = (number: number | undefined): string =>
  number === QUERY_NUMBER ? 'QUERY' : (binding.methods[number ?? -1] ?? '')

/** llhttp numbers QUERY after the methods of RTSP, which Node leaves out of its list. */
const QUERY_NUMBER = 46
