// usage: node sigstore-verify.mjs PUB.pem BUNDLE [FILE]
// Verifies one bundle by npm's @sigstore/verify with a plain public key: a message bundle over FILE,
// or a DSSE bundle, whose subjects are then printed. Packages come from $KILN_NODE_MODULES.
import { createRequire } from 'node:module';
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const require = createRequire(process.env.KILN_NODE_MODULES + '/');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

const [pub, bundlePath, file] = process.argv.slice(2);
const key = createPublicKey(readFileSync(pub));
const der = key.export({ format: 'der', type: 'spki' });
const hint = createHash('sha256').update(der).digest('base64');
const root = {
  mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  tlogs: [], certificateAuthorities: [], ctlogs: [], timestampAuthorities: [],
};
const finder = (asked) => {
  if (asked !== hint) throw new Error(`the bundle names another key: ${asked}`);
  return { publicKey: key, validFor: () => true };
};
const trust = toTrustMaterial(root, finder);
const bundle = bundleFromJSON(JSON.parse(readFileSync(bundlePath, 'utf8')));
const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 });
verifier.verify(toSignedEntity(bundle, file && readFileSync(file)));
if (!file) {
  const statement = JSON.parse(bundle.content.dsseEnvelope.payload.toString('utf8'));
  for (const s of statement.subject) console.log(`${s.digest.sha256}  ${s.name}`);
}
console.log('verified');
