import { expect, it } from 'vitest'
import {
  bySpecificity,
  matchesPath,
  PATH_TIMEOUTS_MAX,
  problemOfPathTimeouts,
  type PathTimeout,
} from './path-timeouts.ts'

it.each([
  ['/reports', '/reports', true],
  ['/reports', '/reports/7', true],
  ['/reports', '/reports?all', true],
  ['/reports', '/reports-old', false],
  ['/reports', '/Reports', false],
  ['/reports/', '/reports/7', true],
  ['/reports/', '/reports', false],
  ['/', '/anything', true],
  ['/', '*', false],
])('N6 %s matches %s: %s', (path, target, matches) => {
  expect(matchesPath(path, target)).toBe(matches)
})

it('N6 asks the longest path first, and of equal ones the one with a method', () => {
  const of = (path: string, method?: string): PathTimeout => ({
    path,
    responseMs: 1,
    ...(method === undefined ? {} : { method }),
  })
  const sorted = bySpecificity([of('/'), of('/a'), of('/a', 'GET'), of('/a/b')])
  expect(sorted).toEqual([of('/a/b'), of('/a', 'GET'), of('/a'), of('/')])
})

it.each<[PathTimeout, string]>([
  [{ path: 'reports', responseMs: 1 }, '"reports" is not a path; expected one such as /reports'],
  [{ path: '/a?b', responseMs: 1 }, '"/a?b" is not a path; expected one such as /reports'],
  [{ path: '/a', method: 'post', idleMs: 1 }, '"post" is not a method; expected one such as POST'],
  [{ path: '/a' }, 'says no time; expected response or idle'],
])('N6 says what is wrong with %j', (timeout, problem) => {
  expect(problemOfPathTimeouts([timeout])).toEqual({ index: 0, problem })
})

it('N6 takes each path and method once, and so many of them', () => {
  const many = Array.from({ length: PATH_TIMEOUTS_MAX }, (_, n) => ({ path: `/${n}`, idleMs: 1 }))
  expect(problemOfPathTimeouts(many)).toBeUndefined()
  expect(problemOfPathTimeouts([...many, { path: '/more', idleMs: 1 }])?.problem).toContain('101')
  const twice = { path: '/a', method: 'POST', idleMs: 1 }
  expect(problemOfPathTimeouts([twice, { path: '/a', idleMs: 1 }, twice])).toEqual({
    index: 2,
    problem: 'has /a for POST twice',
  })
})
