/** The ways of HTTP as curl has them and a Node server answers them, with the proxy in between. */
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startEdge, type Edge } from './edge.ts'

const hasCurl = ((): boolean => {
  try {
    execFileSync('curl', ['--version'])
    return true
  } catch {
    return false
  }
})()

const hasHttp2 =
  hasCurl && execFileSync('curl', ['--version'], { encoding: 'utf8' }).includes('HTTP2')

const CONTENT = '0123456789'
const PART = (from: number, to: number): string =>
  `--b\r\nContent-Range: bytes ${from}-${to}/10\r\n\r\n${CONTENT.slice(from, to + 1)}\r\n`

const answer: RequestListener = (request, response) => {
  const { method = '', url = '', headers } = request
  if (url === '/hints') {
    response.writeEarlyHints({ link: '</a.css>; rel=preload' })
    response.end('hinted')
  } else if (url === '/trailers') {
    response.setHeader('Trailer', 'X-Sum')
    response.write('summed')
    response.addTrailers({ 'X-Sum': '42' })
    response.end()
  } else if (url === '/range' && headers.range === 'bytes=2-4') {
    response.writeHead(206, { 'Content-Range': 'bytes 2-4/10', 'Content-Length': 3 })
    response.end(CONTENT.slice(2, 5))
  } else if (url === '/range' && headers.range === 'bytes=0-1,8-9') {
    response.writeHead(206, { 'Content-Type': 'multipart/byteranges; boundary=b' })
    response.end(`${PART(0, 1)}${PART(8, 9)}--b--\r\n`)
  } else if (method === 'HEAD') {
    response.writeHead(200, { 'Content-Length': 1234 })
    response.end()
  } else {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => response.end(`${method} ${url} ${headers.host ?? ''} ${body}`))
  }
}

describe.skipIf(!hasCurl)('curl', () => {
  let server: Server
  let edge: Edge
  /** Standard output: the heads, because of `--include`, and the bodies. */
  const curl = (...args: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = execFile(
        'curl',
        ['--silent', '--show-error', '--include', '--max-time', '10', '--noproxy', '', ...args],
        { encoding: 'latin1' },
        (error, stdout) => (error === null ? resolve(stdout) : reject(error)),
      )
      child.stdin?.end('from standard input')
    })
  const at = (path: string): string => `http://127.0.0.1:${edge.port}${path}`

  beforeEach(async () => {
    server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    edge = await startEdge()
    edge.route({ targets: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`] })
  })
  afterEach(async () => {
    await edge[Symbol.asyncDispose]()
    server.closeAllConnections()
    server.close()
  })

  it('N14 D23 sees early hints and then the answer', async () => {
    expect(await curl(at('/hints'))).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK[^]*hinted$/i,
    )
  })

  it('N14 D23 sees trailers when it says that it takes them, and none otherwise', async () => {
    const asked = await curl('--raw', '--header', 'TE: trailers', at('/trailers'))
    expect(asked).toMatch(/6\r\nsummed\r\n0\r\nX-Sum: 42\r\n\r\n$/)
    expect(await curl('--raw', at('/trailers'))).toMatch(/6\r\nsummed\r\n0\r\n\r\n$/)
  })

  it('N14 D17 is told to go on before it sends its body', async () => {
    const sent = await curl('--header', 'Expect: 100-continue', '--data-binary', '@-', at('/up'))
    expect(sent).toMatch(
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*POST \/up 127[^ ]+ from standard input$/,
    )
  })

  it('N14 sends a body in chunks', async () => {
    const chunked = ['--header', 'Transfer-Encoding: chunked', '--data-binary', '@-']
    expect(await curl(...chunked, at('/up'))).toMatch(/POST \/up [^ ]+ from standard input$/)
  })

  it('N14 D17 gets the length for HEAD, and nothing else', async () => {
    expect(await curl('--head', at('/'))).toMatch(/Content-Length: 1234\r\n(?:.+\r\n)*\r\n$/)
  })

  it('N14 gets a range, and several in one answer', async () => {
    const one = await curl('--range', '2-4', at('/range'))
    expect(one).toMatch(/^HTTP\/1\.1 206 [^]*Content-Range: bytes 2-4\/10\r\n[^]*\r\n\r\n234$/)
    const two = await curl('--range', '0-1,8-9', at('/range'))
    expect(two).toMatch(/Content-Type: multipart\/byteranges; boundary=b\r\n/)
    expect(two.endsWith(`${PART(0, 1)}${PART(8, 9)}--b--\r\n`)).toBe(true)
  })

  it('N14 asks in HTTP/1.0, and for the server as a whole', async () => {
    expect(await curl('--http1.0', at('/old'))).toMatch(/GET \/old [^ ]+ $/)
    const options = ['--request', 'OPTIONS', '--request-target', '*']
    expect(await curl(...options, at('/'))).toMatch(/OPTIONS \* [^ ]+ $/)
  })

  it('N14 asks as one asks a forward proxy', async () => {
    const seen = await curl('--proxy', at(''), 'http://app.test/absolute')
    expect(seen).toMatch(/GET \/absolute app\.test $/)
  })

  it('N14 P1 that offers HTTP/2 stays with HTTP/1.1', async () => {
    const seen = await curl('--http2', at('/upgrade'))
    expect(seen).toMatch(/^HTTP\/1\.1 200 OK[^]*GET \/upgrade [^ ]+ $/)
    expect(seen).not.toContain(' 101 ')
  })

  describe.skipIf(!hasHttp2)('in HTTP/2', () => {
    const http2 = (...args: readonly string[]): Promise<string> =>
      curl('--http2-prior-knowledge', ...args)

    it('N14 D23 sees early hints and then the answer', async () => {
      expect(await http2(at('/hints'))).toMatch(
        /^HTTP\/2 103 \r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/2 200 [^]*hinted$/,
      )
    })

    it('N14 D23 sees trailers when it says that it takes them, and none otherwise', async () => {
      const asked = await http2('--header', 'TE: trailers', at('/trailers'))
      expect(asked).toMatch(/\r\n\r\nsummedx-sum: 42\r\n/)
      expect(await http2(at('/trailers'))).toMatch(/\r\n\r\nsummed$/)
    })

    it('N14 D17 D22 sends a body, and is told to go on before it does', async () => {
      const upload = ['--data-binary', '@-', at('/up')]
      expect(await http2(...upload)).toMatch(/POST \/up 127[^ ]+ from standard input$/)
      const expecting = await http2('--header', 'Expect: 100-continue', ...upload)
      expect(expecting).toMatch(
        /^HTTP\/2 100 \r\n\r\nHTTP\/2 200 [^]*POST \/up [^ ]+ from standard input$/,
      )
    })

    it('N14 D17 gets the length for HEAD, a range, and several in one answer', async () => {
      expect(await http2('--head', at('/'))).toMatch(/content-length: 1234\r\n(?:.+\r\n)*\r\n$/)
      const one = await http2('--range', '2-4', at('/range'))
      expect(one).toMatch(/^HTTP\/2 206 [^]*content-range: bytes 2-4\/10\r\n[^]*\r\n\r\n234$/)
      const two = await http2('--range', '0-1,8-9', at('/range'))
      expect(two.endsWith(`${PART(0, 1)}${PART(8, 9)}--b--\r\n`)).toBe(true)
    })

    it('C9 N14 names its host by authority', async () => {
      const named = await http2('--header', 'Host: app.test', at('/named'))
      expect(named).toMatch(/GET \/named app\.test $/)
    })
  })

  it('N14 uses its connection again', async () => {
    const seen = await curl('--write-out', '<%{num_connects}>', at('/1'), at('/2'))
    expect(seen.match(/<\d>/g)).toEqual(['<1>', '<0>'])
  })
})
