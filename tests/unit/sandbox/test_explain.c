/* The words for machines that cannot: what each runtime lacks, and the one line that mends it. */
#include "unit/support.h"

#include "sandbox/explain.h"
#include "sandbox/spec.h"

static void explain(const char *const *switches, const char *said, struct err *err)
{
	char *dir = test_folder();
	int fd = test_open_dir(dir);

	*err = ERR_INIT;
	for (size_t i = 0; switches[i]; i += 2)
		test_write(fd, switches[i], switches[i + 1], 0644);
	assert_int_equal(sandbox_explain(fd, said, err), -1);
	assert_int_equal(err->code, ERR_MACHINE);
	assert_int_equal(err_exit_status(err), 5);
	close(fd);
	test_folder_remove(dir);
}

#define SWITCHES(...) ((const char *const[]){ __VA_ARGS__ })

static void reasons_have_one_line_that_mends(void **state)
{
	static const char fine[] = "bwrap: No permissions to create new namespace\n";
	struct err err;

	(void)state;
	explain(SWITCHES("kernel/apparmor_restrict_unprivileged_userns", "1\n", NULL), fine, &err);
	assert_contains(err.hint, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	explain(SWITCHES("kernel/unprivileged_userns_clone", "0\n", NULL), fine, &err);
	assert_contains(err.cause, "this machine forbids sandboxes for plain users: ");
	assert_contains(err.hint, "sysctl -w kernel.unprivileged_userns_clone=1");
	explain(SWITCHES("user/max_user_namespaces", "0\n", NULL), fine, &err);
	assert_contains(err.hint, "sysctl -w user.max_user_namespaces=");
	explain(SWITCHES("user/max_user_namespaces", "1000\n", "kernel/unprivileged_userns_clone",
	                 "1\n", "kernel/apparmor_restrict_unprivileged_userns", "0\n", NULL),
	        fine, &err);
	assert_contains(err.cause, "No permissions to create new namespace");
	assert_contains(err.hint, "seccomp=unconfined");
	explain(SWITCHES(NULL), "bwrap: Unknown option --size\n", &err);
	assert_contains(err.cause, "bubblewrap cannot make a sandbox here: bwrap: Unknown");
	assert_contains(err.hint, "bubblewrap 0.8");
	explain(SWITCHES(NULL), "bwrap: Can't mount proc on /newroot/proc\n", &err);
	assert_contains(err.hint, "systempaths=unconfined");
}

/* The probe of a runtime with nothing in PATH but links to the programs named. */
static void probe_with(const struct sandbox_runtime *runtime, const char *const *programs,
                       struct err *err)
{
	_cleanup_free_ char *path = str_dup(getenv("PATH"));
	char *dir = test_folder();
	int fd = test_open_dir(dir);

	for (size_t i = 0; programs[i]; i++)
		test_write(fd, programs[i], "#!/bin/sh\nexit 1\n", 0755);
	*err = ERR_INIT;
	setenv("PATH", dir, 1);
	assert_int_equal(runtime->probe(NULL, err), -1);
	setenv("PATH", path, 1);
	assert_int_equal(err->code, ERR_MACHINE);
	close(fd);
	test_folder_remove(dir);
}

#define PROGRAMS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void missing_programs_are_told(void **state)
{
	struct err err;

	(void)state;
	probe_with(&sandbox_bwrap, PROGRAMS("podman"), &err);
	assert_string_equal(err.cause, "bubblewrap, which keeps builds apart from this machine, "
	                               "is not installed");
	assert_string_equal(err.hint, "sudo apt-get install bubblewrap");
	probe_with(&sandbox_podman, PROGRAMS("bwrap"), &err);
	assert_string_equal(err.cause, "podman is not installed");
	assert_string_equal(err.hint, "sudo apt-get install podman uidmap");
	probe_with(&sandbox_podman, PROGRAMS("podman"), &err);
	assert_string_equal(err.cause, "podman only lets bubblewrap in, which is not installed");
	assert_string_equal(err.hint, "sudo apt-get install bubblewrap");
}

static void podman_is_for_plain_users(void **state)
{
	struct err err;

	(void)state;
	probe_with(&sandbox_podman, PROGRAMS("podman", "bwrap"), &err);
	if (geteuid() == 0) {
		assert_string_equal(
			err.cause,
			"podman opens user namespaces for plain users, and this is root");
		assert_string_equal(err.hint, "run kiln as a plain user");
	} else {
		assert_string_equal(err.cause, "podman opens no user namespace here (status 1): it "
		                               "says nothing");
		assert_contains(err.hint, "try `podman unshare true` as this user");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reasons_have_one_line_that_mends),
		cmocka_unit_test(missing_programs_are_told),
		cmocka_unit_test(podman_is_for_plain_users),
	};

	return cmocka_run_group_tests_name("sandbox/explain", tests, NULL, NULL);
}
