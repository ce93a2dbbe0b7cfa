import type { TestProcess } from './process.ts'

/** What a program has logged, without time and level. */
export const messages = (program: TestProcess): readonly string[] =>
  program
    .output()
    .split('\n')
    .flatMap((line) => (line.startsWith('{') ? [String(Object(JSON.parse(line)).msg)] : []))
