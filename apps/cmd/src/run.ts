/** One run: arguments in, exit code out. Every error becomes one sentence on standard error. */
import { ControlPlaneUnfit, ControlPlaneUnreachable, InvalidSetting } from '@gatehouse/events'
import { CommanderError, type Command } from 'commander'
import { EXIT, type ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { plain } from './output/output.ts'
import { createProgram } from './program.ts'

/** `arguments_` without the program's own name. Never throws. */
export const run = async (arguments_: readonly string[], io: Io): Promise<ExitCode> => {
  let exit: ExitCode = EXIT.ok
  const program = createProgram(io, (code) => {
    exit = code
  })
  for (const each of withNested(program)) {
    each.exitOverride().configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      getOutHelpWidth: () => io.stdout.columns ?? HELP_WIDTH,
      getErrHelpWidth: () => io.stderr.columns ?? HELP_WIDTH,
    })
  }
  try {
    await program.parseAsync([...arguments_], { from: 'user' })
    return exit
  } catch (error) {
    io.live?.clear()
    return exitOf(error, io)
  }
}

const HELP_WIDTH = 100

const withNested = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(withNested),
]

const exitOf = (error: unknown, io: Io): ExitCode => {
  // Commander has said its sentence by now.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (io.interrupted.aborted) {
    io.stderr.write('interrupted\n')
    return EXIT.interrupted
  }
  io.stderr.write(`${plain(error instanceof Error ? error.message : String(error))}\n`)
  if (error instanceof InvalidSetting) return EXIT.usage
  if (error instanceof ControlPlaneUnreachable || error instanceof ControlPlaneUnfit) {
    return EXIT.unreachable
  }
  return EXIT.failed
}
