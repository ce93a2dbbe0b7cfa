/** The forms that HTTP/1.1 gives a message, over sockets: what passes, and what it has become then. */
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { bodyOf, get, getAndClose, startEdge, statusOf, type Edge } from './edge.ts'
import { always, ok, startTarget, type Script, type Target } from './target.ts'

/** Its target answers with the head that it got. */
const startEcho = async (script: Script = always((head) => ok(head))) => {
  const stack = new AsyncDisposableStack()
  const edge: Edge = stack.use(await startEdge())
  const target: Target = stack.use(await startTarget(script))
  edge.route({ targets: [target.url] })
  return { edge, target, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const closing = (start: string, ...lines: readonly string[]): string =>
  [start, ...lines, 'Connection: close', '', ''].join('\r\n')

describe('targets', () => {
  it.each([
    ['GET http://app.test/x?y HTTP/1.1', 'GET /x?y HTTP/1.1'],
    ['GET http://app.test HTTP/1.1', 'GET / HTTP/1.1'],
    ['OPTIONS * HTTP/1.1', 'OPTIONS * HTTP/1.1'],
    ['OPTIONS http://app.test HTTP/1.1', 'OPTIONS * HTTP/1.1'],
    ['GET //a/../b/%2e%2e/%2F%5c;c?%00 HTTP/1.1', 'GET //a/../b/%2e%2e/%2F%5c;c?%00 HTTP/1.1'],
  ])('P1 %s is asked for as %s', async (sent, forwarded) => {
    await using echo = await startEcho()
    const answer = await echo.edge.ask(closing(sent, 'Host: app.test'))
    expect(bodyOf(answer)).toMatch(/^Host: app\.test\r$/m)
    expect(bodyOf(answer).split('\r\n')[0]).toBe(forwarded)
  })
})

describe('fields', () => {
  it.each([
    'X_Forwarded_For: 6.6.6.6',
    'X.Forwarded.Proto: evil6',
    'x-forwarded_host: evil6',
    'X_Real_IP: 6.6.6.6',
    'X_REQUEST_ID: evil6',
    'Content_Length: 6',
    'Transfer_Encoding: evil6',
    'Forwarded: for=6.6.6.6',
    'Proxy: http://evil6',
  ])('P1 what reads like a field of ours is deleted: %s', async (line) => {
    await using echo = await startEcho()
    const body = bodyOf(await echo.edge.ask(getAndClose('/', line, 'X_Own: kept', 'x.own: kept')))
    expect(body).not.toContain('6.6.6.6')
    expect(body).not.toContain('evil6')
    expect(body).not.toMatch(/^(content|transfer)[-_]/im)
    expect(body).toContain('X_Own: kept\r\nx.own: kept\r\n')
  })

  it('P1 neither a request nor an answer gets a Via or a Server', async () => {
    await using echo = await startEcho()
    expect(await echo.edge.ask(getAndClose())).not.toMatch(/^(via|server):/im)
  })

  it.each(['h2c', 'HTTP/2.0', 'TLS/1.2', 'websocket, h2c'])(
    'P1 an upgrade to %s is never forwarded, and the request is',
    async (protocol) => {
      await using echo = await startEcho()
      const body = bodyOf(
        await echo.edge.ask(
          get(
            '/',
            'Connection: close, Upgrade, HTTP2-Settings',
            `Upgrade: ${protocol}`,
            'HTTP2-Settings: AAMAAABkAAQAAP__',
          ),
        ),
      )
      expect(body).toMatch(/^GET \/ /)
      expect(body).not.toMatch(/^(upgrade|connection|http2-settings):/im)
    },
  )
})

describe('answers', () => {
  it.each<readonly [string, string, string]>([
    ['HEAD', 'HEAD / HTTP/1.1', 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsurplus'],
    ['204', 'GET / HTTP/1.1', 'HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\nsurplus'],
    ['304', 'GET / HTTP/1.1', 'HTTP/1.1 304 No\r\nContent-Length: 7\r\n\r\nsurplus'],
    ['204', 'GET / HTTP/1.1', 'HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ])(
    'P1 D17 a body where none may be (%s) is not given on, and its connection is not used again',
    async (_, start, answer) => {
      await using echo = await startEcho(always(answer))
      const client = echo.edge.client()
      client.send(`${start}\r\nHost: app.test\r\n\r\n`.repeat(2))
      await eventually('both answers', () => client.text.match(/HTTP\/1\.1 /g)?.length === 2)
      expect(echo.target.connections).toHaveLength(2)
      expect(client.text).not.toMatch(/surplus|0\r\n\r\n$/)
    },
  )

  it('P1 D17 a 204 loses its Content-Length, HEAD and 304 keep theirs', async () => {
    await using echo = await startEcho(
      always((head) => {
        const status = head.startsWith('GET /204') ? '204 No Content' : '304 Not Modified'
        const outcome = head.startsWith('HEAD') ? '200 OK' : status
        return `HTTP/1.1 ${outcome}\r\nContent-Length: 7\r\n\r\n`
      }),
    )
    const client = echo.edge.client()
    client.send(get('/204') + get('/304') + getAndClose('/').replace('GET', 'HEAD'))
    await eventually('the end came', () => client.over)
    const [, first, second, third] = client.text.split('HTTP/1.1 ')
    expect([first, second, third].map((text) => text?.includes('Content-Length: 7'))).toEqual([
      false,
      true,
      true,
    ])
  })

  it('N14 several early hints come before the answer, each as soon as it is there', async () => {
    await using echo = await startEcho(() => {})
    const client = echo.edge.client()
    client.send(get())
    const connection = await echo.target.connection(0)
    await connection.head()
    for (const name of ['a', 'b']) {
      connection.send(`HTTP/1.1 103 Early Hints\r\nLink: </${name}.css>\r\n\r\n`)
      await client.sees(`Link: </${name}.css>\r\n\r\n`)
    }
    connection.send(ok('done'))
    expect(await client.sees('done')).toMatch(/^HTTP\/1\.1 103 [^]*HTTP\/1\.1 103 [^]*200 OK/)
  })

  it('N14 ranges and their multipart answer pass to the byte', async () => {
    const part = '--b\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/9\r\n\r\nab\r\n'
    const body = `${part}${part}--b--\r\n`
    await using echo = await startEcho(
      always((head) =>
        /^Range: bytes=0-1, 4-5\r$/m.test(head) && /^If-Range: "x"\r$/m.test(head)
          ? `HTTP/1.1 206 Partial Content\r\nContent-Type: multipart/byteranges; boundary=b\r\nContent-Length: ${body.length}\r\nAccept-Ranges: bytes\r\n\r\n${body}`
          : ok('no range'),
      ),
    )
    const answer = await echo.edge.ask(getAndClose('/', 'Range: bytes=0-1, 4-5', 'If-Range: "x"'))
    expect(statusOf(answer)).toBe(206)
    expect(answer).toContain('Content-Type: multipart/byteranges; boundary=b\r\n')
    expect(bodyOf(answer)).toBe(body)
  })
})

describe('trailers', () => {
  const chunked = (...trailers: readonly string[]): string =>
    ['HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '2', 'ok', '0', ...trailers, '', ''].join(
      '\r\n',
    )

  it('N14 D23 of an answer reach a client that says TE: trailers, but for those that decide something', async () => {
    await using echo = await startEcho(
      always(chunked('grpc-status: 0', 'Set-Cookie: a=b', 'Content-Type: x', 'X-Sum: 1')),
    )
    const asked = getAndClose('/', 'TE: trailers')
    expect(await echo.edge.ask(asked)).toMatch(
      /\r\n\r\n2\r\nok\r\n0\r\ngrpc-status: 0\r\nX-Sum: 1\r\n\r\n$/,
    )
  })

  it('N14 D23 of an answer are dropped for every other client', async () => {
    await using echo = await startEcho(always(chunked('grpc-status: 0')))
    expect(await echo.edge.ask(getAndClose())).toMatch(/\r\n\r\n2\r\nok\r\n0\r\n\r\n$/)
  })

  it('N14 D23 of a request are dropped, and the request is whole', async () => {
    await using echo = await startEcho(async (connection) => {
      await connection.head()
      connection.send(ok(JSON.stringify(await connection.readUntil('0\r\n\r\n'))))
    })
    const head = closing('POST / HTTP/1.1', 'Host: app.test', 'Transfer-Encoding: chunked')
    const answer = await echo.edge.ask(`${head}2\r\nok\r\n0\r\nX-Sum: 1\r\nCookie: a=b\r\n\r\n`)
    expect(JSON.parse(bodyOf(answer))).toBe('2\r\nok\r\n0\r\n\r\n')
  })
})

it('P1 answers pipelined requests in order that arrive cut at every byte', async () => {
  await using echo = await startEcho(async (connection) => {
    for (;;) {
      const head = await connection.head()
      const body = head.includes('chunked') ? await connection.readUntil('0\r\n\r\n') : ''
      connection.send(ok(`<${head.split(' ')[1]}${body.length}>`))
    }
  })
  const chunks = '2\r\nok\r\n0\r\n\r\n'
  const post = 'POST /2 HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n'
  const requests = get('/1') + post + chunks + getAndClose('/3')
  const cutAt = async (at: number): Promise<readonly [number, RegExpMatchArray | null]> => {
    const client = echo.edge.client()
    client.send(requests.slice(0, at))
    // So that it is a write of its own, and a read most of the time.
    await new Promise(setImmediate)
    client.send(requests.slice(at))
    await eventually('the end came', () => client.over, 15_000)
    return [at, client.text.match(/<.*?>/g)]
  }
  const places = Array.from({ length: requests.length - 1 }, (_, index) => index + 1)
  const expected = ['</10>', `</2${chunks.length}>`, '</30>']
  expect(await Promise.all(places.map(cutAt))).toEqual(places.map((at) => [at, expected]))
})
