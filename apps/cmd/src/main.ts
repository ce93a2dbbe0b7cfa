/** The program: this process's world in, an exit code out. */
import { enableCompileCache } from 'node:module'

// A command lives for a moment, so most of its time would go into reading its own code.
enableCompileCache()
const [{ processIo }, { run }] = await Promise.all([import('./config.ts'), import('./run.ts')])

process.exitCode = await run(process.argv.slice(2), await processIo())
