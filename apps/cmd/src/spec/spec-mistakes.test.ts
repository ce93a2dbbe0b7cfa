import { describe, expect, it } from 'vitest'
import { parseSpec } from './spec-file.ts'
import { toRelease, type SpecRelease } from './to-release.ts'

const read = (text: string, name = 'spec.json'): SpecRelease =>
  toRelease(parseSpec(text, name, '/srv/app'), { from: name, newId: () => 'generated' })

const problems = (text: string, name?: string): readonly string[] => {
  const spec = read(text, name)
  return 'problems' in spec ? spec.problems : []
}

const minimal = '{"service": "shop", "hosts": ["shop.test"], "target_url": "http://10.0.0.5:3000"}'

describe('a spec with a mistake', () => {
  const at = (field: string): string => minimal.replace('}', `,\n${field}}`)
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'a field that does not exist',
      at('"helth_path": "/"'),
      'spec.json:2: helth_path: unknown field; did you mean "health_path"?',
    ],
    [
      'the same in camelCase',
      at('"drainTimeuot": 1'),
      'spec.json:2: drainTimeuot: unknown field; did you mean "drainTimeout"?',
    ],
    [
      'a field of a section',
      at('"health": {"tmeout": 1}'),
      'spec.json:2: health.tmeout: unknown field; did you mean "timeout"?',
    ],
    [
      'a field like no other',
      at('"colour": 1'),
      'spec.json:2: colour: unknown field; expected one of service, hosts, targets, target_id, metadata, drain_timeout, host_header, timeouts, force_https, hsts, canonical_host, target_url, health_path, health_timeout, skip_health_check, health, balance, limits, tls',
    ],
    [
      'a section that is none',
      at('"limits": 5'),
      'spec.json:2: limits: found 5; expected an object with connect_timeout, response_timeout, idle_timeout, upgraded_idle_timeout, max_request_body, max_websocket_message, max_connections, max_queue',
    ],
    [
      'a time that is a number of hours',
      at('"timeouts": [{"path": "/a", "response": "1 hour"}]'),
      'spec.json:2: timeouts[0].response: found "1 hour"; expected milliseconds or a duration such as "5s", "1m30s" or "250ms"',
    ],
    [
      'a field of a time with a slip',
      at('"timeouts": [{"path": "/a", "respone": 1}]'),
      'spec.json:2: timeouts[0].respone: unknown field; expected path, method, response, idle; did you mean "response"?',
    ],
    [
      'a time for no path',
      at('"timeouts": [{"response": 1}]'),
      'spec.json:2: timeouts[0].path: found nothing; expected a path that starts with /, such as "/up"',
    ],
    [
      'two times for the same requests',
      at('"timeouts": [{"path": "/a", "idle": 1}, {"path": "/a", "idle": 2}]'),
      'spec.json:2: timeouts: has /a for every method twice',
    ],
    [
      'a way to speak TLS that is a word',
      at('"tls": {"verify": "no"}'),
      'spec.json:2: tls.verify: found "no"; expected true or false',
    ],
    [
      'a word for TLS that is none',
      at('"tls": "on"'),
      'spec.json:2: tls: found "on"; expected "auto" or "off"',
    ],
    [
      'TLS that is true',
      at('"tls": true'),
      'spec.json:2: tls: found true; expected "auto" or "off"',
    ],
    [
      'a certificate without its key',
      at('"tls": {"cert": "a.pem"}'),
      'spec.json:2: tls.cert: needs its private key; give tls.key as well',
    ],
    [
      'a key without its certificate',
      at('"tls": {"key": "a.pem"}'),
      'spec.json:2: tls.key: needs its certificate; give tls.cert as well',
    ],
    [
      'a certificate where the gateway should see to one',
      at('"tls": {"mode": "auto", "cert": "a.pem", "key": "b.pem"}'),
      'spec.json:2: tls.cert: brings a certificate while tls is "auto"; give one of them',
    ],
    [
      'a certificate for any host',
      at('"tls": "auto"').replace('shop.test', 'default'),
      'spec.json:2: tls: is auto, and hosts name nothing that a certificate could',
    ],
    [
      'a certificate for an address',
      at('"tls": "auto"').replace('shop.test', '10.0.0.1'),
      'spec.json:1: hosts: "10.0.0.1" is an address, which certificates of public authorities do not name; expected a host name',
    ],
    [
      'HSTS in a number that could be either',
      at('"hsts": 31536000'),
      'spec.json:2: hsts: found 31536000; expected a duration with its unit such as "365d", or true for a year',
    ],
    [
      'HSTS beyond what browsers keep',
      at('"hsts": "1000d"'),
      'spec.json:2: hsts: found "1000d"; expected at most 730 days',
    ],
    [
      'a canonical host of somebody else',
      at('"canonical_host": "blog.test"'),
      'spec.json:2: canonical_host: "blog.test" is not among the hosts of the service: shop.test',
    ],
    [
      'a duration without a unit we know',
      at('"drain_timeout": "5 sec"'),
      'spec.json:2: drain_timeout: found "5 sec"; expected milliseconds or a duration such as "5s", "1m30s" or "250ms", or "infinity"',
    ],
    [
      'a negative duration',
      at('"health_timeout": -1'),
      'spec.json:2: health_timeout: found -1; expected milliseconds or a duration such as "5s", "1m30s" or "250ms"',
    ],
    [
      'a duration longer than any timer',
      at('"health_timeout": "30d"'),
      'spec.json:2: health_timeout: found "30d"; expected at most 24 days',
    ],
    [
      'no time for the health gate',
      at('"health_timeout": 0'),
      'spec.json:2: health_timeout: found 0; expected more than no time at all',
    ],
    [
      'a path without its slash',
      at('"health_path": "up"'),
      'spec.json:2: health_path: found "up"; expected a path that starts with /, such as "/up"',
    ],
    [
      'a word for a flag',
      at('"skip_health_check": "yes"'),
      'spec.json:2: skip_health_check: found "yes"; expected true or false',
    ],
    [
      'a status class',
      at('"health": {"status": "2xx"}'),
      'spec.json:2: health.status: found "2xx"; expected a status or a range of them such as "200-399"',
    ],
    [
      'a policy with a slip',
      at('"balance": {"policy": "round_robn"}'),
      'spec.json:2: balance.policy: found "round_robn"; expected "round_robin"; did you mean "round_robin"?',
    ],
    [
      'a count out of range',
      at('"health": {"rise": 0}'),
      'spec.json:2: health.rise: found 0; expected a whole number from 1 to 100',
    ],
    [
      'a size without sense',
      at('"limits": {"max_request_body": "big"}'),
      'spec.json:2: limits.max_request_body: found "big"; expected bytes, "10MiB" or "unlimited"',
    ],
    [
      'a label that is a list',
      at('"metadata": {"tags": [1]}'),
      'spec.json:2: metadata.tags: found a list; expected text, a number, true or false',
    ],
    [
      'a release id that is no name',
      at('"target_id": "v 1"'),
      'spec.json:2: target_id: "v 1" is not a name; expected letters, digits, ".", "_" and "-", at most 63, a letter or digit first',
    ],
    [
      'two fields that mean one',
      at('"targetUrl": "http://b:1"'),
      'spec.json:2: targetUrl: means the same as target_url; give one of them',
    ],
    [
      'a host that is a URL',
      minimal.replace('shop.test', 'http://shop.test'),
      'spec.json:1: hosts[0]: "http://shop.test" looks like a URL; expected only its host name',
    ],
    [
      'a host that is no text',
      minimal.replace('"shop.test"', '"a.test", 3'),
      'spec.json:1: hosts[1]: found 3; expected a host name',
    ],
    [
      'one host instead of a list',
      minimal.replace('["shop.test"]', '"shop.test"'),
      'spec.json:1: hosts: found "shop.test"; expected a list of host names, such as ["app.example.com"]',
    ],
    [
      'only blank hosts',
      minimal.replace('shop.test', ' '),
      'spec.json:1: hosts: found no host name; expected at least one, such as "app.example.com"',
    ],
    [
      'a target without a scheme',
      minimal.replace('http://10.0.0.5:3000', 'localhost:3000'),
      'spec.json:1: target_url: "localhost:3000" is not a URL; expected http://host:port or unix:/path',
    ],
    [
      'a target with an unknown scheme',
      minimal.replace('http:', 'ftp:'),
      'spec.json:1: target_url: "ftp://10.0.0.5:3000" has the scheme ftp; expected http, https, h2c, h2 or unix',
    ],
    [
      'a flag of a target with a slip',
      '{"service": "a", "hosts": ["a.test"],\n"targets": [{"url": "http://a:1", "actve": true}]}',
      'spec.json:2: targets[0].actve: unknown field; expected url or active; did you mean "active"?',
    ],
    [
      'a service that is no name',
      minimal.replace('shop"', 'my shop"'),
      'spec.json:1: service: found "my shop"; expected letters, digits, ".", "_" and "-", at most 63, a letter or digit first',
    ],
    [
      'a missing service',
      '{"hosts": ["a.test"], "target_url": "http://a:1"}',
      'spec.json: service is missing; expected a service name such as "shop"',
    ],
    [
      'a field without a value',
      '{"service": "a", "hosts": null, "target_url": "http://a:1"}',
      'spec.json: hosts is missing; expected a list of host names such as ["app.example.com"]; "default" answers every host',
    ],
    [
      'the same name twice',
      minimal.replace('{', '{"service": "a",\n'),
      'spec.json:2: two fields have the same name',
    ],
    [
      'a list',
      '[1]',
      'spec.json: found a list; expected an object with service, hosts and target_url',
    ],
    ['nothing', ' \n', 'spec.json: the file is empty; expected service, hosts and target_url'],
    [
      'a missing comma',
      '{"service": "shop"\n"hosts": []}',
      "spec.json:2:1: is not JSON: expected ',' or '}' after property value",
    ],
    [
      'a file that ends too early',
      '{"service":',
      'spec.json:1:12: is not JSON: unexpected end of JSON input',
    ],
    ['something else', 'nope', "spec.json: is not JSON: unexpected token 'o'"],
  ]

  it.each(cases)('says in one sentence what is wrong: %s', (_, text, sentence) => {
    expect(problems(text)).toEqual([sentence])
  })

  it('points at the line of a YAML file', () => {
    const yaml = 'service: shop\nhosts:\n  - shop.test\n  - http://x\ntarget_url: http://a:1\n'
    expect(problems(yaml, 'spec.yaml')).toEqual([
      'spec.yaml:4: hosts[1]: "http://x" looks like a URL; expected only its host name',
    ])
    expect(problems('a: b\n c: d', 'spec.yaml')[0]).toMatch(/^spec\.yaml:\d: is not YAML: /)
  })

  it('names every mistake at once, and uses nothing of the file', () => {
    const text = '{"service": "shop", "hosts": ["a b"], "target_url": "nowhere", "helth": {}}'
    expect(problems(text)).toHaveLength(3)
  })

  it('is not slowed down by aliases that multiply', () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${['b', 'c', 'd', 'e', 'f', 'g', 'h']
      .map((name, index) => `${name}: &${name} [${`*${'abcdefg'[index] ?? 'a'},`.repeat(9)}]`)
      .join('\n')}\n`
    expect(problems(bomb, 'spec.yaml')[0]).toMatch(/^spec\.yaml: excessive alias count/)
  })
})
