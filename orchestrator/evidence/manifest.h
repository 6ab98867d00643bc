#ifndef KILN_EVIDENCE_MANIFEST_H
#define KILN_EVIDENCE_MANIFEST_H

#include "base/array.h"
#include "evidence/facts.h"

/*
 * manifest.json, schema "kiln.manifest/1": what each file of a release is.
 * {"schema", "name", "version", "date", "kiln", "notes": [text],
 *  "signing": null | {"fingerprint", "type", "development", "key": file},
 *  "files": [{"file", "size", "sha256", "unsigned_sha256", "kind", "class": "artefact"|"evidence",
 *             "target", "variant", "media_type", "pinned"}] sorted by file}
 */
#define MANIFEST_SCHEMA "kiln.manifest/1"

/* With every artefact of the facts as a file; unsigned. */
json_t *manifest_new(const struct release_facts *facts);
void manifest_add(json_t *manifest, const struct artefact *artefact);
/* Takes out the files of a kind. */
void manifest_drop(json_t *manifest, const char *kind);
void manifest_set_signing(json_t *manifest, const char *fingerprint, const char *type,
                          bool development, const char *key_file);
/* Sorts the files and writes the canonical, readable form. */
void manifest_write(json_t *manifest, struct buf *buf);

/* A manifest read: strings point into `json`. */
struct manifest {
	json_t *json;
	const char *name, *version;
	bool is_signed, development;
	const char *fingerprint;      /* NULL when unsigned */
	ARRAY(struct artefact) files; /* sorted by file */
};

/*
 * Reads and checks the whole document: unknown schema, wrong types, names that are no plain file
 * names, names twice are ERR_INPUT.
 */
int manifest_read(const char *text, size_t n, struct manifest *ret, struct err *err);
void manifest_deinit(struct manifest *manifest);
/* The entry of a file, or NULL. */
const struct artefact *manifest_find(const struct manifest *manifest, const char *file);

/*
 * Whether a name may stand in a release: one path part of visible ASCII, at most 200 bytes, not
 * beginning with '.' or '-', without quotes and backslashes. So no tool that reads sums trips.
 */
bool manifest_name_ok(const char *name);

#endif
