/* The manifest: written from facts, read strictly from strangers. */
#include "evidence/manifest.h"

#include <string.h>

#include "base/alloc.h"

enum { FILES_MOST = 100000, NAME_MOST = 200 };

bool manifest_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > NAME_MOST || name[0] == '.' || name[0] == '-')
		return false;
	for (const char *p = name; *p; p++) {
		if (*p <= ' ' || *p >= 0x7f || strchr("/\\\"'`*?", *p))
			return false;
	}
	return true;
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *hex(const struct digest *digest)
{
	char text[DIGEST_HEX_SIZE];

	return json_string(digest_hex(digest, text));
}

void manifest_add(json_t *manifest, const struct artefact *a)
{
	json_t *file = json_object();
	const struct digest *before =
		digest_is_none(&a->unsigned_digest) ? &a->ref.digest : &a->unsigned_digest;

	json_object_set_new(file, "file", json_string(a->file));
	json_object_set_new(file, "size", json_integer((json_int_t)a->ref.size));
	json_object_set_new(file, "sha256", hex(&a->ref.digest));
	json_object_set_new(file, "unsigned_sha256", hex(before));
	json_object_set_new(file, "kind", json_string(a->kind));
	json_object_set_new(file, "class",
	                    json_string(a->class == ARTEFACT_SHIPPED ? "artefact" : "evidence"));
	json_object_set_new(file, "target", text_or_null(a->target));
	json_object_set_new(file, "variant", text_or_null(a->variant));
	json_object_set_new(file, "media_type", json_string(a->media_type));
	json_object_set_new(file, "pinned", json_boolean(a->pinned));
	json_array_append_new(json_object_get(manifest, "files"), file);
}

json_t *manifest_new(const struct release_facts *facts)
{
	json_t *manifest = json_object();
	char date[FACTS_TIME_SIZE];

	json_object_set_new(manifest, "schema", json_string(MANIFEST_SCHEMA));
	json_object_set_new(manifest, "name", json_string(facts->name));
	json_object_set_new(manifest, "version", json_string(facts->version));
	json_object_set_new(manifest, "date", json_string(facts_time(facts->epoch, date)));
	json_object_set_new(manifest, "kiln", json_string(facts->kiln_version));
	json_object_set_new(manifest, "signing", json_null());
	json_object_set_new(manifest, "notes",
	                    facts->notes ? json_deep_copy(facts->notes) : json_array());
	json_object_set_new(manifest, "files", json_array());
	for (size_t i = 0; i < facts->n_artefacts; i++)
		manifest_add(manifest, &facts->artefacts[i]);
	return manifest;
}

void manifest_drop(json_t *manifest, const char *kind)
{
	json_t *files = json_object_get(manifest, "files");

	for (size_t i = json_array_size(files); i-- > 0;) {
		if (str_eq(json_str_or(json_array_get(files, i), "kind", ""), kind))
			json_array_remove(files, i);
	}
}

void manifest_set_signing(json_t *manifest, const char *fingerprint, const char *type,
                          bool development, const char *key_file)
{
	json_t *signing = json_object();

	json_object_set_new(signing, "fingerprint", json_string(fingerprint));
	json_object_set_new(signing, "type", json_string(type));
	json_object_set_new(signing, "development", json_boolean(development));
	json_object_set_new(signing, "key", json_string(key_file));
	json_object_set_new(manifest, "signing", signing);
}

static int cmp_file(const void *a, const void *b)
{
	return strcmp(json_str_or(*(json_t *const *)a, "file", ""),
	              json_str_or(*(json_t *const *)b, "file", ""));
}

void manifest_write(json_t *manifest, struct buf *buf)
{
	json_t *files = json_object_get(manifest, "files");
	json_t *sorted = json_array();
	ARRAY(json_t *) list = { 0 };
	json_t *file;
	size_t i;

	json_array_foreach (files, i, file)
		array_push(&list, file);
	array_sort(&list, cmp_file);
	for (i = 0; i < list.n; i++)
		json_array_append(sorted, list.v[i]);
	array_deinit(&list);
	json_object_set_new(manifest, "files", sorted);
	json_write_pretty(manifest, buf);
}

static int read_digest(const json_t *file, const char *key, const char *what, struct digest *ret,
                       struct err *err)
{
	const char *text;

	if (json_get_str(file, key, what, &text, err) < 0)
		return -1;
	if (strlen(text) != DIGEST_HEX_LEN || !digest_parse(text, ret))
		return err_set(err, ERR_INPUT, "%s: member \"%s\" is no SHA-256 digest", what, key);
	return 0;
}

/* A text, or nothing. */
static int read_optional(const json_t *object, const char *key, const char *what, const char **ret,
                         struct err *err)
{
	const json_t *value = json_object_get(object, key);

	*ret = json_string_value(value);
	return !value || json_is_null(value) || *ret ?
	               0 :
	               err_set(err, ERR_INPUT, "%s: member \"%s\" is no text", what, key);
}

static int read_file(const json_t *file, const char *what, struct artefact *ret, struct err *err)
{
	static const char *const known[] = { "file",   "size",       "sha256", "unsigned_sha256",
		                             "kind",   "class",      "target", "variant",
		                             "pinned", "media_type", NULL };
	struct artefact a = { 0 };
	const char *class;
	json_int_t size;

	if (!json_is_object(file))
		return err_set(err, ERR_INPUT, "%s is no object", what);
	if (json_only_members(file, known, what, err) < 0 ||
	    json_get_str(file, "file", what, &a.file, err) < 0 ||
	    json_get_int(file, "size", what, &size, err) < 0 ||
	    read_digest(file, "sha256", what, &a.ref.digest, err) < 0 ||
	    read_digest(file, "unsigned_sha256", what, &a.unsigned_digest, err) < 0 ||
	    json_get_str(file, "kind", what, &a.kind, err) < 0 ||
	    json_get_str(file, "class", what, &class, err) < 0 ||
	    json_get_str(file, "media_type", what, &a.media_type, err) < 0 ||
	    read_optional(file, "target", what, &a.target, err) < 0 ||
	    read_optional(file, "variant", what, &a.variant, err) < 0)
		return -1;
	if (!manifest_name_ok(a.file))
		return err_set(err, ERR_INPUT, "%s: a file name that no release holds", what);
	if (size < 0)
		return err_set(err, ERR_INPUT, "%s: a size below zero", what);
	if (!str_eq(class, "artefact") && !str_eq(class, "evidence"))
		return err_set(err, ERR_INPUT, "%s: a class that is neither artefact nor evidence",
		               what);
	if (!json_is_boolean(json_object_get(file, "pinned")))
		return err_set(err, ERR_INPUT, "%s: member \"pinned\" is not true or false", what);
	a.class = str_eq(class, "artefact") ? ARTEFACT_SHIPPED : ARTEFACT_EVIDENCE;
	a.ref.size = (uint64_t)size;
	a.pinned = json_is_true(json_object_get(file, "pinned"));
	*ret = a;
	return 0;
}

static int read_signing(struct manifest *manifest, struct err *err)
{
	static const char *const known[] = { "fingerprint", "type", "development", "key", NULL };
	static const char what[] = "manifest.json: signing";
	json_t *signing = json_object_get(manifest->json, "signing");
	const char *ignored;

	if (json_is_null(signing))
		return 0;
	if (!json_is_object(signing) || !json_is_boolean(json_object_get(signing, "development")))
		return err_set(err, ERR_INPUT, "manifest.json: member \"signing\" is malformed");
	manifest->is_signed = true;
	manifest->development = json_is_true(json_object_get(signing, "development"));
	if (json_only_members(signing, known, what, err) < 0 ||
	    json_get_str(signing, "type", what, &ignored, err) < 0 ||
	    json_get_str(signing, "key", what, &ignored, err) < 0)
		return -1;
	return json_get_str(signing, "fingerprint", what, &manifest->fingerprint, err);
}

static int read_notes(const struct manifest *manifest, struct err *err)
{
	json_t *notes, *note;
	size_t i;

	if (json_get_array(manifest->json, "notes", "manifest.json", &notes, err) < 0)
		return -1;
	json_array_foreach (notes, i, note)
		if (!json_is_string(note))
			return err_set(err, ERR_INPUT, "manifest.json: notes[%zu] is no text", i);
	return 0;
}

static int read_files(struct manifest *manifest, struct err *err)
{
	json_t *files, *file;
	size_t i;

	if (json_get_array(manifest->json, "files", "manifest.json", &files, err) < 0)
		return -1;
	if (json_array_size(files) > FILES_MOST)
		return err_set(err, ERR_INPUT, "manifest.json lists more than %d files",
		               FILES_MOST);
	json_array_foreach (files, i, file) {
		_cleanup_free_ char *what = str_fmt("manifest.json: files[%zu]", i);
		struct artefact *a = array_add(&manifest->files);

		if (read_file(file, what, a, err) < 0)
			return -1;
		if (i > 0 && strcmp(manifest->files.v[i - 1].file, a->file) >= 0)
			return err_set(err, ERR_INPUT, "%s: %s is listed twice or out of order",
			               what, a->file);
	}
	return 0;
}

static int read_all(struct manifest *manifest, struct err *err)
{
	static const char *const known[] = { "schema", "name",    "version", "date", "kiln",
		                             "notes",  "signing", "files",   NULL };
	const char *schema, *ignored;

	if (!json_is_object(manifest->json))
		return err_set(err, ERR_INPUT, "manifest.json is no object");
	if (json_get_str(manifest->json, "schema", "manifest.json", &schema, err) < 0)
		return -1;
	if (!str_eq(schema, MANIFEST_SCHEMA))
		return err_set(err, ERR_INPUT, "manifest.json has another schema than %s",
		               MANIFEST_SCHEMA);
	if (json_only_members(manifest->json, known, "manifest.json", err) < 0 ||
	    json_get_str(manifest->json, "name", "manifest.json", &manifest->name, err) < 0 ||
	    json_get_str(manifest->json, "version", "manifest.json", &manifest->version, err) < 0 ||
	    json_get_str(manifest->json, "date", "manifest.json", &ignored, err) < 0 ||
	    json_get_str(manifest->json, "kiln", "manifest.json", &ignored, err) < 0 ||
	    read_notes(manifest, err) < 0 || read_signing(manifest, err) < 0)
		return -1;
	return read_files(manifest, err);
}

int manifest_read(const char *text, size_t n, struct manifest *ret, struct err *err)
{
	struct manifest manifest = { 0 };

	if (json_parse(text, n, "manifest.json", &manifest.json, err) < 0)
		return -1;
	if (read_all(&manifest, err) < 0) {
		manifest_deinit(&manifest);
		return -1;
	}
	*ret = manifest;
	return 0;
}

void manifest_deinit(struct manifest *manifest)
{
	array_deinit(&manifest->files);
	json_cleanup(&manifest->json);
}

const struct artefact *manifest_find(const struct manifest *manifest, const char *file)
{
	size_t low = 0, high = manifest->files.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(file, manifest->files.v[mid].file);

		if (c == 0)
			return &manifest->files.v[mid];
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
