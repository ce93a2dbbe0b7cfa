/** The verbs about certificates: `cert list`, `cert issue` and so on. */
import { Option, type Command } from 'commander'
import { collect } from './arguments.ts'
import type { ExitCode } from './exit-codes.ts'
import type { Io } from './io.ts'
import { asking, examples, reading } from './program-options.ts'
import type { AskOptions } from './verbs/certificates/ask.ts'
import type { ImportOptions, RevokeOptions } from './verbs/certificates/change.ts'
import type { IssueOptions } from './verbs/certificates/order.ts'
import type { GlobalOptions } from './verbs/options.ts'

/** What an order may take: the authority looks at every host, and has its own pace. */
const ORDER_WAIT_MS = 120_000

export const addCertificates = (program: Command, io: Io, done: (exit: ExitCode) => void): void => {
  const cert = program.command('cert').description('certificates: what there is, and changes to it')
  addReading(cert, io, done)
  addOrders(cert, io, done)
  addChanges(cert, io, done)
  reading(cert, 'rotate-key')
    .description('seal with the first secret key what older ones sealed; then they may go')
    .action(async (options: GlobalOptions) => {
      const { rotateKey } = await import('./verbs/certificates/rotate-key.ts')
      done(await rotateKey(io, options))
    })
  cert.addHelpText(
    'after',
    examples([
      'cert list',
      'cert issue shop --host shop.example.com --host www.shop.example.com',
      'cert import --name shop --cert chain.pem --key key.pem',
      'cert revoke shop --revocation-reason keyCompromise',
    ]),
  )
}

const addReading = (cert: Command, io: Io, done: (exit: ExitCode) => void): void => {
  reading(cert, 'list')
    .alias('ls')
    .description('every certificate: its names, until when, and what is under way')
    .action(async (options: GlobalOptions) => {
      const { listCertificates } = await import('./verbs/certificates/list.ts')
      done(await listCertificates(io, options))
    })
  reading(cert, 'show')
    .argument('<name>')
    .description('everything about one certificate')
    .action(async (name: string, options: GlobalOptions) => {
      const { showCertificate } = await import('./verbs/certificates/list.ts')
      done(await showCertificate(io, name, options))
    })
}

const addOrders = (cert: Command, io: Io, done: (exit: ExitCode) => void): void => {
  asking(cert, 'issue', ORDER_WAIT_MS)
    .argument('<name>', 'the name of a service, or any other with --host')
    .description('order a certificate and wait until it is there')
    .option('--host <name>', 'a name it covers; repeat or separate with commas', collect)
    .action(async (name: string, options: IssueOptions) => {
      const { issue } = await import('./verbs/certificates/order.ts')
      done(await issue(io, name, options))
    })
  asking(cert, 'renew', ORDER_WAIT_MS)
    .argument('<name>')
    .description('order its successor now, whether it is due or not')
    .action(async (name: string, options: AskOptions) => {
      const { renew } = await import('./verbs/certificates/order.ts')
      done(await renew(io, name, options))
    })
}

const addChanges = (cert: Command, io: Io, done: (exit: ExitCode) => void): void => {
  asking(cert, 'import')
    .description('serve a certificate of your own; proxies change over without dropping anything')
    .requiredOption('--name <name>', 'what it is called here: the name of its service')
    .requiredOption('--cert <file>', 'the certificate and its chain, in PEM')
    .requiredOption('--key <file>', 'its private key, in PEM, without a pass phrase')
    .action(async (options: ImportOptions) => {
      const { importCertificate } = await import('./verbs/certificates/change.ts')
      done(await importCertificate(io, options))
    })
  asking(cert, 'revoke')
    .argument('<name>')
    .description('have its authority revoke it, and order another where the gateway sees to it')
    .addOption(
      new Option('--revocation-reason <reason>', 'what the authority is told')
        .choices([
          'unspecified',
          'keyCompromise',
          'affiliationChanged',
          'superseded',
          'cessationOfOperation',
        ])
        .default('unspecified'),
    )
    .action(async (name: string, options: RevokeOptions) => {
      const { revoke } = await import('./verbs/certificates/change.ts')
      done(await revoke(io, name, options))
    })
  asking(cert, 'remove')
    .alias('rm')
    .argument('<name>')
    .description('take a certificate away that no service needs')
    .action(async (name: string, options: AskOptions) => {
      const { remove } = await import('./verbs/certificates/change.ts')
      done(await remove(io, name, options))
    })
}
