/** What to try next, printed once everything runs. Pure. */
import { relative } from 'node:path'
import type { Example } from './example.ts'
import { EXAMPLE_HOST } from './example.ts'
import { localCaFiles } from './local-ca/local-ca.ts'
import { logFolder } from './programs.ts'
import type { UpRedis } from './redis.ts'
import { reachable, sayAddress, type UpSettings } from './settings.ts'

export interface GuideOptions {
  readonly settings: UpSettings
  readonly redis: Pick<UpRedis, 'kind'>
  readonly example: Example | undefined
  readonly cwd: string
}

export const guide = ({ settings, redis, example, cwd }: GuideOptions): string => {
  const { listen, listenTls, admin, proxies, dataDir, ownCertificate } = settings
  const shown = (path: string): string => {
    const short = relative(cwd, path)
    return short === '' || short.startsWith('..') ? path : short
  }
  const at = sayAddress(reachable(listen))
  const secure = listenTls === 'off' ? undefined : reachable(listenTls)
  const runs = [
    `${proxies} ${proxies === 1 ? 'proxy' : 'proxies'} on http://${at}${
      secure === undefined ? '' : ` and https://${sayAddress(secure)}`
    }`,
    'a worker',
    redis.kind === 'private' ? 'a private Redis' : 'the Redis of GATEHOUSE_REDIS_URL',
    ...(example === undefined ? [] : ['the example in two releases']),
  ]
  const tries =
    example === undefined
      ? [
          ['npm run cmd -- deploy spec.json', 'put a service behind it'],
          ['npm run cmd -- list', 'see what is where'],
        ]
      : [
          [`curl -H 'Host: ${EXAMPLE_HOST}' http://${at}/`, 'ask for the example'],
          [`npm run cmd -- deploy ${shown(example.green.spec)}`, 'deploy its next release'],
          ['npm run cmd -- list', 'see what is where'],
          ...(secure === undefined || ownCertificate
            ? []
            : [
                [
                  `curl --cacert ${shown(localCaFiles(dataDir).authority)} https://${EXAMPLE_HOST}:${secure.port}/`,
                  'and over HTTPS',
                ],
                ['npm run cmd -- trust', 'how browsers come to trust it'],
              ]),
          ['npm run cmd -- history', 'what happened, and who did it'],
          ['npm run cmd -- rollback hello', 'and back again'],
        ]
  const width = Math.max(...tries.map(([command]) => command?.length ?? 0))
  return [
    '',
    `Gatehouse is up: ${runs.join(', ')}.`,
    '',
    'Try, in another terminal:',
    '',
    ...tries.map(([command, what]) => `  ${(command ?? '').padEnd(width)}   # ${what ?? ''}`),
    '',
    `Logs: ${shown(logFolder(dataDir))}/*.log   Admin: http://${sayAddress(reachable(admin))}/routes   Stop: Ctrl-C`,
    '',
  ].join('\n')
}
