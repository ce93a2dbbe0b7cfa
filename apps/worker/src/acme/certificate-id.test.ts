import { describe, expect, it } from 'vitest'
import { certificateIdOf } from './certificate-id.ts'

/** Made for this test, with the key identifier and the serial number of the example in RFC 9773 §4.1. */
const certificate = `-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIFAIdlQyEwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLZXhh
bXBsZS5jb20wIBcNMjYxMTIxMTg1NjA4WhgPMjEyNjEwMjgxODU2MDhaMBYxFDAS
BgNVBAMMC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKOmC
LtfHsV+ou3Q+IQJvFIsuLDvW+y41jK6U50WN2HRZ2cKGm1Sb2HGysx6kQTN7Lmvu
bGsuzJtGrBPpEaxu+aNoMGYwFgYDVR0RBA8wDYILZXhhbXBsZS5jb20wDAYDVR0T
AQH/BAIwADAfBgNVHSMEGDAWgBRpiFtrh0ZAQeGze4R7oK4s3gHI1DAdBgNVHQ4E
FgQUEum3n0LHkevP6XMxU7qoGgOJFxUwCgYIKoZIzj0EAwIDSAAwRQIgeLMh7XDa
rb2w7L97Oj40EAdkPNQQfis+Cgsu4V3WdMACIQC2e/Eupt/G1QSnhjjmB2hw5kWS
t3BJOg4sqSjPeRHeFw==
-----END CERTIFICATE-----`

describe('the name of a certificate in questions about its renewal', () => {
  it('O3 is that of the example in RFC 9773', () => {
    expect(certificateIdOf(certificate)).toBe('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE')
  })

  it('is that of the first certificate of a chain', () => {
    expect(certificateIdOf(`${certificate}\n${certificate}\n`)).toMatch(/^aYhb/)
  })

  it('is none for a certificate without the key of its authority', () => {
    // The same bytes with the extension under a number that means something else.
    const body = certificate.replaceAll(/-----.*-----|\n/g, '')
    const other = Buffer.from(body, 'base64').toString('hex').replace('0603551d23', '0603551d63')
    const lines = Buffer.from(other, 'hex').toString('base64')
    expect(
      certificateIdOf(`-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----`),
    ).toBeUndefined()
  })
})
