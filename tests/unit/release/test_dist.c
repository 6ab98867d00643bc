/* The release folder: what lies in it, that it is never half there, the same, replaced. */
#include <signal.h>
#include <sys/resource.h>

#include "host/failpoint.h"
#include "unit/release/a_dist.h"

static char *listing(const struct fixture *f)
{
	struct fs_names names;
	struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	assert_int_equal(fs_list(f->folder.fd, "dist/hello-1.0", &names, &err), 0);
	for (size_t i = 0; i < names.names.n; i++)
		buf_fmt(&text, "%s\n", names.names.v[i]);
	fs_names_deinit(&names);
	return buf_steal(&text);
}

static void holds_what_it_should(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *list = NULL;
	struct stat st;

	must_write(f, 0);
	list = listing(f);
	assert_string_equal(list, "SHA256SUMS\n"
	                          "SHA256SUMS.sigstore.json\n"
	                          "hello-1.0-aarch64-unknown-linux-gnu.cdx.json\n"
	                          "hello-1.0-aarch64-unknown-linux-gnu.spdx.json\n"
	                          "hello-1.0-aarch64-unknown-linux-gnu.tar.zst\n"
	                          "hello-1.0-x86_64-unknown-linux-gnu.cdx.json\n"
	                          "hello-1.0-x86_64-unknown-linux-gnu.profdata\n"
	                          "hello-1.0-x86_64-unknown-linux-gnu.spdx.json\n"
	                          "hello-1.0-x86_64-unknown-linux-gnu.tar.zst\n"
	                          "hello-1.0.provenance.sigstore.json\n"
	                          "hello-1.0.rebuild.tar\n"
	                          "hello-1.0.verdict.json\n"
	                          "hello_1.0-1_amd64.deb\n"
	                          "manifest.json\n"
	                          "report.html\n"
	                          "signing-key.pub.pem\n");
	must_verify(f->out, f->signer->key);
	must_verify(f->out, NULL);
	assert_int_equal(folder_sh(&f->folder,
	                           "cd dist/hello-1.0 && sha256sum -c SHA256SUMS && "
	                           "test $(wc -l < SHA256SUMS) = 14 && "
	                           "tar -tf hello-1.0.rebuild.tar | tr '\\n' ' ' | grep "
	                           "'^hello-1.0.rebuild/kiln.lock hello-1.0.rebuild/"
	                           "recipes/hello.lua $'"),
	                 0);
	assert_int_equal(stat(f->out, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	/* Nothing is left beside it. */
	assert_int_equal(folder_sh(&f->folder, "test \"$(ls -A dist)\" = hello-1.0"), 0);
}

static void artefacts_are_equal_evidence_may_differ(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *second = str_fmt("%s/again", f->folder.path);

	must_write(f, 0);
	f->fake.input.out = second;
	f->fake.input.facts.started += 1000;
	f->fake.input.facts.finished += 2000;
	umask(077);
	setenv("TZ", "Asia/Kathmandu", 1);
	must_write(f, 0);
	umask(022);
	setenv("TZ", "UTC", 1);
	assert_int_equal(folder_sh(&f->folder,
	                           "for a in $(grep -v -e manifest.json -e report.html "
	                           "-e provenance -e verdict dist/hello-1.0/SHA256SUMS | "
	                           "cut -c67-); do cmp dist/hello-1.0/$a again/$a || exit "
	                           "1; done"),
	                 0);
	assert_int_equal(folder_sh(&f->folder, "cmp -s dist/hello-1.0/manifest.json "
	                                       "again/manifest.json"),
	                 1);
}

static void same_release_writes_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *before = NULL, *after = NULL;

	must_write(f, 0);
	before = folder_read(&f->folder, "dist/hello-1.0/SHA256SUMS.sigstore.json", NULL);
	f->fake.input.facts.started += 1000;
	must_write(f, DIST_SAME);
	f->fake.input.replace = true;
	must_write(f, DIST_SAME);
	after = folder_read(&f->folder, "dist/hello-1.0/SHA256SUMS.sigstore.json", NULL);
	assert_string_equal(before, after);
	assert_int_equal(folder_sh(&f->folder, "test \"$(ls -A dist)\" = hello-1.0"), 0);
	f->fake.input.signer = NULL;
	f->fake.input.replace = false;
	must_write(f, DIST_SAME);
}

static void refuse_then_replace(struct fixture *f, const char *words)
{
	struct err err;

	assert_int_equal(write_dist(f, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	if (!strstr(err.cause, words))
		fail_msg("\"%s\" lacks \"%s\"", err.cause, words);
	assert_true(err.hint[0]);
	f->fake.input.replace = true;
	must_write(f, 0);
	if (f->fake.input.signer)
		must_verify(f->out, f->fake.input.signer->key);
	assert_int_equal(folder_sh(&f->folder, "test \"$(ls -A dist)\" = hello-1.0"), 0);
}

static void other_bytes_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	must_write(f, 0);
	assert_int_equal(blobs_put(f->fake.blobs, "other", 5, &f->fake.artefacts[0].ref, &err), 0);
	refuse_then_replace(f, "holds another release: its "
	                       "hello-1.0-x86_64-unknown-linux-gnu.tar.zst differs");
}

static void another_artefact_is_refused(void **state)
{
	struct fixture *f = *state;

	must_write(f, 0);
	f->fake.artefacts[0].file = "other.tar.zst";
	refuse_then_replace(f, "holds another release: it lacks other.tar.zst");
}

static void one_artefact_less_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->fake.artefacts[3].target = NULL;
	must_write(f, 0);
	f->fake.input.facts.n_artefacts--;
	assert_int_equal(write_dist(f, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_non_null(strstr(err.cause, "holds another release, with other artefacts"));
}

static void another_key_is_refused(void **state)
{
	struct fixture *f = *state;

	must_write(f, 0);
	f->fake.input.signer = f->other;
	refuse_then_replace(f, "another key");
}

static void unsigned_release_is_not_silently_signed(void **state)
{
	struct fixture *f = *state;

	f->fake.input.signer = NULL;
	must_write(f, 0);
	f->fake.input.signer = f->signer;
	refuse_then_replace(f, "holds this release unsigned");
}

/* The way out of a leaked key: the same release, unsigned, then signed by another key. */
static void a_signed_release_is_replaced_by_an_unsigned_one(void **state)
{
	struct fixture *f = *state;
	struct dist_result result = { 0 };
	struct err err = ERR_INIT;

	must_write(f, 0);
	f->fake.input.signer = NULL;
	f->fake.input.replace = true;
	must_write(f, 0);
	assert_int_equal(dist_sign(f->out, f->other, &result, &err), 0);
	dist_result_deinit(&result);
	must_verify(f->out, f->other->key);
}

static void damaged_release_is_refused(void **state)
{
	struct fixture *f = *state;

	must_write(f, 0);
	folder_text(&f->folder, "dist/hello-1.0/report.html", "changed");
	refuse_then_replace(f, "report.html");
}

static void other_folders_are_never_touched(void **state)
{
	struct fixture *f = *state;
	struct err err;

	folder_text(&f->folder, "dist/hello-1.0/letters", "dear");
	f->fake.input.replace = true;
	assert_int_equal(write_dist(f, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_non_null(strstr(err.cause, "is in the way: it holds files, but no release"));
	assert_int_equal(folder_sh(&f->folder, "test \"$(ls -A dist/hello-1.0)\" = letters && "
	                                       "rm dist/hello-1.0/letters"),
	                 0);
	must_write(f, 0);
	assert_int_equal(folder_sh(&f->folder, "rm -r dist/hello-1.0 && touch dist/hello-1.0"), 0);
	assert_int_equal(write_dist(f, &err), -1);
	assert_non_null(strstr(err.cause, "is in the way: it is no folder"));
}

static void bad_names_are_refused(void **state)
{
	static const char *const names[] = { "a/b",
		                             "..",
		                             ".hidden",
		                             "-rf",
		                             "SHA256SUMS",
		                             "manifest.json",
		                             "two words",
		                             "",
		                             "hello-1.0.rebuild.tar",
		                             "hello-1.0.verdict.json",
		                             "hello-1.0.provenance.json",
		                             "hello_1.0-1_amd64.deb",
		                             "hello-1.0-x86_64-unknown-linux-gnu.cdx.json",
		                             "new\nline",
		                             "quo\"te" };
	struct fixture *f = *state;
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		f->fake.artefacts[0].file = names[i];
		if (write_dist(f, &err) == 0)
			fail_msg("accepted \"%s\"", names[i]);
		assert_int_equal(err.code, ERR_INPUT);
		if (!strstr(err.cause,
		            str_ends(names[i], ".deb") || str_ends(names[i], ".cdx.json") ?
		                    "two files of the release have the name" :
		                    "cannot be the name of a file in a release"))
			fail_msg("\"%s\": %s", names[i], err.cause);
		assert_false(folder_has(&f->folder, "dist/hello-1.0"));
	}
	f->fake.input.facts.name = "two words";
	assert_int_equal(write_dist(f, &err), -1);
	assert_non_null(strstr(err.cause, "a release's name and version must be short and of plain "
	                                  "visible characters"));
}

static void a_missing_blob_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct err err;

	f->fake.artefacts[2].ref.digest.bytes[0] ^= 1;
	assert_int_equal(write_dist(f, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(folder_sh(&f->folder, "test -z \"$(ls -A dist)\""), 0);
}

static void a_failing_rename_leaves_the_old(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	must_write(f, 0);
	assert_int_equal(blobs_put(f->fake.blobs, "other", 5, &f->fake.artefacts[0].ref, &err), 0);
	f->fake.input.replace = true;
	setenv("KILN_FAILPOINT", "dist-rename:1", 1);
	failpoint_arm();
	assert_int_equal(write_dist(f, &err), -1);
	unsetenv("KILN_FAILPOINT");
	failpoint_arm();
	assert_int_equal(err.code, ERR_IO);
	must_verify(f->out, f->signer->key);
	assert_int_equal(folder_sh(&f->folder, "test \"$(ls -A dist)\" = hello-1.0"), 0);
}

/* A file that cannot grow is what a full disk looks like from here. */
static void a_full_disk_leaves_the_old(void **state)
{
	struct fixture *f = *state;
	struct rlimit before, tight;
	struct err err = ERR_INIT;
	int rc;

	must_write(f, 0);
	assert_int_equal(blobs_put(f->fake.blobs, "other", 5, &f->fake.artefacts[0].ref, &err), 0);
	f->fake.input.replace = true;
	signal(SIGXFSZ, SIG_IGN);
	for (rlim_t most = 0; most < 6000; most += 500) {
		assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
		tight = before;
		tight.rlim_cur = most;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
		rc = write_dist(f, &err);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
		if (rc >= 0)
			fail_msg("wrote a release with files of at most %llu bytes",
			         (unsigned long long)most);
		assert_int_equal(err.code, ERR_IO);
		must_verify(f->out, f->signer->key);
		assert_int_equal(folder_sh(&f->folder, "test \"$(ls -A dist)\" = hello-1.0"), 0);
	}
	must_write(f, 0);
}

static void leftovers_are_swept(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(folder_sh(&f->folder, "mkdir -p dist/.hello-1.0.999999-0/x "
	                                       "dist/.hello-1.0.1.5-0 dist/.other-1.0.9-0"),
	                 0);
	must_write(f, 0);
	assert_false(folder_has(&f->folder, "dist/.hello-1.0.999999-0"));
	assert_true(folder_has(&f->folder, "dist/.hello-1.0.1.5-0"));
	assert_true(folder_has(&f->folder, "dist/.other-1.0.9-0"));
}

static void documents_say_what_they_should(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	_cleanup_buf_ struct buf statement_text = BUF_INIT(1 << 20);
	_cleanup_json_ json_t *statement = NULL, *verdict = NULL;
	_cleanup_free_ char *page = NULL;
	struct manifest manifest;
	size_t n;

	f->fake.input.signer = NULL;
	must_write(f, 0);
	_cleanup_free_ char *text = folder_read(&f->folder, "dist/hello-1.0/manifest.json", &n);
	assert_int_equal(manifest_read(text, n, &manifest, &err), 0);
	assert_string_equal(manifest.name, "hello");
	assert_false(manifest.is_signed);
	assert_int_equal(manifest.files.n, 12);
	assert_string_equal(manifest_find(&manifest, "hello_1.0-1_amd64.deb")->kind, "deb");
	assert_false(
		manifest_find(&manifest, "hello-1.0-x86_64-unknown-linux-gnu.profdata")->pinned);
	assert_int_equal(json_read_file(f->folder.fd, "dist/hello-1.0/hello-1.0.provenance.json",
	                                &statement, &err),
	                 0);
	assert_int_equal(statement_check(statement, &manifest, &err), 0);
	assert_int_equal(json_array_size(json_object_get(statement, "subject")), 9);
	statement_write(statement, &statement_text);
	assert_null(strstr(buf_text(&statement_text), "SLSA_BUILD_LEVEL"));
	assert_non_null(
		strstr(buf_text(&statement_text), "\"startedOn\":\"2025-11-20T12:00:00Z\""));
	assert_non_null(strstr(buf_text(&statement_text), "\"recipe\":\"recipes/hello.lua\""));
	assert_non_null(strstr(buf_text(&statement_text), "unpinned: image trixie"));
	assert_int_equal(json_read_file(f->folder.fd, "dist/hello-1.0/hello-1.0.verdict.json",
	                                &verdict, &err),
	                 0);
	assert_string_equal(json_str_or(json_object_get(json_object_get(verdict, "targets"),
	                                                "aarch64-unknown-linux-gnu"),
	                                "ship", ""),
	                    "lto");
	page = folder_read(&f->folder, "dist/hello-1.0/report.html", NULL);
	assert_non_null(strstr(page, "resolved 2026-11-20 &lt;&amp;&gt;"));
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "<&>"));
	manifest_deinit(&manifest);
}

static void no_place_for_a_release(void **state)
{
	static const char *const places[] = { "", ".", "..", "a/..", "/" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct staging staging;
		struct err err = ERR_INIT;

		assert_int_equal(staging_init(&staging, places[i], &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
		assert_non_null(strstr(err.cause, "is no place for a release folder"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(holds_what_it_should),
		CASE(no_place_for_a_release),
		CASE(artefacts_are_equal_evidence_may_differ),
		CASE(same_release_writes_nothing),
		CASE(other_bytes_are_refused),
		CASE(another_artefact_is_refused),
		CASE(one_artefact_less_is_refused),
		CASE(another_key_is_refused),
		CASE(unsigned_release_is_not_silently_signed),
		CASE(a_signed_release_is_replaced_by_an_unsigned_one),
		CASE(damaged_release_is_refused),
		CASE(other_folders_are_never_touched),
		CASE(bad_names_are_refused),
		CASE(a_missing_blob_leaves_nothing),
		CASE(a_failing_rename_leaves_the_old),
		CASE(a_full_disk_leaves_the_old),
		CASE(leftovers_are_swept),
		CASE(documents_say_what_they_should),
	};

	return cmocka_run_group_tests_name("release/dist", tests, NULL, NULL);
}
