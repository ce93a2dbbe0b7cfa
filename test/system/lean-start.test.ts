/** What a proxy has loaded of Node, which is most of its memory while it does nothing. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constants } from 'node:perf_hooks'
import { expect, inject, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { startFleet } from '../support/fleet.ts'

/** Loaded before the proxy. It says what is loaded at the end, in one line, and each collection. */
const TELLS = `
import { PerformanceObserver } from 'node:perf_hooks'
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) process._rawDebug('collected ' + detail.flags)
}).observe({ entryTypes: ['gc'] })
process.on('exit', () => process._rawDebug('loaded ' + process.moduleLoadList.join()))
`
/** A collection of whatever can be collected. */
const COLLECTED = `collected ${constants.NODE_PERFORMANCE_GC_FLAGS_ALL_AVAILABLE_GARBAGE}\n`
const STRIPPER = 'internal/deps/amaro/'
const HTTP_CLIENT = 'internal/deps/undici/'

it('K1 a second start strips no types, none loads an HTTP client, and each collects what loading left', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-lean-'))
  try {
    await writeFile(join(folder, 'tells.mjs'), TELLS)
    await using fleet = await startFleet({ redisUrl: inject('redisUrl'), proxies: 0 })
    const loadedBy = async (id: string): Promise<string> => {
      // Node keeps what it has stripped and compiled in a folder below this one.
      const settings = {
        TMPDIR: folder,
        NODE_OPTIONS: `--expose-gc --import=${join(folder, 'tells.mjs')}`,
      }
      const proxy = await fleet.startProxy(id, settings)
      await eventually('it is ready', async () => (await proxy.admin('/readyz')).status === 200)
      const { stderr } = await proxy.stop()
      expect(stderr).toContain(COLLECTED)
      return /^loaded .*$/m.exec(stderr)?.[0] ?? ''
    }
    const first = await loadedBy('first')
    expect(first).toContain(STRIPPER)
    expect(first).not.toContain(HTTP_CLIENT)
    const second = await loadedBy('second')
    expect(second).toContain('net')
    expect(second).not.toContain(STRIPPER)
    expect(second).not.toContain(HTTP_CLIENT)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
