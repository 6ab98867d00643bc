/*
 * Tampering: each way to change a signed release, and what verify says. The folder is written anew
 * for each case; integrity-only must notice whatever does not need a key to be noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/alloc.h"
#include "fakes/folder.h"
#include "fakes/release.h"

struct tamper {
	const char *what;
	const char *command; /* run in the release folder; $O is another release of another key */
	const char *words;   /* in some line of the report */
	bool integrity_sees; /* without a key as well */
};

/* Rewrites the sums over what lies there now, as an attacker without the key would. */
#define RESUM                                                                                      \
	"sha256sum $(ls | grep -v '^SHA256SUMS') | LC_ALL=C sort -k2 > ../s && mv ../s SHA256SUMS"
#define DEB "hello_1.0-1_amd64.deb"

static const struct tamper tampers[] = {
	{ "artefact changed", "echo evil > " DEB, DEB, true },
	{ "artefact changed, same size", "printf 'A package' > " DEB, "differs from its checksum",
	  true },
	{ "artefact cut to nothing", ": > " DEB, "has 0 bytes", true },
	{ "artefact grown huge", "truncate -s 1T " DEB, "has 1099511627776 bytes", true },
	{ "artefact missing", "rm " DEB, "is missing", true },
	{ "artefact became a link", "mv " DEB " ../x && ln -s ../x " DEB, "no plain file", true },
	{ "artefact became a folder", "rm " DEB " && mkdir " DEB, "no plain file", true },
	{ "artefact became a pipe", "rm " DEB " && mkfifo " DEB, "no plain file", true },
	{ "extra file", "touch extra", "no list names it", true },
	{ "extra hidden file", "touch .extra", "no list names it", true },
	{ "extra folder", "mkdir extra", "no list names it", true },
	{ "extra name full of escapes", "touch \"$(printf 'a\\033[31m')\"", "no list names it",
	  true },
	{ "sums changed", "sed -i '1s/^./0/;2s/^./0/' SHA256SUMS", "SHA256SUMS", true },
	{ "sums cut", "truncate -s 100 SHA256SUMS", "SHA256SUMS", true },
	{ "sums empty", ": > SHA256SUMS", "SHA256SUMS", true },
	{ "sums missing", "rm SHA256SUMS", "SHA256SUMS is missing", true },
	{ "sums became a link", "mv SHA256SUMS ../x && ln -s ../x SHA256SUMS", "no plain file",
	  true },
	{ "sums huge", "truncate -s 100G SHA256SUMS", "larger", true },
	{ "line taken out of the sums", "sed -i '/\\.deb$/d' SHA256SUMS", "signs other bytes",
	  true },
	{ "line added to the sums", "echo \"$(head -c 64 SHA256SUMS)  zzz\" >> SHA256SUMS",
	  "signs other bytes", true },
	{ "sums point elsewhere", "sed -i 's,  hello_,  ../hello_,' SHA256SUMS", "SHA256SUMS",
	  true },
	{ "artefact changed and sums redone", "echo evil > " DEB " && " RESUM, "signs other bytes",
	  true },
	{ "all redone but signatures",
	  "printf 'A package' > " DEB
	  " && sed -i \"s/$(printf 'a package' | sha256sum | cut -c-64)/$(sha256sum < " DEB
	  " | cut -c-64)/\" manifest.json && " RESUM,
	  "signs other bytes", false },
	{ "manifest changed", "sed -i 's/hello/hullo/' manifest.json", "manifest.json", true },
	{ "manifest changed and sums redone",
	  "sed -i 's/\"pinned\": false/\"pinned\": true/' "
	  "manifest.json && " RESUM,
	  "signs other bytes", false },
	{ "a second provenance",
	  "sed -i 's/\"kind\": \"report\"/\"kind\": \"provenance\"/' manifest.json && " RESUM,
	  "signs other bytes", true },
	{ "manifest missing", "rm manifest.json", "manifest.json is missing", true },
	{ "manifest is nonsense", "echo '[[[' > manifest.json && " RESUM, "signs other bytes",
	  true },
	{ "manifest is deep", "head -c 200000 /dev/zero | tr '\\0' '[' > manifest.json && " RESUM,
	  "signs other bytes", true },
	{ "provenance changed", "sed -i 's/\"sig\":\"M/\"sig\":\"N/' *.provenance.sigstore.json",
	  "provenance", true },
	{ "provenance swapped", "cp $O/*.provenance.sigstore.json .", "provenance", true },
	{ "provenance missing", "rm *.provenance.sigstore.json", "provenance", true },
	{ "bundle of the sums missing", "rm SHA256SUMS.sigstore.json", "not signed", false },
	{ "bundle swapped for another key's", "cp $O/SHA256SUMS.sigstore.json .", "another key",
	  false },
	{ "bundle swapped for the provenance's",
	  "cp *.provenance.sigstore.json "
	  "SHA256SUMS.sigstore.json",
	  "SHA256SUMS.sigstore.json", false },
	{ "bundle cut", "truncate -s 200 SHA256SUMS.sigstore.json", "not valid JSON", false },
	{ "bundle huge", "truncate -s 10G SHA256SUMS.sigstore.json",
	  "is larger than a release's can be", false },
	{ "signature changed",
	  "sed -i 's/\"signature\":\"M/\"signature\":\"N/' "
	  "SHA256SUMS.sigstore.json",
	  "SHA256SUMS.sigstore.json", false },
	{ "verdict changed", "sed -i 's/declared/proved/' *.verdict.json", "verdict.json", true },
	{ "report changed", "echo >> report.html", "report.html", true },
	{ "key in the folder changed", "cp $O/signing-key.pub.pem .", "signing-key", true },
	{ "whole release of another key", "rm -rf ./* && cp $O/* .", "another key", false },
};

struct fixture {
	struct folder folder;
	char *out, *other_out;
	struct fake_release fake;
	struct signer *signer, *other;
};

static void write_both(struct fixture *f)
{
	struct dist_result result;
	struct err err = ERR_INIT;

	assert_int_equal(folder_sh(&f->folder, "rm -rf dist other x"), 0);
	f->fake.input.out = f->out;
	f->fake.input.signer = f->signer;
	if (dist_write(f->fake.blobs, &f->fake.input, &result, &err) != 0)
		fail_msg("%s", err.cause);
	dist_result_deinit(&result);
	f->fake.input.out = f->other_out;
	f->fake.input.signer = f->other;
	if (dist_write(f->fake.blobs, &f->fake.input, &result, &err) != 0)
		fail_msg("%s", err.cause);
	dist_result_deinit(&result);
}

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	folder_init(&f->folder);
	f->out = str_fmt("%s/dist", f->folder.path);
	f->other_out = str_fmt("%s/other", f->folder.path);
	fake_release_init(&f->fake, f->out);
	f->signer = fake_signer("p256.pem", false);
	f->other = fake_signer("ed.pem", false);
	write_both(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	folder_deinit(&f->folder);
	fake_release_deinit(&f->fake);
	signer_free(f->signer);
	signer_free(f->other);
	free(f->out);
	free(f->other_out);
	free(f);
	return 0;
}

/* Verifies; true when some line or the error has the words. No line may hold a control character. */
static int verify(const char *path, const struct key *key, const char *words, bool *ret_said,
                  struct err *err)
{
	struct verify_options options = { .key = key };
	struct verify_report report = { 0 };
	int rc;

	*err = ERR_INIT;
	rc = dist_verify(path, &options, &report, err);
	*ret_said = words && strstr(err->cause, words);
	for (size_t i = 0; i < report.lines.n; i++) {
		_cleanup_free_ char *line =
			str_fmt("%s: %s", report.lines.v[i].file, report.lines.v[i].text);

		for (const char *p = line; *p; p++)
			assert_true(*p >= ' ' && *p < 0x7f);
		*ret_said |= words && strstr(line, words);
	}
	assert_false(rc < 0 && report.authenticated);
	verify_report_deinit(&report);
	return rc;
}

static void every_tampering_is_noticed(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(tampers); i++) {
		const struct tamper *t = &tampers[i];
		_cleanup_free_ char *command =
			str_fmt("O=%s; cd dist && %s", f->other_out, t->command);
		struct err err;
		bool said;

		write_both(f);
		assert_int_equal(verify(f->out, f->signer->key, NULL, &said, &err), 0);
		if (folder_sh(&f->folder, command) != 0)
			fail_msg("%s: the command failed", t->what);
		if (verify(f->out, f->signer->key, t->words, &said, &err) == 0)
			fail_msg("%s: not noticed", t->what);
		if (err.code != ERR_DENIED || err_exit_status(&err) != 4)
			fail_msg("%s: %s", t->what, err.cause);
		if (!said)
			fail_msg("%s: \"%s\" says nothing of \"%s\"", t->what, err.cause, t->words);
		if ((verify(f->out, NULL, NULL, &said, &err) < 0) != t->integrity_sees)
			fail_msg("%s: integrity-only: %s", t->what, err.cause);
	}
}

static void wrong_keys_do_not_verify(void **state)
{
	struct fixture *f = *state;
	struct err err;
	bool said;

	assert_int_equal(verify(f->out, f->other->key, "another key", &said, &err), -1);
	assert_true(said);
	assert_int_equal(verify(f->other_out, f->signer->key, "another key", &said, &err), -1);
	assert_true(said);
	assert_int_equal(verify(f->other_out, f->other->key, NULL, &said, &err), 0);
}

static void single_files(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *deb = str_fmt("%s/%s", f->out, DEB);
	_cleanup_free_ char *sums = str_fmt("%s/SHA256SUMS", f->out);
	_cleanup_free_ char *extra = str_fmt("%s/extra", f->out);
	_cleanup_free_ char *gone = str_fmt("%s/gone", f->out);
	struct err err;
	bool said;

	assert_int_equal(verify(deb, f->signer->key, "checksum holds", &said, &err), 0);
	assert_true(said);
	assert_int_equal(verify(sums, f->signer->key, NULL, &said, &err), 0);
	assert_int_equal(verify(deb, f->other->key, "another key", &said, &err), -1);
	assert_true(said);
	/* Only what is asked for counts, and what authenticates it. */
	assert_int_equal(
		folder_sh(&f->folder, "cd dist && rm *.tar.zst *.provenance.* && touch extra"), 0);
	assert_int_equal(verify(deb, f->signer->key, "not checked", &said, &err), 0);
	assert_true(said);
	assert_int_equal(verify(extra, f->signer->key, "no list names it", &said, &err), -1);
	assert_true(said);
	assert_int_equal(verify(gone, f->signer->key, NULL, &said, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(folder_sh(&f->folder, "echo evil > dist/" DEB), 0);
	assert_int_equal(verify(deb, f->signer->key, DEB, &said, &err), -1);
	assert_true(said);
	assert_int_equal(folder_sh(&f->folder, "rm dist/manifest.json"), 0);
	assert_int_equal(verify(deb, f->signer->key, "manifest.json is missing", &said, &err), -1);
	assert_true(said);
}

static void links_to_folders_are_places(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *latest = str_fmt("%s/latest", f->folder.path);
	_cleanup_free_ char *file = str_fmt("%s/file", f->folder.path);
	struct err err;
	bool said;

	assert_int_equal(folder_sh(&f->folder, "ln -s dist latest && ln -s dist/" DEB " file"), 0);
	assert_int_equal(verify(latest, f->signer->key, NULL, &said, &err), 0);
	assert_int_equal(verify(file, f->signer->key, NULL, &said, &err), -1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_tampering_is_noticed),
		CASE(wrong_keys_do_not_verify),
		CASE(single_files),
		CASE(links_to_folders_are_places),
	};

	return cmocka_run_group_tests_name("release/verify", tests, NULL, NULL);
}
