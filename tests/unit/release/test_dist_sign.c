/* A release folder signed after it was written, and by whom. */
#include "unit/release/a_dist.h"

static int sign(struct fixture *f, const struct signer *signer, struct err *err)
{
	struct dist_result result = { 0 };
	int rc;

	*err = ERR_INIT;
	rc = dist_sign(f->out, signer, &result, err);
	if (rc >= 0) {
		assert_true(result.is_signed);
		assert_int_equal(result.n_artefacts, 9);
		assert_string_equal(result.fingerprint, signer->fingerprint);
	}
	dist_result_deinit(&result);
	return rc;
}

static void signed_later(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->fake.input.signer = NULL;
	must_write(f, 0);
	assert_true(folder_has(&f->folder, "dist/hello-1.0/hello-1.0.provenance.json"));
	must_verify(f->out, NULL);
	assert_int_equal(verify(f->out, f->signer->key, false, &err), -1);
	assert_non_null(strstr(err.cause, "not signed"));
	if (sign(f, f->signer, &err) != 0)
		fail_msg("%s", err.cause);
	must_verify(f->out, f->signer->key);
	assert_false(folder_has(&f->folder, "dist/hello-1.0/hello-1.0.provenance.json"));
	/* What it replaced, where it was killed before that was removed. */
	folder_text(&f->folder, "dist/.hello-1.0.999999-0/manifest.json", "{}");
	folder_text(&f->folder, "dist/.hello-1.0.other/manifest.json", "{}");
	assert_int_equal(sign(f, f->signer, &err), DIST_SAME);
	assert_false(folder_has(&f->folder, "dist/.hello-1.0.999999-0"));
	assert_int_equal(folder_sh(&f->folder, "rm -r dist/.hello-1.0.other"), 0);
	assert_int_equal(sign(f, f->other, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_non_null(strstr(err.cause, "is signed already, and not with this key"));
	assert_int_equal(folder_sh(&f->folder, "test \"$(ls -A dist)\" = hello-1.0"), 0);
	/* The release itself is the same now as if it had been signed at once. */
	f->fake.input.signer = f->signer;
	must_write(f, DIST_SAME);
}

static void damaged_release_is_not_signed(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->fake.input.signer = NULL;
	must_write(f, 0);
	folder_text(&f->folder, "dist/hello-1.0/extra", "x");
	assert_int_equal(sign(f, f->signer, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_false(folder_has(&f->folder, "dist/hello-1.0/SHA256SUMS.sigstore.json"));
	assert_int_equal(
		folder_sh(&f->folder,
	                  "cd dist/hello-1.0 && rm extra && "
	                  "sed -i 's/\"name\": \"hello\"/\"name\": \"a b\"/' manifest.json && "
	                  "sha256sum $(ls | grep -v SHA256SUMS) | LC_ALL=C sort -k2 >../s && "
	                  "mv ../s SHA256SUMS"),
		0);
	assert_int_equal(sign(f, f->signer, &err), -1);
	assert_non_null(strstr(err.cause, "the manifest's name and version are malformed"));
	f->out[strlen(f->out) - 1] = '7';
	assert_int_equal(sign(f, f->signer, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	f->out[strlen(f->out) - 1] = '0';
}

static void development_keys_are_marked(void **state)
{
	struct fixture *f = *state;
	_cleanup_signer_ struct signer *development = fake_signer("p256.pem", true);
	_cleanup_free_ char *manifest = NULL;
	struct err err;

	for (int later = 0; later < 2; later++) {
		f->fake.input.signer = later ? NULL : development;
		f->fake.input.replace = true;
		if (later)
			assert_int_equal(folder_sh(&f->folder, "rm -r dist"), 0);
		must_write(f, 0);
		if (later)
			assert_int_equal(sign(f, development, &err), 0);
		assert_int_equal(verify(f->out, development->key, false, &err), -1);
		assert_int_equal(err.code, ERR_DENIED);
		assert_non_null(strstr(err.cause, "the release is signed with a development key"));
		assert_non_null(strstr(err.hint, "--allow-development"));
		assert_int_equal(verify(f->out, development->key, true, &err), 0);
		assert_int_equal(folder_sh(&f->folder, "grep -q '\"development\": true' "
		                                       "dist/hello-1.0/manifest.json"),
		                 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(signed_later),
		CASE(damaged_release_is_not_signed),
		CASE(development_keys_are_marked),
	};

	return cmocka_run_group_tests_name("release/dist_sign", tests, NULL, NULL);
}
