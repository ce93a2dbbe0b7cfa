/**
 * The last line of every test run: `12 passed, 0 failed, 2 skipped`, always with all three numbers.
 *
 * Whatever keeps the run from being a proof counts as failed: a file that does not load, a hook
 * that throws, an error nobody caught, a server that could not be started, a run without tests.
 */
import type { Reporter, TestModule } from 'vitest/node'

export class ClosingLine implements Reporter {
  private readonly counts = { passed: 0, failed: 0, skipped: 0 }

  /** The line waits for the end of the process: errors of the setup are printed after the run. */
  onInit(): void {
    process.once('exit', (code) => {
      const { passed, skipped } = this.counts
      const failed = code === 0 ? this.counts.failed : Math.max(1, this.counts.failed)
      process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`)
    })
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.counts.passed = 0
    this.counts.failed = unhandledErrors.length
    this.counts.skipped = 0
    for (const module of modules) this.count(module)
  }

  private count(module: TestModule): void {
    let failed = 0
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') this.counts.passed += 1
      else if (state === 'failed') failed += 1
      else this.counts.skipped += 1
    }
    // A file that could not be loaded, or whose hooks threw, has failed without a failed test.
    this.counts.failed += module.state() === 'failed' ? Math.max(1, failed) : failed
  }
}
