/*
 * What apt's refusals mean to a person, and source packages that are not what was asked for:
 * against an apt-get, and a dpkg-source, that do as files beside them say.
 */
#include "source/apt.h"

#include "source/mirror.h"
#include "source/source.h"
#include "unit/mounts.h"
#include "unit/stored.h"

struct fixture {
	char *dir, *path; /* the test's folder, and PATH before */
	int fd;
	struct store *store;
};

/* Fails with the words of the file COMMAND.says; a source package is what lies in "files". */
static const char apt_get[] =
	"#!/bin/sh\n"
	"here=${0%/*}\n"
	"[ ! -f \"$here/$2.says\" ] || { cat \"$here/$2.says\" >&2; exit 100; }\n"
	"[ \"$2\" != source ] || cp \"$here\"/../files/* .\n";

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));
	char *path;

	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	test_write(f->fd, "bin/apt-get", apt_get, 0755);
	test_write(f->fd, "bin/apt-config", "#!/bin/sh\n", 0755);
	test_write(f->fd, "bin/dpkg-source", "#!/bin/sh\nmkdir \"$4\"\n", 0755);
	test_write(f->fd, "keyring.gpg", "keys", 0644);
	f->store = test_store(f->dir, "store");
	path = str_fmt("%s/keyring.gpg", f->dir);
	setenv("KILN_DEBIAN_KEYRING", path, 1);
	free(path);
	f->path = str_dup(getenv("PATH"));
	path = str_fmt("%s/bin:%s", f->dir, f->path);
	setenv("PATH", path, 1);
	free(path);
	return *state = f, 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	setenv("PATH", f->path, 1);
	unsetenv("KILN_DEBIAN_KEYRING");
	store_close(f->store);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static int open_apt(const struct fixture *f, const char *mirror, struct apt **ret, struct err *err)
{
	static const char *const architectures[] = { "amd64", NULL };
	const struct apt_options options = {
		.scratch = f->dir,
		.suite = "trixie",
		.architectures = architectures,
		.mirror = mirror,
	};

	return apt_open(&options, NULL, ret, err);
}

static const char mirror[] = "http://127.0.0.1:9/debian";

static void an_index_that_cannot_be_had_is_refused(void **state)
{
	static const struct {
		const char *says, *part, *hint;
		enum err_code code;
	} faults[] = {
		{ "E: The repository 'x trixie Release' does not have a Release file.\n",
		  "the mirror does not serve Debian trixie: The repository", "--mirror URL",
		  ERR_MACHINE },
		/* The disk is to blame, though apt says it of what it fetches. */
		{ "E: Failed to fetch http://x/Packages  Error writing to file - write (28: No space "
		  "left on device)\nE: Some index files failed to download.\n",
		  "no space is left on the disk of /", "make room there", ERR_IO },
		{ "W: GPG error: NO_PUBKEY 01\nE: The repository 'x' is not signed.\n",
		  "the archive's signature for trixie cannot be checked with /",
		  "debian-archive-keyring", ERR_MACHINE },
	};
	struct fixture *f = *state;
	struct apt *apt;

	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct err err = ERR_INIT;

		test_write(f->fd, "bin/update.says", faults[i].says, 0644);
		assert_int_equal(open_apt(f, mirror, &apt, &err), -1);
		assert_int_equal(err.code, faults[i].code);
		assert_contains(err.cause, faults[i].part);
		assert_contains(err.hint, faults[i].hint);
	}
}

static void packages_that_do_not_go_together_are_refused(void **state)
{
	static const char *const names[] = { "no-such" };
	struct fixture *f = *state;
	struct debs debs = { 0 };
	struct err err = ERR_INIT;
	struct apt *apt;

	must(open_apt(f, mirror, &apt, &err), &err);
	test_write(f->fd, "bin/install.says", "E: Unable to locate package no-such\n", 0644);
	assert_int_equal(apt_resolve(apt, names, 1, &debs, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "apt finds no set of packages in Debian trixie: Unable to "
	                               "locate package no-such");
	assert_string_equal(err.hint, "");
	err_clear(&err);
	test_write(f->fd, "bin/apt-cache", "#!/bin/sh\nprintf 'other\\nno-suck\\nz\\n'\n", 0755);
	assert_int_equal(apt_resolve(apt, names, 1, &debs, &err), -1);
	assert_string_equal(err.hint, "did you mean \"no-suck\"?");
	apt_free(apt);
}

/* ---- source packages ---------------------------------------------------------------------- */

/* A package x, of `version` where one is asked for. */
static void refused_at(struct fixture *f, const char *version, const char *part)
{
	json_t *leaf = json_pack("{s:s, s:s, s:s, s:s*}", "kind", "debian", "where", "recipe.lua:7",
	                         "name", "x", "version", version);
	const struct source_request request = {
		.id = "source", .leaf = leaf, .recipe_dir = f->dir, .mirror = mirror
	};
	struct source_result result = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(source_fetch(f->store, &request, NULL, &result, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, part);
	json_decref(leaf);
}

static void refused(struct fixture *f, const char *part)
{
	refused_at(f, "1-1", part);
}

/* Makes "files" of tarballs, each of a folder, and a .dsc that names them. */
static void pack(const struct fixture *f, const char *source, const char *tarballs)
{
	char *line = str_fmt(
		"cd %s && rm -rf files && mkdir -p files top/debian && touch top/file && "
		"printf 'x (1-1) u; urgency=low\\n\\n -- A <a@b.c>  Thu, 01 Jan 1970 00:00:00 +0000\\n' "
		">top/debian/changelog && for i in %s; do case $i in "
		"*.debian.*) tar -czf files/$i -C top debian;; "
		"*) tar -czf files/$i top/file;; esac; done && cd files && "
		"{ printf 'Format: 3.0 (quilt)\\nSource: %s\\nVersion: 1-1\\nChecksums-Sha256:\\n'; "
		"for i in %s; do set -- $(sha256sum $i) && echo \" $1 $(wc -c <$i) $i\"; done; } "
		">x_1-1.dsc",
		f->dir, tarballs, source, tarballs);

	assert_int_equal(system(line), 0);
	free(line);
}

static void a_source_package_that_is_not_there_is_refused(void **state)
{
	struct fixture *f = *state;

	test_write(f->fd, "bin/source.says", "E: Unable to find a source package for x\n", 0644);
	refused(f, "Debian trixie has no source package x 1-1");
}

static void odd_source_packages_are_refused(void **state)
{
	static const struct {
		const char *source, *tarballs, *part;
	} odd[] = {
		{ "y", "x_1.orig.tar.gz x_1-1.debian.tar.gz",
		  "recipe.lua:7: asked for the source package x 1-1, got y 1-1" },
		{ "x", "x_1.orig-more.tar.gz x_1-1.debian.tar.gz",
		  "x_1-1.dsc: x_1.orig-more.tar.gz is no component's tarball" },
		{ "x", "x_1-1.debian.tar.gz", "x_1-1.dsc names no upstream tarball" },
		{ "x", "x_1.orig.tar.gz", "x_1-1.dsc has no debian/changelog" },
	};

	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		pack(*state, odd[i].source, odd[i].tarballs);
		refused(*state, odd[i].part);
	}
	pack(*state, "y", odd[0].tarballs);
	refused_at(*state, NULL, "recipe.lua:7: asked for the source package x, got y 1-1");
}

/* ---- a machine that knows nothing of Debian ----------------------------------------------- */

/* These folders are empty, in a mount namespace. */
static bool hide(const char *const *paths, size_t n)
{
	bool good = test_enter_mounts();

	for (size_t i = 0; good && i < n; i++)
		good = !fs_exists(AT_FDCWD, paths[i]) ||
		       mount("none", paths[i], "tmpfs", 0, NULL) == 0;
	return good;
}

/* Writes to `fd` what is said there without a mirror, then what without a keyring. */
static void say_refusals(const struct fixture *f, int fd)
{
	static const char *const paths[] = { "/etc/apt", "/usr/share/keyrings" };
	struct err err = ERR_INIT;
	struct apt *apt;
	char *keyring;

	if (!hide(paths, ARRAY_LEN(paths)))
		_exit(TEST_NO_MOUNTS);
	unsetenv("KILN_DEBIAN_MIRROR");
	if (open_apt(f, NULL, &apt, &err) != -1 || err.code != ERR_MACHINE)
		_exit(1);
	dprintf(fd, "%s\n", err.cause);
	err_clear(&err);
	unsetenv("KILN_DEBIAN_KEYRING");
	if (mirror_keyring(&keyring, &err) != -1 || err.code != ERR_MACHINE)
		_exit(1);
	dprintf(fd, "%s\n", err.cause);
	_exit(0);
}

static void a_machine_without_debian_is_told_so(void **state)
{
	struct fixture *f = *state;
	int fd = openat(f->fd, "said", O_WRONLY | O_CREAT | O_CLOEXEC, 0644), status;
	pid_t pid = fork();
	char *said;

	assert_true(pid >= 0);
	if (pid == 0)
		say_refusals(f, fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	test_mounts_ended(status);
	said = test_read(f->fd, "said");
	assert_contains(said, "this machine's apt configuration names no mirror of Debian\n");
	assert_contains(said, "the keyring of Debian's archive is not on this machine (/usr/");
	free(said);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_index_that_cannot_be_had_is_refused),
		TEST(packages_that_do_not_go_together_are_refused),
		TEST(a_source_package_that_is_not_there_is_refused),
		TEST(odd_source_packages_are_refused),
		TEST(a_machine_without_debian_is_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
