#ifndef KILN_TESTS_A_DIST_H
#define KILN_TESTS_A_DIST_H

/* A release folder to write, sign and verify: what its tests share. */
#include "evidence/statement.h"
#include "external/crypto.h"
#include "fakes/folder.h"
#include "fakes/release.h"
#include "release/staging.h"
#include "unit/support.h"

struct fixture {
	struct folder folder;
	struct fake_release fake;
	char *out;
	struct signer *signer, *other;
};

static inline int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	folder_init(&f->folder);
	f->out = str_fmt("%s/dist/hello-1.0", f->folder.path);
	fake_release_init(&f->fake, f->out);
	f->signer = fake_signer("p256.pem", false);
	f->other = fake_signer("ed.pem", false);
	f->fake.input.signer = f->signer;
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	folder_deinit(&f->folder);
	fake_release_deinit(&f->fake);
	signer_free(f->signer);
	signer_free(f->other);
	free(f->out);
	free(f);
	return 0;
}

static inline int write_dist(struct fixture *f, struct err *err)
{
	struct dist_result result = { 0 };
	int rc;

	*err = ERR_INIT;
	rc = dist_write(f->fake.blobs, &f->fake.input, &result, err);
	if (rc >= 0) {
		assert_int_equal(result.n_artefacts, 9);
		/* An unsigned one is not written over the same one that is signed. */
		assert_int_equal(result.is_signed, f->fake.input.signer || rc == DIST_SAME);
		assert_int_equal(result.is_signed, result.fingerprint != NULL);
	}
	dist_result_deinit(&result);
	return rc;
}

static inline void must_write(struct fixture *f, int outcome)
{
	struct err err;
	int rc = write_dist(f, &err);

	if (rc != outcome)
		fail_msg("%d: %s (%s)", rc, err.cause, err.trail);
}

static inline int verify(const char *path, const struct key *key, bool development, struct err *err)
{
	struct verify_options options = { .key = key, .allow_development = development };
	struct verify_report report = { 0 };
	int rc;

	*err = ERR_INIT;
	rc = dist_verify(path, &options, &report, err);
	assert_int_equal(report.authenticated && report.n_bad == 0, rc == 0 && key);
	assert_true(report.lines.n > 0 || err->code == ERR_USAGE);
	verify_report_deinit(&report);
	return rc;
}

static inline void must_verify(const char *path, const struct key *key)
{
	struct err err;

	if (verify(path, key, false, &err) < 0)
		fail_msg("%s: %s", path, err.cause);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
