/**
 * `up`: the whole of Gatehouse on this machine, until Ctrl-C. What was there before is left alone;
 * what was started is stopped in order: proxies first, Redis last.
 */
import { InvalidSetting } from '@gatehouse/events'
import { EXIT, type ExitCode } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { createOutput, type Output } from '../output/output.ts'
import { guide } from '../up/guide.ts'
import { startPrograms } from '../up/programs.ts'
import { problemOfPort } from '../up/ports.ts'
import { startRedis } from '../up/redis.ts'
import { awaitFleet, seedExample } from '../up/ready.ts'
import { readUpSettings, reachable, sayAddress, type UpSettings } from '../up/settings.ts'
import { chooseExample } from '../up/example.ts'
import { turnSocket, takeTurn } from '../up/turn.ts'
import { outputOptions, type GlobalOptions } from './options.ts'

export const up = async (io: Io, options: GlobalOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  const settings = readUpSettings(io.environment)
  const address = `http://${sayAddress(reachable(settings.listen))}`
  const turn = await takeTurn(await turnSocket(settings.dataDir), { pid: process.pid, address })
  if (turn.kind === 'held') {
    const { holder } = turn
    const who = holder === undefined ? '' : ` (process ${holder.pid}) on ${holder.address}`
    output.warn(`Gatehouse is running here already${who}; npm run cmd -- list shows what it serves`)
    return EXIT.ok
  }
  try {
    return await start(io, output, settings)
  } finally {
    await turn.release()
  }
}

const start = async (io: Io, output: Output, settings: UpSettings): Promise<ExitCode> => {
  const busy = await busyPort(settings)
  if (busy !== undefined) {
    output.warn(busy)
    return EXIT.failed
  }
  await using stack = new AsyncDisposableStack()
  const redis = await startRedis(settings, io.environment, output)
  if ('missing' in redis) {
    output.warn(redis.missing)
    return EXIT.failed
  }
  stack.defer(redis.stop)
  const example = settings.example ? await chooseExample(settings.dataDir, output) : undefined
  const programs = startPrograms({ settings, redisUrl: redis.url, example, io, output })
  stack.defer(programs.stop)
  io.atOnce.addEventListener('abort', () => {
    programs.kill()
    redis.kill()
  })

  const fleet = { ...io, environment: { ...io.environment, GATEHOUSE_REDIS_URL: redis.url } }
  try {
    output.now('starting a worker and the proxies')
    const ready = await awaitFleet(fleet, output, settings)
    if (ready && example !== undefined) await seedExample(fleet, output, settings, example)
    if (ready)
      output.answer({ address: settings.listen, redisUrl: redis.url }, () =>
        guide({ settings, redis, example, cwd: io.cwd }),
      )
    await redis.keep(io.interrupted)
  } catch (error) {
    if (!io.interrupted.aborted) throw error
  }
  output.step('stopping: proxies, worker, example, Redis …')
  await stack.disposeAsync()
  output.step('stopped')
  return EXIT.ok
}

const busyPort = async ({ listen, admin, proxies }: UpSettings): Promise<string | undefined> => {
  const admins = Array.from({ length: proxies }, (_, index) => ({
    address: { host: admin.host, port: admin.port + index },
    who: `the admin pages of proxy-${index + 1}`,
    setting: 'GATEHOUSE_ADMIN',
  }))
  const clash = admins.find(({ address }) => address.port === listen.port)
  if (clash !== undefined) {
    throw new InvalidSetting(
      `GATEHOUSE_LISTEN and GATEHOUSE_ADMIN meet at port ${listen.port}; expected ${proxies} admin ports beside it`,
    )
  }
  const wanted = [{ address: listen, who: 'the proxies', setting: 'GATEHOUSE_LISTEN' }, ...admins]
  const problems = await Promise.all(wanted.map(problemOfPort))
  return problems.find((problem) => problem !== undefined)
}
