/** The program. */
import { enableCompileCache } from 'node:module'

// Half of a start without a table to read is Node's work on our own code; the second start finds it done.
enableCompileCache()
const { runProcess } = await import('./process.ts')

process.exitCode = await runProcess()
