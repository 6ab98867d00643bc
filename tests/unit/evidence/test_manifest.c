/* The manifest: what is written is read back; what a stranger wrote is read strictly. */
#include "base/alloc.h"
#include "evidence/manifest.h"
#include "unit/support.h"

static struct artefact sample(const char *file, enum artefact_class class)
{
	struct artefact a = { .file = file,
		              .kind = "archive",
		              .class = class,
		              .media_type = "application/zstd",
		              .ref = { .size = 7 } };

	memset(a.ref.digest.bytes, 0xab, sizeof(a.ref.digest.bytes));
	return a;
}

static json_t *written(void)
{
	struct artefact files[] = { sample("b", ARTEFACT_SHIPPED), sample("a", ARTEFACT_EVIDENCE) };
	struct release_facts facts = { .name = "n",
		                       .version = "1",
		                       .kiln_version = "0",
		                       .artefacts = files,
		                       .n_artefacts = 2 };
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	_cleanup_json_ json_t *manifest = NULL;
	struct err err = ERR_INIT;
	json_t *back = NULL;

	files[0].target = "t";
	files[0].variant = "v";
	memset(files[0].unsigned_digest.bytes, 0xcd, 32);
	manifest = manifest_new(&facts);
	manifest_write(manifest, &text);
	assert_int_equal(json_parse(buf_text(&text), text.n, "it", &back, &err), 0);
	return back;
}

static int read_json(const json_t *json, struct manifest *ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 22);

	*err = ERR_INIT;
	json_write_pretty(json, &text);
	return manifest_read(buf_text(&text), text.n, ret, err);
}

static void goes_round(void **state)
{
	_cleanup_json_ json_t *json = written();
	struct manifest m;
	struct err err;

	(void)state;
	assert_int_equal(read_json(json, &m, &err), 0);
	assert_int_equal(m.files.n, 2);
	assert_string_equal(m.files.v[0].file, "a"); /* sorted */
	assert_null(m.files.v[0].target);
	assert_int_equal(m.files.v[0].class, ARTEFACT_EVIDENCE);
	assert_true(digest_eq(&m.files.v[0].unsigned_digest, &m.files.v[0].ref.digest));
	assert_string_equal(m.files.v[1].target, "t");
	assert_string_equal(m.files.v[1].variant, "v");
	assert_int_equal(m.files.v[1].ref.size, 7);
	assert_int_equal(m.files.v[1].unsigned_digest.bytes[5], 0xcd);
	assert_ptr_equal(manifest_find(&m, "b"), &m.files.v[1]);
	assert_null(manifest_find(&m, "c"));
	assert_null(manifest_find(&m, ""));
	assert_false(m.is_signed);
	manifest_deinit(&m);
}

static void signing_is_read(void **state)
{
	_cleanup_json_ json_t *json = written();
	struct manifest m;
	struct err err;

	(void)state;
	manifest_set_signing(json, "SHA256:x", "ed25519", true, "k.pem");
	manifest_drop(json, "archive");
	assert_int_equal(read_json(json, &m, &err), 0);
	assert_true(m.is_signed && m.development);
	assert_string_equal(m.fingerprint, "SHA256:x");
	assert_int_equal(m.files.n, 0);
	manifest_deinit(&m);
}

/* Changes one member (of the first file when `in_file`) and expects a refusal with `words`. */
static void refuse_with(bool in_file, const char *key, json_t *value, const char *words)
{
	_cleanup_json_ json_t *json = written();
	json_t *at = in_file ? json_array_get(json_object_get(json, "files"), 0) : json;
	struct manifest m;
	struct err err;

	if (value)
		json_object_set_new(at, key, value);
	else
		json_object_del(at, key);
	if (read_json(json, &m, &err) == 0)
		fail_msg("accepted a changed \"%s\"", key);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, words);
}

static void refuse(bool in_file, const char *key, json_t *value)
{
	refuse_with(in_file, key, value, key);
}

static void strangers_are_read_strictly(void **state)
{
	static const char *const top[] = { "schema", "name", "version", "files",
		                           "date",   "kiln", "notes" };
	static const char *const file[] = { "file", "size",  "sha256",     "unsigned_sha256",
		                            "kind", "class", "media_type", "pinned" };
	static const char *const names[] = { "a/b",  "..",   ".",  "",   "../a", "a b",
		                             "a\nb", "a\\b", "-a", ".a", "ä" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(top); i++) {
		refuse(false, top[i], NULL);
		refuse(false, top[i], json_true());
	}
	for (size_t i = 0; i < ARRAY_LEN(file); i++) {
		refuse(true, file[i], NULL);
		refuse(true, file[i], json_object());
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		refuse_with(true, "file", json_string(names[i]),
		            "a file name that no release holds");
	refuse_with(true, "file", json_string("b"), "is listed twice or out of order");
	refuse_with(true, "file", json_string("c"), "is listed twice or out of order");
	refuse_with(true, "size", json_integer(-1), "a size below zero");
	refuse(true, "size", json_real(1.5));
	refuse_with(true, "class", json_string("other"),
	            "a class that is neither artefact nor evidence");
	refuse_with(true, "sha256", json_string("abc"), "member \"sha256\" is no SHA-256 digest");
	refuse_with(true, "pinned", json_integer(1), "member \"pinned\" is not true or false");
	refuse_with(false, "files", json_pack("[i]", 5), "files[0] is no object");
	refuse_with(false, "signing", json_true(),
	            "manifest.json: member \"signing\" is malformed");
	refuse_with(false, "schema", json_string("x"), "manifest.json has another schema than");
	refuse(true, "extra", json_null());
	refuse(true, "target", json_integer(5));
	refuse(true, "variant", json_true());
	refuse(false, "notes", json_pack("[i]", 5));
	refuse(false, "signing",
	       json_pack("{s:s,s:s,s:b,s:s,s:i}", "fingerprint", "x", "type", "t", "development", 0,
	                 "key", "k", "more", 1));
	refuse(false, "signing",
	       json_pack("{s:s,s:b,s:s}", "fingerprint", "x", "development", 0, "key", "k"));
	refuse(false, "extra", json_null());
	refuse(false, "schema", json_string("kiln.manifest/2"));
	refuse(false, "signing", json_string("yes"));
	refuse(false, "signing", json_object());
	refuse(false, "files", json_object());
}

static void no_object_or_too_many_files(void **state)
{
	_cleanup_json_ json_t *array = json_array(), *json = written();
	struct manifest m;
	struct err err;

	(void)state;
	assert_int_equal(read_json(array, &m, &err), -1);
	assert_contains(err.cause, "manifest.json is no object");
	for (int i = 0; i < 100001; i++)
		json_array_append_new(json_object_get(json, "files"), json_null());
	assert_int_equal(read_json(json, &m, &err), -1);
	assert_contains(err.cause, "manifest.json lists more than");
}

static void names(void **state)
{
	_cleanup_free_ char *longest = alloc(202);

	(void)state;
	assert_true(manifest_name_ok("gawk-5.2.1-x86_64-unknown-linux-gnu+v3.tar.zst"));
	assert_true(manifest_name_ok("a~1:2,x@y=z%20(1)"));
	memset(longest, 'a', 200);
	assert_true(manifest_name_ok(longest));
	longest[200] = 'a';
	assert_false(manifest_name_ok(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_round),
		cmocka_unit_test(signing_is_read),
		cmocka_unit_test(strangers_are_read_strictly),
		cmocka_unit_test(no_object_or_too_many_files),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests_name("evidence/manifest", tests, NULL, NULL);
}
