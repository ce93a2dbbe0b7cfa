/** What scenarios and the soak can be asked for, and how their verdict comes about. */
import { describe, expect, it } from 'vitest'
import type { BookReport } from '../bench/scenarios/load/plan.ts'
import type { Look } from '../bench/scenarios/look.ts'
import { readScenarioOptions } from '../bench/scenarios/options.ts'
import { judge, type Thresholds } from '../bench/scenarios/thresholds.ts'
import { readSoakOptions } from '../soak/options.ts'
import { verdictOf } from '../soak/verdict.ts'

describe('the options of a scenario', () => {
  it.each([
    [['--duration', 'soon'], '--duration: found "soon"; expected milliseconds or a duration'],
    [['--duration', '5ms'], '--duration: found "5ms"; expected at least 100 ms'],
    [['--connections', '0'], '--connections is "0"; expected a whole number from 1 to 4096'],
    [['--p99', 'fast'], '--p99 is "fast"; expected a latency such as "50ms"'],
    [['--errors', 'few'], '--errors is "few"; expected a number such as "0" or a share'],
    [['--retained', 'much'], '--retained is "much"; expected a size such as "16MB"'],
    [['--descriptors', '-1'], "'--descriptors' argument is ambiguous"],
    [['--scenario', 'ws-echo', '--rate', '5'], '--rate: ws-echo has a pace of its own'],
    [['--fast'], "Unknown option '--fast'"],
  ])('%j is refused in one sentence', (args, sentence) => {
    const asked = readScenarioOptions(['--scenario', 'direct', ...args])
    expect(asked).toEqual({ kind: 'problem', problem: expect.stringContaining(sentence) })
  })

  it('reads thresholds as they are written elsewhere', () => {
    const given = '--errors 1% --p50 800us --p95 1.5s --p99 50 --retained 16MB --descriptors 2'
    const asked = readScenarioOptions(['--scenario', 'direct', ...given.split(' ')])
    expect(asked).toMatchObject({
      options: {
        thresholds: {
          errors: { share: 0.01 },
          p50Ms: 0.8,
          p95Ms: 1_500,
          p99Ms: 50,
          retainedBytes: 16_000_000,
          descriptors: 2,
        },
      },
    })
  })
})

describe('the options of a soak', () => {
  it.each([
    [['--duration', '5ms'], '--duration: found "5ms"; expected at least 1000 ms'],
    [['--connections', '7'], '--connections is "7"; expected a whole number from 8 to 1024'],
    [['--retained', 'some'], '--retained is "some"; expected a size such as "16MB"'],
  ])('%j is refused in one sentence', (args, sentence) => {
    const asked = readSoakOptions(args)
    expect(asked).toEqual({ kind: 'problem', problem: expect.stringContaining(sentence) })
  })
})

const BOOK: BookReport = {
  answers: { '200 blue': 99 },
  good: 99,
  errors: 1,
  firstErrors: [],
  seconds: 1,
  perSecond: 99,
  latencyMs: { p50: 1, p95: 2, p99: 3, max: 4 },
}
const NOTHING_LEFT = {
  requestsInFlight: 0,
  upgradedConnections: 0,
  clientConnections: 0,
  targetConnections: 0,
}
const BEFORE: Look = {
  name: 'proxy-1',
  heapBytes: 20_000_000,
  bufferBytes: 1_000_000,
  rssBytes: 90_000_000,
  descriptors: ['/dev/null', 'socket', 'socket'],
  work: NOTHING_LEFT,
}

describe('the verdict', () => {
  const missedBy = (thresholds: Thresholds, after: Partial<Look> = {}): readonly string[] =>
    judge(thresholds, BOOK, [{ before: BEFORE, after: { ...BEFORE, ...after } }])
      .filter(({ holds }) => !holds)
      .map(({ name }) => name)

  it.each<[Thresholds, Thresholds, string]>([
    [{ p50Ms: 1 }, { p50Ms: 0.99 }, 'p50'],
    [{ p95Ms: 2 }, { p95Ms: 1.99 }, 'p95'],
    [{ p99Ms: 3 }, { p99Ms: 2.99 }, 'p99'],
    [{ errors: { count: 1 } }, { errors: { count: 0 } }, 'errors'],
    [{ errors: { share: 0.01 } }, { errors: { share: 0.0099 } }, 'errors'],
  ])('K2 holds at %j and not at %j', (held, tight, name) => {
    expect([missedBy(held), missedBy(tight)]).toEqual([[], [name]])
  })

  it('K2 K5 sees memory, descriptors and work that were not given back', () => {
    const kept = {
      heapBytes: 20_000_001,
      bufferBytes: 1_000_001,
      rssBytes: 90_000_001,
      descriptors: [...BEFORE.descriptors, 'socket'],
    }
    const exact = { retainedBytes: 0, bufferBytes: 0, residentBytes: 0, descriptors: 0 }
    expect(missedBy(exact)).toEqual([])
    expect(missedBy(exact, kept)).toEqual([
      'retained, proxy-1',
      'buffers, proxy-1',
      'resident, proxy-1',
      'descriptors, proxy-1',
    ])
    expect(missedBy({}, { work: { ...NOTHING_LEFT, upgradedConnections: 1 } })).toEqual([
      'left over, proxy-1',
    ])
  })

  it('K5 of a soak fails for one error, and for what was kept', () => {
    const tolerances = { retainedBytes: 0, residentBytes: 0 }
    const good = { uploads: { ...BOOK, errors: 0 } }
    const same = [{ before: BEFORE, after: BEFORE }]
    const leak = [
      { before: BEFORE, after: { ...BEFORE, descriptors: [...BEFORE.descriptors, 'socket'] } },
    ]
    expect(verdictOf({ books: good, spans: same }, tolerances).holds).toBe(true)
    expect(verdictOf({ books: { uploads: BOOK }, spans: same }, tolerances).holds).toBe(false)
    expect(verdictOf({ books: good, spans: leak }, tolerances).holds).toBe(false)
  })
})
