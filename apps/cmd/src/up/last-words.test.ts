import { expect, it } from 'vitest'
import { lastWords } from './last-words.ts'

const crash = `{"level":30,"msg":"serving"}
file:///gatehouse/apps/proxy/src/main.mjs:12
  throw new Error('no')
        ^

Error: the port is in use
    at main (file:///gatehouse/apps/proxy/src/main.mjs:12:9)
    at async run {
  code: 'EADDRINUSE'
}

Node.js v26.10.0
`

it.each([
  ['the error that Node prints', crash, 'Error: the port is in use'],
  ['the message of a structured line', '{"level":30,"msg":"serving"}\n', 'serving'],
  [
    'and that of its error',
    '{"level":50,"msg":"failed","err":{"message":"no disk"}}',
    'failed: no disk',
  ],
  ['a plain line', 'blue cannot listen on port 4001\n\n', 'blue cannot listen on port 4001'],
  ['nothing of an empty log', '\n', undefined],
])('the last words of a program are %s', (_, log, words) => {
  expect(lastWords(log)).toBe(words)
})
