/** For vitest's `globalSetup`: the same tests once more, on the transport of `node:net`. */
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    transport: 'net' | 'handle' | 'auto'
  }
}

export const setup = (project: TestProject): void => project.provide('transport', 'net')
