/**
 * The program. It is no TypeScript because everything else is: to strip the types of a single file
 * loads a compiler of thirty megabytes, for good, unless a cache has the outcome, and that cache has
 * to be switched on by somebody.
 */
import { enableCompileCache, flushCompileCache } from 'node:module'

// Half of a start without a table to read is Node's work on our own code; the second start finds it
// done, however the first one ends.
enableCompileCache()
const { runProcess } = await import('./process.ts')
flushCompileCache()

// What was only needed to load that is a third of what a proxy at rest would have. Nobody collects it
// where nothing happens, and now it takes 40 ms, while nobody is served yet.
globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })

process.exitCode = await runProcess()
