/* manifest.json of a stranger's release: what is accepted names plain files only, sorted, once. */
#include "fuzz/fuzz.h"

#include "evidence/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	struct manifest manifest = { 0 };

	if (manifest_read((const char *)data, size, &manifest, &err) < 0) {
		bug_on(err.code == ERR_NONE || !err.cause[0]);
		return 0;
	}
	for (size_t i = 0; i < manifest.files.n; i++) {
		const struct artefact *file = &manifest.files.v[i];

		bug_on(!manifest_name_ok(file->file));
		bug_on(i && strcmp(manifest.files.v[i - 1].file, file->file) >= 0);
		bug_on(manifest_find(&manifest, file->file) != file);
	}
	manifest_deinit(&manifest);
	return 0;
}
