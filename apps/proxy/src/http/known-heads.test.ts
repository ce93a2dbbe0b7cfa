import { expect, it } from 'vitest'
import { headEnd } from './head-end.ts'
import { KnownHeads } from './known-heads.ts'
import { parseRequestHead } from './request-head.ts'
import { createRequestHead } from './request.ts'
import { createResponseHead, parseResponseHead } from './response-head.ts'
import { REQUEST_SEEDS, RESPONSE_SEEDS } from './testing/seeds.ts'

it('knows a text when it comes for the third time', () => {
  let read = 0
  const known = new KnownHeads((text) => {
    read += 1
    return text.toUpperCase()
  })
  for (const expected of [undefined, undefined, 'HEAD', 'HEAD']) {
    expect(known.find('head')).toBe(expected)
    if (expected === undefined) known.notice('head')
  }
  expect(read).toBe(1)
})

it('D18 never takes one text for another, however alike they are', () => {
  const known = new KnownHeads((text) => text)
  // Equal in length and, at most places, in every character that is looked at for the hash.
  const texts = Array.from(
    { length: 5_000 },
    (_, index) => `a: ${'x'.repeat(index % 40)}${index % 10}${'y'.repeat(200 - (index % 40))}`,
  )
  const mistaken: string[] = []
  for (let round = 0; round < 4; round += 1) {
    for (const text of texts) {
      const found = known.find(text)
      if (found === undefined) known.notice(text)
      else if (found !== text) mistaken.push(text)
    }
  }
  expect(mistaken).toEqual([])
  expect(texts.filter((text) => known.find(text) === text).length).toBeGreaterThan(10)
})

it('keeps no text that is long', () => {
  const known = new KnownHeads((text) => text)
  const text = 'a'.repeat(2_049)
  for (let round = 0; round < 3; round += 1) known.notice(text)
  expect(known.find(text)).toBeUndefined()
})

it('D18 says of a request that came before what it said the first time', () => {
  const first = REQUEST_SEEDS.map((seed) => {
    const head = createRequestHead()
    return { refusal: parseRequestHead(seed, headEnd(seed), head), head }
  })
  const head = createRequestHead()
  for (let round = 0; round < 4; round += 1) {
    for (const [index, seed] of REQUEST_SEEDS.entries()) {
      expect({ refusal: parseRequestHead(seed, headEnd(seed), head), head }).toEqual(first[index])
    }
  }
})

it('D18 reads the fields of one request line under another as if they were new', () => {
  const fields = 'Host: a.example\r\nConnection: keep-alive\r\n\r\n'
  const head = createRequestHead()
  const read = (line: string): object => {
    const text = `${line}\r\n${fields}`
    return { refusal: parseRequestHead(text, headEnd(text), head), ...head }
  }
  for (let round = 0; round < 3; round += 1) read('GET / HTTP/1.1')
  expect(read('POST /other HTTP/1.1')).toMatchObject({
    refusal: 0,
    method: 'POST',
    target: '/other',
  })
  expect(read('GET / HTTP/1.0')).toMatchObject({ refusal: 0, minorVersion: 0, keepAlive: true })
  expect(read('GET http://b.example/ HTTP/1.1')).toMatchObject({ refusal: 400 })
  expect(read('GET http://a.example/x HTTP/1.1')).toMatchObject({ refusal: 0, target: '/x' })
})

it('D18 says of a response that came before what it said the first time', () => {
  const first = RESPONSE_SEEDS.map((seed) => {
    const head = createResponseHead()
    return { refusal: parseResponseHead(seed, headEnd(seed), head), head }
  })
  const head = createResponseHead()
  for (let round = 0; round < 4; round += 1) {
    for (const [index, seed] of RESPONSE_SEEDS.entries()) {
      const text = `${seed}a body`
      expect({ refusal: parseResponseHead(text, headEnd(text), head), head }).toEqual(first[index])
    }
  }
})
