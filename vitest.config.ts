/**
 * One run for everything, so that one closing line speaks for all of it. The projects differ only
 * in what they may touch: `unit` is pure, `architecture` reads our own sources, `simulation` takes its
 * time, `integration` has a Redis server, `net-transport` asks the data plane's questions once more on
 * the other transport, and `system` starts whole processes.
 */
import { defineConfig } from 'vitest/config'
import { ClosingLine } from './test/support/closing-line.ts'

/** One more than the cores of a small machine: many tests wait for most of their time. */
const workers = 3
const redis = ['./test/support/redis.global.ts']

export default defineConfig({
  test: {
    maxWorkers: workers,
    reporters: ['default', new ClosingLine()],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['libs/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'architecture',
          include: ['test/architecture/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['test/{simulation,conformance,fuzz}/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          globalSetup: [...redis, './test/support/transport.auto.ts'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'net-transport',
          include: ['test/integration/proxy/**/*.test.ts'],
          // What does not depend on whose sockets they are, or takes its time.
          exclude: [
            '**/{admin,follower,heartbeat,web-socket-ends,stalled,storm,grpc}.test.ts',
            '**/{http2,h2-target}*.test.ts',
          ],
          globalSetup: ['./test/support/transport.net.ts'],
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: redis,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
})
