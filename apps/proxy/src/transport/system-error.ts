import { getSystemErrorName } from 'node:util'

/** Of a negative libuv status, as Node's own socket errors: with `code` and `syscall`. */
export const systemError = (status: number, syscall: string): Error => {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall, errno: status })
}
