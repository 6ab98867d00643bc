/* Signers: every scheme of the table, wrong permissions, the development key, CI without a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "fakes/folder.h"
#include "host/fs.h"
#include "release/signer.h"

struct fixture {
	struct folder folder;
	char *pem;
	char *path;
	char *spec;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));
	struct folder root = { .path = ".", .fd = open(".", O_RDONLY | O_CLOEXEC) };

	folder_init(&f->folder);
	f->pem = folder_read(&root, "tests/data/keys/p256.pem", NULL);
	close(root.fd);
	folder_write(&f->folder, "key.pem", f->pem, strlen(f->pem), 0600);
	f->path = str_fmt("%s/key.pem", f->folder.path);
	f->spec = str_fmt("file:%s", f->path);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	folder_deinit(&f->folder);
	free(f->pem);
	free(f->path);
	free(f->spec);
	free(f);
	return 0;
}

static const char fingerprint[] = "SHA256:wHJdY01HQGr0kq6Wytbek6iWR9/iLb7jDqlE1m3r054";

static void opens(const char *spec)
{
	_cleanup_signer_ struct signer *signer = NULL;
	struct err err = ERR_INIT;

	if (signer_open(spec, NULL, &signer, &err) < 0)
		fail_msg("%s: %s", spec, err.cause);
	assert_string_equal(signer->fingerprint, fingerprint);
	assert_string_equal(signer->label, spec);
	assert_false(signer->development);
}

static void refuses(const char *spec, enum err_code code, const char *words)
{
	struct signer *signer = NULL;
	struct err err = ERR_INIT;

	if (signer_open(spec, NULL, &signer, &err) == 0)
		fail_msg("accepted %s", spec);
	assert_null(signer);
	assert_int_equal(err.code, code);
	if (!strstr(err.cause, words))
		fail_msg("\"%s\" lacks \"%s\"", err.cause, words);
	assert_null(strstr(err.cause, "MIG")); /* never a key's text */
}

static void every_scheme_opens(void **state)
{
	struct fixture *f = *state;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *fd_spec = str_fmt("fd:%d", fd);

	setenv("KILN_TEST_KEY", f->pem, 1);
	opens(f->spec);
	opens("env:KILN_TEST_KEY");
	opens(fd_spec);
	/* Read once: the variable and the descriptor are gone. */
	assert_null(getenv("KILN_TEST_KEY"));
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_string_equal(signer_schemes[0].name, "env");
	assert_string_equal(signer_schemes[1].name, "fd");
	assert_string_equal(signer_schemes[2].name, "file");
	assert_null(signer_schemes[3].name);
}

static void wrong_permissions(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0644, 0660, 0666, 0610, 0601 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(chmod(f->path, modes[i]), 0);
		refuses(f->spec, ERR_MACHINE, "can be read by others");
	}
	assert_int_equal(chmod(f->path, 0400), 0);
	opens(f->spec);
}

static void bad_specs(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *folder = str_fmt("file:%s", f->folder.path);
	_cleanup_free_ char *fifo = str_fmt("file:%s/fifo", f->folder.path);

	refuses(f->path, ERR_USAGE, "expected file:PATH");
	refuses("file:", ERR_USAGE, "expected file:PATH");
	refuses("pkcs11:x", ERR_USAGE, "expected file:PATH");
	refuses(f->pem, ERR_USAGE, "a key's own text");
	refuses("file:/no/such/file", ERR_MACHINE, "cannot open the signing key");
	refuses(folder, ERR_MACHINE, "no plain file");
	assert_int_equal(mkfifoat(f->folder.fd, "fifo", 0600), 0);
	refuses(fifo, ERR_MACHINE, "no plain file");
	refuses("env:KILN_NO_SUCH_VARIABLE", ERR_MACHINE, "holds no signing key");
	refuses("fd:x", ERR_USAGE, "number");
	refuses("fd:-1", ERR_USAGE, "number");
	refuses("fd:99999999999999999999", ERR_USAGE, "number");
	refuses("fd:987", ERR_MACHINE, "fd:987 is not open");
}

static void wrong_keys(void **state)
{
	static const char *const names[] = { "rsa.pem",      "p384.pem", "enc.pem",
		                             "p256.pub.pem", "sec1.pem", "cert.pem" };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_free_ char *command = str_fmt(
			"cp \"$OLDPWD/tests/data/keys/%s\" key.pem && chmod 600 key.pem", names[i]);

		assert_int_equal(folder_sh(&f->folder, command), 0);
		refuses(f->spec, ERR_MACHINE, "key.pem");
	}
}

static void encrypted(void **state)
{
	struct fixture *f = *state;
	struct signer_request request = { .spec = f->spec }, nobody = { .unsigned_wanted = true };
	_cleanup_signer_ struct signer *signer = NULL;
	struct err err = ERR_INIT;
	const char *value;

	assert_int_equal(folder_sh(&f->folder, "cp \"$OLDPWD/tests/data/keys/enc.pem\" key.pem"),
	                 0);
	setenv("KILN_KEY_PASSPHRASE", "secret", 1);
	value = getenv("KILN_KEY_PASSPHRASE");
	assert_int_equal(signer_choose(&request, NULL, &signer, &err), 0);
	assert_string_equal(signer->fingerprint, fingerprint);
	assert_null(getenv("KILN_KEY_PASSPHRASE"));
	assert_string_equal(value, "");
	setenv("KILN_KEY_PASSPHRASE", "secret", 1); /* set, but nobody signs */
	assert_int_equal(signer_choose(&nobody, NULL, &signer, &err), SIGNER_NONE);
	assert_null(getenv("KILN_KEY_PASSPHRASE"));
}

static void development_key(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *dir = str_fmt("%s/state/kiln", f->folder.path);
	_cleanup_free_ char *path = str_fmt("%s/development.pem", dir);
	struct signer_request request = { .state_dir = dir };
	_cleanup_signer_ struct signer *first = NULL, *second = NULL, *third = NULL;
	struct err err = ERR_INIT;
	struct fs_names names;
	struct stat st;

	assert_int_equal(signer_choose(&request, NULL, &first, &err), 0);
	assert_true(first->development);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(signer_choose(&request, NULL, &second, &err), 0);
	assert_string_equal(first->fingerprint, second->fingerprint);
	assert_int_equal(fs_list(f->folder.fd, "state/kiln", &names, &err), 0);
	assert_int_equal(names.names.n, 1);
	fs_names_deinit(&names);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(signer_choose(&request, NULL, &third, &err), -1);
	assert_int_equal(err.code, ERR_MACHINE);
}

static void no_place_for_a_key(void **state)
{
	_cleanup_free_ char *home = str_dup(getenv("HOME"));
	struct signer_request request = { 0 };
	struct signer *signer = NULL;
	struct err err = ERR_INIT;

	(void)state;
	unsetenv("HOME");
	unsetenv("XDG_STATE_HOME");
	assert_int_equal(signer_choose(&request, NULL, &signer, &err), -1);
	if (home)
		setenv("HOME", home, 1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_non_null(strstr(err.cause, "no place for a development key: neither XDG_STATE_HOME "
	                                  "nor HOME is set"));
}

static void too_long_a_passphrase(void **state)
{
	_cleanup_free_ char *longest = alloc(100000);
	struct fixture *f = *state;
	struct signer_request request = { .spec = f->spec };
	struct signer *signer = NULL;
	struct err err = ERR_INIT;

	memset(longest, 'x', 99999);
	setenv("KILN_KEY_PASSPHRASE", longest, 1);
	assert_int_equal(signer_choose(&request, NULL, &signer, &err), -1);
	assert_null(getenv("KILN_KEY_PASSPHRASE"));
	assert_string_equal(err.cause, "KILN_KEY_PASSPHRASE is too long");
}

static void ci_without_a_key(void **state)
{
	struct fixture *f = *state;
	struct signer_request request = { .under_ci = true, .state_dir = f->folder.path };
	struct signer *signer = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(signer_choose(&request, NULL, &signer, &err), -1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_int_equal(err_exit_status(&err), 5);
	assert_non_null(strstr(err.cause, "no signing key: under CI a release is not signed with a "
	                                  "development key"));
	assert_non_null(strstr(err.hint, "--key env:"));
	assert_false(folder_has(&f->folder, "development.pem"));
	request.unsigned_wanted = true;
	err_clear(&err);
	assert_int_equal(signer_choose(&request, NULL, &signer, &err), SIGNER_NONE);
	request.spec = f->spec;
	assert_int_equal(signer_choose(&request, NULL, &signer, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	request.unsigned_wanted = false;
	err_clear(&err);
	assert_int_equal(signer_choose(&request, NULL, &signer, &err), 0);
	signer_free(signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_scheme_opens, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_permissions, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_specs, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(encrypted, setup, teardown),
		cmocka_unit_test_setup_teardown(development_key, setup, teardown),
		cmocka_unit_test_setup_teardown(ci_without_a_key, setup, teardown),
		cmocka_unit_test_setup_teardown(no_place_for_a_key, setup, teardown),
		cmocka_unit_test_setup_teardown(too_long_a_passphrase, setup, teardown),
	};

	return cmocka_run_group_tests_name("release/signer", tests, NULL, NULL);
}
