/**
 * Loaded into every process that `up` starts, before its own code: when `up` is gone, even killed
 * without warning, the process is asked to end as Ctrl-C would have asked it. As the first thing in
 * such a process it is no TypeScript: a proxy's `main.mjs` says why.
 */

/** After this, a process that does not end by itself is ended. */
const END_WITHIN_MS = 40_000

const end = () => {
  process.kill(process.pid, 'SIGTERM')
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_WITHIN_MS).unref()
}

if (process.connected) {
  process.once('disconnect', end)
  // The channel only watches; it does not keep a process alive that has nothing else to do.
  process.channel?.unref()
} else {
  // `up` was killed before this was loaded.
  end()
}
