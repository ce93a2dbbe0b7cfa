/** The options that verbs share. */
import { type Command, Option } from 'commander'
import { readCount, readDuration, readKey } from './arguments.ts'

/** The whole wait of a command, beyond what the release's health gate and drain may take. */
const WAIT_MS_DEFAULT = 60_000

/** A verb with the options of all verbs. */
export const reading = (program: Command, name: string): Command =>
  program
    .command(name)
    .option('--json', 'answer with one JSON document')
    .option('--quiet', 'no progress on standard error')
    .option('--no-color', 'no colours (also: NO_COLOR)')

/** An option in milliseconds, whose help names its default in seconds. */
export const duration = (flags: string, description: string, defaultMs: number): Option =>
  new Option(flags, description).argParser(readDuration).default(defaultMs, `${defaultMs / 1_000}s`)

/** A verb with the options of all verbs that change something. */
export const changing = (program: Command, name: string): Command =>
  asking(program, name)
    .option('--expect-version <number>', 'only when the service is at this version', readCount(0))
    .option(
      '--idempotency-key <key>',
      'a repeated command with this key changes nothing (24 hours)',
      readKey,
    )

/** A verb that submits something and may wait for its end. */
export const asking = (program: Command, name: string, waitMs = WAIT_MS_DEFAULT): Command =>
  reading(program, name)
    .option('--no-wait', 'return as soon as the command is accepted')
    .addOption(new Option('--wait', 'wait for the end (default)').default(true).hideHelp())
    .addOption(
      duration('--timeout <time>', 'the whole wait, beyond health check and drain', waitMs),
    )
    .option('--reason <text>', 'why, for the history')
    .option('--actor <name>', 'who (default: as the CI system says, else the user)')

/** Lines below a verb's help. */
export const examples = (lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  npm run cmd -- ${line}\n`).join('')}`
