/**
 * What we have of `node:http`, which is not what proxies. To import that module reads every name it gives
 * out, and some of them load whole libraries first, a client for HTTP and WebSockets among them: fifteen
 * megabytes in a process that never uses it. To ask for the module by its name does not.
 */
export const { createServer, STATUS_CODES } = process.getBuiltinModule('node:http')
