/**
 * The fleet's account at a CA: made once, by whichever worker comes first, and used by all of them. The
 * key is kept before the CA hears of it, so that a worker that dies in between costs no second account:
 * a CA knows an account by its key (RFC 8555 §7.3).
 */
import acme from 'acme-client'
import type { Directory } from './directory.ts'
import { AcmeFailure, isAboutAccount } from './problem.ts'
import type { AcmeSettings } from './settings.ts'

export interface Account {
  /** PKCS #8, PEM. */
  readonly key: string
  /** How the CA calls it; absent until it has answered. */
  readonly url?: string
}

/** Where the account lies, sealed, for all workers of the fleet. */
export interface AccountStore {
  readonly load: () => Promise<Account | undefined>
  /** Keeps it unless there is one, and answers with the one that is there now. */
  readonly add: (account: Account) => Promise<Account>
  readonly update: (account: Account) => Promise<void>
  readonly remove: () => Promise<void>
}

/**
 * A client that acts for the account, which is registered if need be. Throws what the CA says. Has to run
 * inside of a connection.
 */
export const openAccount = async (
  settings: AcmeSettings,
  directory: Directory,
  store: AccountStore,
): Promise<acme.Client> => {
  const known = await store.load()
  if (known?.url !== undefined) return clientOf(settings, known)
  const made = known === undefined ? await newKey() : undefined
  const account = known ?? (await store.add({ key: made ?? '' }))
  const client = clientOf(settings, account)
  // Somebody else's key is there without an answer to it: the CA may have heard of it all the same.
  const registered = account.key !== made && (await isRegistered(client))
  if (!registered) await register(settings, directory, client)
  await store.update({ ...account, url: client.getAccountUrl() })
  return client
}

const clientOf = (settings: AcmeSettings, { key, url }: Account): acme.Client =>
  new acme.Client({
    directoryUrl: settings.directory,
    accountKey: key,
    ...(url === undefined ? {} : { accountUrl: url }),
    ...(settings.binding === undefined
      ? {}
      : {
          externalAccountBinding: {
            kid: settings.binding.keyId,
            hmacKey: settings.binding.hmacKey,
          },
        }),
  })

const newKey = async (): Promise<string> =>
  (await acme.crypto.createPrivateEcdsaKey('P-256')).toString()

const isRegistered = async (client: acme.Client): Promise<boolean> => {
  try {
    await client.createAccount({ onlyReturnExisting: true })
    return true
  } catch (error) {
    if (isAboutAccount(error)) return false
    throw error
  }
}

const register = async (
  { email, binding, directory: url }: AcmeSettings,
  { meta }: Directory,
  client: acme.Client,
): Promise<void> => {
  if (meta.externalAccountRequired && binding === undefined) {
    throw new AcmeFailure(
      `the CA at ${url} takes only accounts that are bound to a contract: set GATEHOUSE_ACME_EAB_KID and GATEHOUSE_ACME_EAB_KEY`,
    )
  }
  await client.createAccount({
    termsOfServiceAgreed: true,
    ...(email === undefined ? {} : { contact: [`mailto:${email}`] }),
  })
}
