import { InvalidSetting } from '@gatehouse/events'
import { describe, expect, it } from 'vitest'
import { readOnDemandSettings } from './on-demand-settings.ts'

describe('the settings of certificates on demand', () => {
  it('O5 are none as long as nothing allows a host', () => {
    expect(readOnDemandSettings({})).toBeUndefined()
    expect(readOnDemandSettings({ GATEHOUSE_ON_DEMAND_PER_HOUR_MAX: '5' })).toBeUndefined()
  })

  it('O5 name who is asked, which hosts, and how many', () => {
    expect(
      readOnDemandSettings({
        GATEHOUSE_ON_DEMAND_ASK: 'http://127.0.0.1:5000/allowed',
        GATEHOUSE_ON_DEMAND_HOSTS: 'Shop.test, *.customers.test',
        GATEHOUSE_ON_DEMAND_PER_HOUR_MAX: '5',
      }),
    ).toEqual({
      askUrl: 'http://127.0.0.1:5000/allowed',
      hosts: ['shop.test', '*.customers.test'],
      perHourMax: 5,
    })
  })

  it.each([
    [{ ASK: 'localhost:5000' }, 'GATEHOUSE_ON_DEMAND_ASK is "localhost:5000"; expected a URL'],
    [{ HOSTS: 'https://a.test' }, 'GATEHOUSE_ON_DEMAND_HOSTS: "https://a.test" looks like a URL'],
    [{ PER_HOUR_MAX: 'many' }, 'GATEHOUSE_ON_DEMAND_PER_HOUR_MAX is "many"; expected a number'],
  ])('refuse %j with a sentence', (given, sentence) => {
    const environment = Object.fromEntries(
      Object.entries(given).map(([name, value]) => [`GATEHOUSE_ON_DEMAND_${name}`, value]),
    )
    const read = (): unknown => readOnDemandSettings(environment)
    expect(read).toThrow(InvalidSetting)
    expect(read).toThrow(sentence)
  })
})
