import { expect, it } from 'vitest'
import { readHandedDown } from './handed-down.ts'

const PID = 42

it.each([
  ['nothing', {}, { traffic: [], tls: [], admin: undefined }],
  [
    'nothing, said with an empty setting',
    { LISTEN_FDS: '' },
    { traffic: [], tls: [], admin: undefined },
  ],
  [
    'one socket',
    { LISTEN_FDS: '1', LISTEN_PID: '42' },
    { traffic: [3], tls: [], admin: undefined },
  ],
  [
    'two for traffic and the admin listener',
    { LISTEN_FDS: '3', LISTEN_PID: '42', LISTEN_FDNAMES: 'gatehouse.socket:admin:more' },
    { traffic: [3, 5], tls: [], admin: 4 },
  ],
  [
    'what comes without a process id',
    { LISTEN_FDS: '2', LISTEN_FDNAMES: 'traffic:admin' },
    { traffic: [3], tls: [], admin: 4 },
  ],
  [
    'sockets for clients that speak TLS',
    { LISTEN_FDS: '3', LISTEN_FDNAMES: 'traffic:tls:admin' },
    { traffic: [3], tls: [4], admin: 5 },
  ],
])('a process takes %s', (_, environment, expected) => {
  expect(readHandedDown(environment, PID)).toEqual(expected)
})

it.each([
  [{ LISTEN_FDS: 'two' }, 'LISTEN_FDS is "two"; expected a whole number from 0 to 64'],
  [{ LISTEN_FDS: '65' }, 'LISTEN_FDS is "65"'],
  [{ LISTEN_FDS: '1', LISTEN_PID: '41' }, 'LISTEN_PID is "41", but this is process 42'],
  [{ LISTEN_FDS: '1', LISTEN_FDNAMES: 'admin' }, 'at least one for traffic'],
  [{ LISTEN_FDS: '3', LISTEN_FDNAMES: 'admin:a:admin' }, 'at most one of them "admin"'],
])('a wrong setting is a sentence: %j', (environment, sentence) => {
  expect(() => readHandedDown(environment, PID)).toThrow(sentence)
})
