/** For vitest's `globalSetup`: on the transport that proxies run on, which is the fastest that works here. */
import type { TestProject } from 'vitest/node'

export const setup = (project: TestProject): void => project.provide('transport', 'auto')
