/** The command line: every verb with its arguments and options, and the function that carries it out. */
import { VERSION } from '@gatehouse/events'
import { Command } from 'commander'
import { collect, readCount, readDrainDuration } from './arguments.ts'
import { EXIT_MEANINGS, type ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { addCertificates } from './program-certificates.ts'
import { changing, duration, examples, reading } from './program-options.ts'
import { deploy } from './verbs/deploy.ts'
import type { DeployOptions } from './verbs/deploy-flags.ts'
import { fleet } from './verbs/fleet.ts'
import { history, HISTORY_LIMIT_DEFAULT, type HistoryOptions } from './verbs/history.ts'
import { list } from './verbs/list.ts'
import type { ChangeOptions, GlobalOptions } from './verbs/options.ts'
import * as ask from './verbs/requests.ts'
import { routes, type RoutesOptions } from './verbs/routes.ts'
import { show } from './verbs/show.ts'
import { READY_MS_DEFAULT } from './up/upgrade.ts'
import type { UpOptions } from './verbs/up.ts'
import type { UpgradeOptions } from './verbs/upgrade.ts'
import { watch, type WatchOptions } from './verbs/watch.ts'

/** The program; `done` is told the exit code of the verb that ran. */
export const createProgram = (io: Io, done: (exit: ExitCode) => void): Command => {
  const program = new Command('gatehouse')
    .description(
      'The edge you deploy through: deploys, switches and drains are events, and every proxy follows them.',
    )
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [verb]', 'print help for a verb')
    .showSuggestionAfterError(true)
    .addHelpText('after', afterHelp)
  addDeploy(program, io, done)
  addChanges(program, io, done)
  addReading(program, io, done)
  addCertificates(program, io, done)
  reading(program, 'up')
    .description(
      'start everything on this machine: Redis, a worker, proxies and an example (npm start)',
    )
    .option('--proxies <count>', 'how many proxies (default: GATEHOUSE_PROXIES, else 2)')
    .action(async (options: UpOptions) => {
      // The only verb that needs all of `up/`.
      const { up } = await import('./verbs/up.ts')
      done(await up(io, options))
    })
    .addHelpText('after', afterUp)
  reading(program, 'upgrade')
    .description(
      'replace the proxies that npm start runs here by new ones, with the code that is on disk now',
    )
    .addOption(
      duration(
        '--ready-timeout <time>',
        'what a new proxy may take to start and to read the log',
        READY_MS_DEFAULT,
      ),
    )
    .action(async (options: UpgradeOptions) => {
      const { upgrade } = await import('./verbs/upgrade.ts')
      done(await upgrade(io, options))
    })
    .addHelpText('after', afterUpgrade)
  reading(program, 'trust')
    .description('say how this machine comes to trust the certificates of npm start')
    .action(async (options: GlobalOptions) => {
      const { trust } = await import('./verbs/trust.ts')
      done(await trust(io, options))
    })
  return program
}

const addDeploy = (program: Command, io: Io, done: (exit: ExitCode) => void): void => {
  changing(program, 'deploy')
    .argument('[subject]', 'a spec file (.json, .yaml), or the name of a service with flags')
    .description('declare a release, check it, make it active everywhere, drain the one before')
    .option('--target <url>', 'where the release listens; repeat or separate with commas', collect)
    .option(
      '--host <name>',
      'a host it answers for, *.example.com or default; repeat or separate with commas',
      collect,
    )
    .option('--release <id>', 'its name (default: the time of the deploy)')
    .option('--metadata <key=value>', 'a label, such as version=1.4.2; repeat', collect)
    .option('--health-check-path <path>', 'what is asked for (default: /up)')
    .option('--health-check-interval <time>', 'from one attempt to the next (default: 1s)')
    .option('--health-check-timeout <time>', 'what one attempt may take (default: 5s)')
    .option('--health-check-host <name>', 'the Host that attempts carry (default: the first host)')
    .option(
      '--deploy-timeout <time>',
      'what it may take to become healthy, all attempts together (default: 5s)',
    )
    .option(
      '--drain-timeout <time>',
      'what work in flight may take once the release drains, or infinity (default: 30s)',
    )
    .option('--target-timeout <time>', 'what a target may take to begin its answer (default: 30s)')
    .option('--max-request-body <size>', 'such as 10MiB (default: unlimited)')
    .option('--tls', 'the gateway sees to a certificate for the hosts, and renews it')
    .option(
      '--tls-certificate-path <file>',
      'bring your own: the certificate and its chain, in PEM',
    )
    .option('--tls-private-key-path <file>', 'and its private key')
    .option('--tls-client-ca-path <file>', 'who signs the certificates that clients must show')
    .option('--tls-redirect [bool]', 'send http to https (default: true where there is TLS)')
    .option('--hsts [time]', 'have browsers come by https only, such as 365d (default: a year)')
    .option('--canonical-host <name>', 'the host that all others lead to')
    .option('--force', 'skip the health check: the release is activated at once')
    .option('--stage', 'check the release, but leave the one before active; switch makes it active')
    .option('--take-over', 'take hosts from the services that own them')
    .option('--if-absent', 'do nothing when the service is there already')
    .action(async (subject: string | undefined, options: DeployOptions) =>
      done(await deploy(io, subject, options)),
    )
    .addHelpText(
      'after',
      examples([
        'deploy spec.json',
        'deploy shop --target 10.0.0.5:3000 --host shop.example.com',
        'deploy shop --target 10.0.0.5:3000 --host shop.example.com --tls',
        'deploy spec.yaml --metadata commit=$GITHUB_SHA --idempotency-key $GITHUB_RUN_ID',
      ]),
    )
}

const addChanges = (program: Command, io: Io, done: (exit: ExitCode) => void): void => {
  const run = async (request: Parameters<typeof ask.carryOut>[1]): Promise<void> =>
    done(await ask.carryOut(io, request))
  changing(program, 'switch')
    .argument('<service>')
    .argument('<release>')
    .description('check a known release again and make it active')
    .action((service: string, release: string, options: ChangeOptions) =>
      run(ask.switchTo(service, release, options)),
    )
  changing(program, 'rollback')
    .argument('<service>')
    .description('switch to the release that was active before')
    .option('--to <release>', 'to this release instead')
    .action((service: string, options: ask.RollbackOptions) => run(ask.rollback(service, options)))
  changing(program, 'drain')
    .argument('<service>')
    .argument('[release]', 'the active one when none is named')
    .description('give a release no new work, and wait until what it has is done')
    .option(
      '--drain-timeout <time>',
      'cut what is left after this time, or infinity (default: as deployed)',
      readDrainDuration,
    )
    .action((service: string, release: string | undefined, options: ask.DrainOptions) =>
      run(ask.drain(service, release, options)),
    )
  changing(program, 'pause')
    .argument('<service>')
    .description('hold new requests, and wait until nothing is in flight')
    .addOption(duration('--max-pause <time>', 'what a request waits at most', ask.HOLD_MS_DEFAULT))
    .addOption(
      duration(
        '--drain-timeout <time>',
        'wait this long for what is in flight',
        ask.QUIET_MS_DEFAULT,
      ),
    )
    .action((service: string, options: ask.PauseOptions) => run(ask.pause(service, options)))
  changing(program, 'resume')
    .argument('<service>')
    .description('let requests go again after pause or stop')
    .action((service: string, options: ChangeOptions) => run(ask.resume(service, options)))
  changing(program, 'stop')
    .argument('<service>')
    .description('answer new requests with 503 and a message, and wait until nothing is in flight')
    .option('--message <text>', 'what the answer says', '')
    .addOption(
      duration(
        '--drain-timeout <time>',
        'wait this long for what is in flight',
        ask.QUIET_MS_DEFAULT,
      ),
    )
    .action((service: string, options: ask.StopOptions) => run(ask.stop(service, options)))
  changing(program, 'remove')
    .alias('rm')
    .argument('<service>')
    .description('take a service and its hosts away, and drain it')
    .action((service: string, options: ChangeOptions) => run(ask.remove(service, options)))
}

const addReading = (program: Command, io: Io, done: (exit: ExitCode) => void): void => {
  reading(program, 'list')
    .alias('ls')
    .description('services with their active release, state and drains')
    .action(async (options: GlobalOptions) => done(await list(io, options)))
  reading(program, 'routes')
    .description('which host leads to which target')
    .option('--url <admin>', 'as one running proxy has it, such as http://127.0.0.1:9900')
    .action(async (options: RoutesOptions) => done(await routes(io, options)))
  reading(program, 'show')
    .argument('<service>')
    .description('everything about one service')
    .action(async (service: string, options: GlobalOptions) =>
      done(await show(io, service, options)),
    )
  reading(program, 'history')
    .argument('[service]')
    .description('what happened, who did it and why')
    .option('--limit <count>', 'the newest so many', readCount(1), HISTORY_LIMIT_DEFAULT)
    .action(async (service: string | undefined, options: HistoryOptions) =>
      done(await history(io, service, options)),
    )
  reading(program, 'fleet')
    .description('proxies and workers, where they are and whether they agree')
    .action(async (options: GlobalOptions) => done(await fleet(io, options)))
  reading(program, 'watch')
    .argument('[service]')
    .description('events as they happen, until Ctrl-C')
    .option('--from <position>', 'begin with the event at this position', readCount(1))
    .action(async (service: string | undefined, options: WatchOptions) =>
      done(await watch(io, service, options)),
    )
}

const afterHelp = `
Exit codes:
${EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padEnd(4)} ${meaning}\n`).join('')}
Settings:
  GATEHOUSE_REDIS_URL  the fleet's Redis (default: the one that npm start runs)
  GATEHOUSE_FLEET      the fleet's name (default: main)
  GATEHOUSE_DATA       where local files live (default: .gatehouse)
  GATEHOUSE_SECRET_KEY what private keys are sealed with (or GATEHOUSE_SECRET_KEY_FILE)
`

const afterUpgrade = `
One proxy after the other: its successor starts and reads the log, both serve for a moment on the same
socket, then the one before takes nothing new, finishes what it has (GATEHOUSE_GRACE_MS) and ends.
A successor that does not get ready in time is ended, the one before stays, and nothing further is
replaced. SIGUSR2 to the process of npm start does the same.
`

const afterUp = `
Settings:
  GATEHOUSE_LISTEN     where the proxies listen, all on one address (default: 127.0.0.1:8080)
  GATEHOUSE_ADMIN      the first proxy's admin address; the next ones count up (default: 127.0.0.1:9900)
  GATEHOUSE_PROXIES    how many proxies (default: 2)
  GATEHOUSE_GRACE_MS   how long a proxy that is stopped or replaced lets its work go on (default: 30000)
  GATEHOUSE_PROXY_ID   what the proxies are called, with a number each (default: proxy)
  GATEHOUSE_EXAMPLE    "no" leaves the example application out
  GATEHOUSE_REDIS_URL  use this Redis instead of a private one
  GATEHOUSE_FLEET      the fleet's name (default: main)
  GATEHOUSE_DATA       where the log, local copies and log files live (default: .gatehouse)
`
