// usage: node cyclonedx-validate.mjs FILE…
// Validates SBOMs against CycloneDX 1.6's own JSON schema, strictly.
// Packages come from $KILN_NODE_MODULES.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(process.env.KILN_NODE_MODULES + '/');
const { Validation, Spec } = require('@cyclonedx/cyclonedx-library');
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

for (const file of process.argv.slice(2)) {
  const fault = await validator.validate(readFileSync(file, 'utf8'));
  if (fault !== null) {
    console.error(file, JSON.stringify(fault, null, 1));
    process.exit(1);
  }
  console.log(`${file} is valid`);
}
