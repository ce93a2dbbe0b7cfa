/** The whole product under load, as `npm run bench -- --scenario` and `npm run soak` put it there. */
import { beforeAll, describe, expect, it } from 'vitest'
import { HELP } from '../bench/options.ts'
import { SCENARIO_HELP } from '../bench/scenarios/options.ts'
import type { Outcome } from '../bench/scenarios/perform.ts'
import { SCENARIOS } from '../bench/scenarios/scenarios.ts'
import { startProcess, type Finished } from '../support/process.ts'

/** As it is typed. */
const npmRun = async (...args: readonly string[]): Promise<Finished> => {
  await using run = startProcess('npm', ['run', '--silent', ...args], process.env)
  return await run.finished
}

describe('npm run bench -- --scenario', () => {
  let ran: Finished
  let soaked: Finished
  let tight: Finished
  let outcomes: readonly Outcome[]
  const outcomeOf = (name: string): Outcome => {
    const found = outcomes.find(({ scenario }) => scenario.name === name)
    if (found === undefined) throw new Error(`${name} has not run: ${ran.stderr}`)
    return found
  }

  beforeAll(async () => {
    // At a rate that leaves something of two cores to others; they say nothing about latency.
    const all = ['all', '--duration', '300ms', '--rate', '300', '--p99', '10s', '--json']
    const high = ['direct', '--duration', '100ms', '--rate', '1000000', '--p99', '1us']
    const soak = ['soak', '--', '--duration', '4s', '--connections', '16', '--retained', '4MB']
    // Beside the soak, most of which is waiting.
    const soaking = npmRun(...soak)
    ran = await npmRun('bench', '--', '--scenario', ...all)
    tight = await npmRun('bench', '--', '--scenario', ...high)
    soaked = await soaking
    outcomes = ran.stdout === '' ? [] : Object(JSON.parse(ran.stdout)).scenarios
  }, 300_000)

  it('K1 runs each scenario on the whole product and holds it to its thresholds', () => {
    expect(outcomes.filter(({ holds }) => !holds)).toEqual([])
    expect({ exit: ran.exit, stderr: ran.stderr }).toMatchObject({ exit: 0 })
    expect(outcomes.map(({ scenario }) => scenario.name)).toEqual(SCENARIOS.map(({ name }) => name))
    for (const { scenario, finding, spans, thresholds } of outcomes) {
      const { name } = scenario
      expect(finding, `of ${name}`).toMatchObject({ book: { errors: 0 }, problems: [] })
      expect(finding.book.good, `of ${name}`).toBeGreaterThan(16)
      expect(finding.book.perSecond, `of ${name}`).toBeGreaterThan(0)
      const { p50, p95, p99, max } = finding.book.latencyMs
      expect(p50, `of ${name}`).toBeGreaterThan(0)
      expect([p50, p95, p99, max], `of ${name}`).toEqual(
        [p50, p95, p99, max].toSorted((a, b) => a - b),
      )
      for (const { before, after } of spans) {
        expect(after.heapBytes, `of ${name}`).toBeGreaterThan(1_000_000)
        expect(after.rssBytes, `of ${name}`).toBeGreaterThan(after.heapBytes)
        expect(before.name).toBe(after.name)
      }
      expect(thresholds.map((each) => each.name)).toEqual(
        expect.arrayContaining(['p99', 'errors', `retained, ${spans[0]?.after.name}`]),
      )
    }
  })

  it('K1 sees both releases of a switch, the 502s of a dead target, and its return', () => {
    expect(outcomeOf('blue-green').finding.book.answers).toMatchObject({
      '200 blue': expect.any(Number),
      '200 green': expect.any(Number),
    })
    expect(outcomeOf('stream-churn').finding.book.answers).toMatchObject({
      '200 blue': expect.any(Number),
      '200 green': expect.any(Number),
    })
    const { book, notes } = outcomeOf('failure').finding
    expect(book.answers).toMatchObject({
      '200 blue': expect.any(Number),
      '502': expect.any(Number),
    })
    expect(notes).toContainEqual(expect.stringMatching(/^Answers again \d+ ms after/))
  })

  it('K3 says what a proxy costs against the target itself, in turns of the same run', () => {
    expect(outcomeOf('proxied').finding.notes).toEqual([
      expect.stringMatching(
        /^Ratio to direct, in [\d.]+ s of the same run: [\d.]+ of its [\d ]+ requests per second; p50 /,
      ),
      expect.stringMatching(/^The proxy took \d+ µs of CPU per request\.$/),
    ])
  })

  it('E16 500 WebSockets that come and go leave no socket, no descriptor and no work behind', () => {
    const { finding, spans } = outcomeOf('ws-churn')
    expect(finding.book.answers['101 blue']).toBeGreaterThanOrEqual(500)
    expect(finding.book.answers['echo']).toBeGreaterThan(0)
    expect(finding.book.errors).toBe(0)
    for (const { before, after } of spans) {
      expect(after.descriptors.length).toBeLessThanOrEqual(before.descriptors.length)
      expect(Object.values(after.work)).toEqual([0, 0, 0, 0])
    }
  })

  it('K5 P7 a soak of everything gives everything back, and says so', () => {
    expect(soaked).toMatchObject({ exit: 0 })
    expect(soaked.stdout).toMatch(/^Everything was answered, and everything was given back\.$/m)
    for (const process of ['proxy-1', 'proxy-2', 'worker']) {
      for (const what of ['retained', 'resident', 'descriptors']) {
        expect(soaked.stdout).toMatch(new RegExp(`^ok {2}${what}, ${process}: [+-]`, 'm'))
      }
    }
    for (const kind of [
      'keep-alive requests',
      'uploads',
      'downloads left half-way',
      'WebSockets',
    ]) {
      expect(soaked.stdout).toMatch(new RegExp(`^${kind}: [1-9][\\d ]* good, 0 errors`, 'm'))
    }
    expect(soaked.stderr).toMatch(/: [\d ]+ answered, 0 errors, \d+ switches · proxy-1 heap/)
  })

  it('K4 asks at the rate that it is told', () => {
    const { book } = outcomeOf('proxied').finding
    // However long the 300 ms were on a busy machine.
    expect(book.good / book.seconds).toBeGreaterThan(225)
    expect(book.good / book.seconds).toBeLessThan(375)
  })

  it('K2 K4 exits 1 and says which threshold was missed, such as by a rate that is too high', () => {
    const { exit, stdout } = tight
    expect(exit).toBe(1)
    expect(stdout).toMatch(/^\| p99 +\| +[\d. ]+ ms \| +≤ 0\.00 ms \| NO +\|$/m)
    expect(stdout).toMatch(
      /^- Missed: p99 is [\d. ]+ ms, not ≤ 0\.00 ms; errors is \d+, not ≤ 0\.$/m,
    )
    expect(stdout).toContain('the rate is above what can be served')
    // Whoever was served late has waited since it was due, whenever it was asked.
    const p50 = Number(/^\| p50 +\| +([\d. ]+) ms/m.exec(stdout)?.[1]?.replaceAll(' ', ''))
    expect(p50).toBeGreaterThan(100)
  })

  it('exits 2 on a name that is not one, with the one that was meant', async () => {
    const { exit, stdout, stderr } = await npmRun('bench', '--', '--scenario', 'porxied')
    expect({ exit, stdout }).toEqual({ exit: 2, stdout: '' })
    expect(stderr).toContain('--scenario is "porxied"; expected one of direct, proxied, ')
    expect(stderr).toContain('did you mean "proxied"?')
  })

  it('names every scenario when it is asked for the list or for help', async () => {
    const { exit, stdout } = await npmRun('bench', '--', '--list')
    expect(exit).toBe(0)
    for (const { name, about } of SCENARIOS) {
      const line = `  ${name.padEnd(13)}  ${about}\n`
      for (const text of [stdout, HELP, SCENARIO_HELP]) expect(text).toContain(line)
    }
  })

  it('exits 2 on an option of the soak that it does not know', async () => {
    const { exit, stderr } = await npmRun('soak', '--', '--for', '1h')
    expect(exit).toBe(2)
    expect(stderr).toContain("Unknown option '--for'")
  })
})
