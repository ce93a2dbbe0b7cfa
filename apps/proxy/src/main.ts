/** The program. */
import { enableCompileCache, flushCompileCache } from 'node:module'

// Half of a start without a table to read is Node's work on our own code, and so are thirty megabytes;
// the second start finds it done, however the first one ends.
enableCompileCache()
const { runProcess } = await import('./process.ts')
flushCompileCache()

process.exitCode = await runProcess()
