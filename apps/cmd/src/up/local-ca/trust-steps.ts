/** How a machine comes to trust the local authority: told, and never done, because it asks for root. Pure. */

export interface TrustStep {
  /** Whose: `macOS`, `Firefox`. */
  readonly where: string
  /** A command to be typed, or what to click. */
  readonly how: string
}

/** `authority` is the path of its PEM file. */
export const trustSteps = (authority: string): readonly TrustStep[] => {
  const path = /^[\w./-]+$/.test(authority) ? authority : `'${authority.replaceAll("'", "'\\''")}'`
  return [
    {
      where: 'macOS',
      how: `sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain ${path}`,
    },
    {
      where: 'Debian, Ubuntu',
      how: `sudo cp ${path} /usr/local/share/ca-certificates/gatehouse-local.crt && sudo update-ca-certificates`,
    },
    {
      where: 'Fedora, RHEL',
      how: `sudo cp ${path} /etc/pki/ca-trust/source/anchors/gatehouse-local.pem && sudo update-ca-trust`,
    },
    { where: 'Windows', how: `certutil -addstore -user Root ${path}` },
    {
      where: 'Firefox',
      how: `Settings, Privacy & Security, View Certificates, Authorities, Import: ${authority}`,
    },
    { where: 'curl, Node', how: `curl --cacert ${path} …; NODE_EXTRA_CA_CERTS=${path} node …` },
    { where: 'elsewhere', how: `import ${authority} as an authority for websites` },
  ]
}
