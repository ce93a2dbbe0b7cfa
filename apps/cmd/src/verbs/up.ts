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
import { LOCAL_NAMES, openLocalCa } from '../up/local-ca/local-ca.ts'
import { freePort, problemOfPort } from '../up/ports.ts'
import { startRedis } from '../up/redis.ts'
import { ensureSecretKey } from '../up/secret-key.ts'
import { awaitFleet, seedExample } from '../up/ready.ts'
import {
  proxyName,
  readUpSettings,
  reachable,
  sayAddress,
  type Address,
  type UpSettings,
} from '../up/settings.ts'
import { chooseExample } from '../up/example.ts'
import { turnSocket, takeTurn } from '../up/turn.ts'
import { resolved } from '../up/sockets.ts'
import { READY_MS_DEFAULT, type Upgrade } from '../up/upgrade.ts'
import { answerUpgrade } from '../up/upgrade-request.ts'
import { outputOptions, type GlobalOptions } from './options.ts'

export interface UpOptions extends GlobalOptions {
  readonly proxies?: string
}

export const up = async (io: Io, options: UpOptions): Promise<ExitCode> => {
  const output = createOutput(io, outputOptions(options))
  const settings = readUpSettings(io.environment, options.proxies)
  const address = `http://${sayAddress(reachable(settings.listen))}`
  const running: Running = { upgrade: undefined }
  const turn = await takeTurn(
    await turnSocket(settings.dataDir),
    { pid: process.pid, address },
    (socket) => answerUpgrade(socket, upgradeOf(running, output)),
  )
  if (turn.kind === 'held') {
    const { holder } = turn
    const who = holder === undefined ? '' : ` (process ${holder.pid}) on ${holder.address}`
    output.warn(`Gatehouse is running here already${who}; npm run cmd -- list shows what it serves`)
    return EXIT.ok
  }
  try {
    return await start(io, output, settings, running)
  } finally {
    await turn.release()
  }
}

/** What those who ask over the socket of the turn can have, once it is there. */
interface Running {
  upgrade: Upgrade | undefined
}

/** Said here as well as to whoever asked. */
const upgradeOf =
  (running: Running, output: Output): Upgrade =>
  async (readyMs, say) => {
    const { upgrade } = running
    if (upgrade === undefined) {
      return { proxies: [], failure: { because: 'busy', why: 'Gatehouse is still starting' } }
    }
    return upgrade(readyMs, (sentence) => {
      output.step(sentence)
      say(sentence)
    })
  }

const start = async (
  io: Io,
  output: Output,
  given: UpSettings,
  running: Running,
): Promise<ExitCode> => {
  const busy = await busyPort(given)
  if (busy !== undefined) {
    output.warn(busy)
    return EXIT.failed
  }
  const settings = {
    ...given,
    listen: await resolved(given.listen),
    listenTls: await chooseSecure(given, output),
    admin: await resolved(given.admin),
  }
  // From here on, because a signal that nobody listens to would end us.
  io.onUpgradeSignal?.(() => void upgradeBySignal(running, output))
  await using stack = new AsyncDisposableStack()
  const redis = await startRedis(settings, io.environment, output)
  if ('missing' in redis) {
    output.warn(redis.missing)
    return EXIT.failed
  }
  stack.defer(redis.stop)
  ensureSecretKey(settings.dataDir, io.environment)
  const example = settings.example ? await chooseExample(settings.dataDir, output) : undefined
  const { dataDir, listenTls, ownCertificate } = settings
  const certificate =
    listenTls === 'off' || ownCertificate ? undefined : await openLocalCa(dataDir, LOCAL_NAMES)
  const programs = startPrograms({
    settings,
    redisUrl: redis.url,
    example,
    certificate,
    io,
    output,
  })
  stack.defer(programs.stop)
  running.upgrade = programs.upgrade
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

const upgradeBySignal = async (running: Running, output: Output): Promise<void> => {
  const { failure } = await upgradeOf(running, output)(READY_MS_DEFAULT, () => {})
  if (failure === undefined) output.step('every proxy was replaced')
  else output.warn(`${failure.why}; what served before still serves`)
}

/** Where nobody has said which port, and the usual one is taken, another one will do. */
const chooseSecure = async (
  { listenTls, listenTlsIsDefault }: UpSettings,
  output: Output,
): Promise<Address | 'off'> => {
  if (listenTls === 'off') return 'off'
  const address = await resolved(listenTls)
  const port = listenTlsIsDefault ? await freePort(address) : address.port
  if (port !== address.port) {
    output.step(`port ${address.port} is taken, so HTTPS is on port ${port}`)
  }
  return { ...address, port }
}

const busyPort = async ({
  name,
  listen,
  listenTls,
  listenTlsIsDefault,
  admin,
  proxies,
}: UpSettings): Promise<string | undefined> => {
  const admins = Array.from({ length: proxies }, (_, index) => ({
    address: { host: admin.host, port: admin.port + index },
    who: `the admin pages of ${proxyName(name, index)}`,
    setting: 'GATEHOUSE_ADMIN',
  }))
  const clash = admins.find(({ address }) => address.port === listen.port)
  if (clash !== undefined) {
    throw new InvalidSetting(
      `GATEHOUSE_LISTEN and GATEHOUSE_ADMIN meet at port ${listen.port}; expected ${proxies} admin ports beside it`,
    )
  }
  const secure = { who: 'the proxies', setting: 'GATEHOUSE_LISTEN_TLS' }
  const wanted = [
    { address: listen, who: 'the proxies', setting: 'GATEHOUSE_LISTEN' },
    ...(listenTls === 'off' || listenTlsIsDefault ? [] : [{ ...secure, address: listenTls }]),
    ...admins,
  ]
  const problems = await Promise.all(wanted.map(problemOfPort))
  return problems.find((problem) => problem !== undefined)
}
