/** Why the machine refused something, for people: in words where its error has only a code. */
export const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const code = codeOf(error)
  return (code === undefined ? undefined : WORDS.get(code)) ?? error.message
}

const WORDS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is in use'],
  ['EADDRNOTAVAIL', 'this machine has no such address'],
  ['EACCES', 'it is not permitted'],
  ['EPERM', 'it is not permitted'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full'],
  ['ENOTDIR', 'there is a file in its place'],
  ['EEXIST', 'there is a file in its place'],
])

/** Of the error, or of the one that caused it. */
const codeOf = (error: Error): string | undefined => {
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause instanceof Error ? codeOf(error.cause) : undefined
}
