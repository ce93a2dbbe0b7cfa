/** Against the examples of RFC 7541 appendix C, and against our own two halves. */
import { describe, expect, it } from 'vitest'
import type { Field } from '../field.ts'
import { HpackDecoder } from './decoder.ts'
import { HpackEncoder } from './encoder.ts'
import { decodeHuffman, encodeHuffman, huffmanLength } from './huffman.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')

const read = (decoder: HpackDecoder, block: Buffer): string[] | undefined => {
  const lines: string[] = []
  const sink = { onField: ({ name, value }: Field) => void lines.push(`${name}: ${value}`) }
  return decoder.decode(block, 0, block.length, sink) ? lines : undefined
}

const roundTrip = (text: string): string | undefined => {
  const code = Buffer.from(encodeHuffman(text), 'latin1')
  expect(code).toHaveLength(huffmanLength(text))
  return decodeHuffman(code, 0, code.length)
}

describe('Huffman', () => {
  it('D22 writes and reads the codes of RFC 7541 C.4', () => {
    const code = bytes('f1e3 c2e5 f23a 6ba0 ab90 f4ff')
    expect(Buffer.from(encodeHuffman('www.example.com'), 'latin1')).toEqual(code)
    expect(decodeHuffman(code, 0, code.length)).toBe('www.example.com')
  })

  it('D22 reads each octet back', () => {
    const all = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join('')
    expect(roundTrip(all)).toBe(all)
    for (const octet of all) expect(roundTrip(octet)).toBe(octet)
  })

  it.each([
    ['EOS', 'ffffffff'],
    ['padding of more than seven bits', 'f1e3c2e5f23a6ba0ab90f4ffff'],
    ['padding that is not of ones', 'f1e3c2e5f23a6ba0ab90f4fe'],
  ])('D22 reads no text in %s', (_, hex) => {
    const code = bytes(hex)
    expect(decodeHuffman(code, 0, code.length)).toBeUndefined()
  })
})

describe('reading field blocks', () => {
  it('D22 reads the requests of RFC 7541 C.4, with the table that they build', () => {
    const decoder = new HpackDecoder()
    const first = read(decoder, bytes('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff'))
    const get = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com']
    expect(first).toEqual(get)
    const second = read(decoder, bytes('8286 84be 5886 a8eb 1064 9cbf'))
    expect(second).toEqual([...get, 'cache-control: no-cache'])
    const third = bytes('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf')
    expect(read(decoder, third)).toEqual([
      ':method: GET',
      ':scheme: https',
      ':path: /index.html',
      ':authority: www.example.com',
      'custom-key: custom-value',
    ])
  })

  it('D22 forgets the oldest fields first, and all of them when the table is to be empty', () => {
    const decoder = new HpackDecoder()
    expect(read(decoder, bytes('4001 6101 62 4001 6301 64'))).toEqual(['a: b', 'c: d'])
    expect(read(decoder, bytes('be bf'))).toEqual(['c: d', 'a: b'])
    // 34 octets each: a table of 40 has room for the newer one.
    expect(read(decoder, bytes('3f 09 be'))).toEqual(['c: d'])
    expect(read(decoder, bytes('20'))).toEqual([])
    expect(read(decoder, bytes('be'))).toBeUndefined()
  })

  it.each([
    ['index 0', '80'],
    ['an index beyond both tables', 'be'],
    ['a name from beyond both tables', '7e 01 61'],
    ['a string that is cut short', '40 05 6162'],
    ['an integer that does not end', 'ff ff ff ff ff ff ff ff'],
    ['no value', '40 01 61'],
    ['a table that is larger than was allowed', '3f e2 1f'],
    ['another size after a field', '82 20'],
    ['a Huffman code of nothing', '40 81 00 00'],
  ])('P3 refuses %s', (_, hex) => {
    expect(read(new HpackDecoder(), bytes(hex))).toBeUndefined()
  })
})

describe('writing field blocks', () => {
  const HEAD = 'Content-Type: text/html\r\nServer: app\r\n'
  const block = (text: string): Buffer => Buffer.from(text, 'latin1')

  it('D22 writes lower-case names, and fields that came before as one octet', () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()]
    const lines = [':status: 200', 'content-length: 5', 'content-type: text/html', 'server: app']
    expect(read(decoder, block(encoder.head(200, 5, HEAD)))).toEqual(lines)
    const again = block(encoder.head(200, 5, HEAD))
    expect(read(decoder, again)).toEqual(lines)
    expect(again.length).toBeLessThan(8)
    expect(read(decoder, block(encoder.head(200, 5, HEAD)))).toEqual(lines)
    read(decoder, block(encoder.head(200, 5, 'x-other: moves them\r\n')))
    expect(read(decoder, block(encoder.head(200, 5, HEAD)))).toEqual(lines)
  })

  it('D22 leaves values as they are, but for the white space around them', () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()]
    // The last octet of an `à` in UTF-8 is what Unicode calls a space.
    const fields = 'X-Name: \t\xc3\xa0 \xc3\xa0 \r\nX-Empty:\r\nX-Colon: a:b\r\n'
    for (let turn = 0; turn < 3; turn += 1) {
      expect(read(decoder, block(encoder.head(200, -1, fields)))).toEqual([
        ':status: 200',
        'x-name: \xc3\xa0 \xc3\xa0',
        'x-empty: ',
        'x-colon: a:b',
      ])
    }
  })

  it('D22 keeps cookies out of the table', () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()]
    const cookie = 'Set-Cookie: sid=secret\r\n'
    const first = encoder.head(302, -1, cookie)
    expect(read(decoder, block(first))).toEqual([':status: 302', 'set-cookie: sid=secret'])
    expect(encoder.head(302, -1, cookie)).toBe(first)
  })

  it('D22 obeys a table that shrinks and grows', () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()]
    read(decoder, block(encoder.head(200, -1, HEAD)))
    encoder.resize(0)
    encoder.resize(100)
    const lines = [':status: 200', 'content-type: text/html', 'server: app']
    const resized = block(encoder.head(200, -1, HEAD))
    expect(resized.subarray(0, 2)).toEqual(bytes('20 3f'))
    expect(read(decoder, resized)).toEqual(lines)
    for (let turn = 0; turn < 5; turn += 1) {
      const more = `${HEAD}x-turn: ${turn}\r\n`
      expect(read(decoder, block(encoder.head(200, -1, more)))).toEqual([
        ...lines,
        `x-turn: ${turn}`,
      ])
    }
  })

  it('N15 writes requests, of which the same lines take one octet each and secrets stay out', () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()]
    const about = { method: 'POST', scheme: 'http', authority: 'app.test', path: '/a/B' } as const
    const kept = 'User-Agent: bench\r\nCookie: sid=secret\r\nContent-Length: 4\r\n'
    const sizes: number[] = []
    for (const id of ['id-1', 'id-2', 'id-3']) {
      const own = `X-Forwarded-For: ::1\r\nX-Forwarded-Proto: http\r\nX-Request-ID: ${id}\r\n`
      const written = block(encoder.request(about, kept, own))
      sizes.push(written.length)
      expect(read(decoder, written)).toEqual([
        ':method: POST',
        ':scheme: http',
        ':path: /a/B',
        ':authority: app.test',
        'user-agent: bench',
        'cookie: sid=secret',
        'content-length: 4',
        'x-forwarded-for: ::1',
        'x-forwarded-proto: http',
        `x-request-id: ${id}`,
      ])
    }
    expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) - 20)
    expect(sizes[2]).toBe(sizes[1])
  })

  it('D22 stays of one mind with its reader over a thousand heads', () => {
    const [encoder, decoder] = [new HpackEncoder(), new HpackDecoder()]
    for (let turn = 0; turn < 1_000; turn += 1) {
      const wide = 'v'.repeat((turn * 37) % 700)
      const fields = `X-${turn % 40}: ${turn % 23}\r\nWide: ${wide}\r\nVia: one\r\n`
      expect(read(decoder, block(encoder.head(200 + (turn % 5), turn, fields)))).toEqual([
        `:status: ${200 + (turn % 5)}`,
        `content-length: ${turn}`,
        `x-${turn % 40}: ${turn % 23}`,
        `wide: ${wide}`,
        'via: one',
      ])
    }
  })
})
