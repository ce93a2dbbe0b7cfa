/** For vitest's `globalSetup`: on the transport of handles, which is what proxies run on. */
import type { TestProject } from 'vitest/node'

export const setup = (project: TestProject): void => project.provide('transport', 'handle')
