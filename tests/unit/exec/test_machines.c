/*
 * Machines that deny something: a sandbox that cannot be finished, namespaces that cannot be made.
 */
#include "unit/support.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/path.h"
#include "fakes/lab.h"
#include "host/child.h"
#include "sandbox/identity.h"
#include "sandbox/spec.h"

/* What becomes of one action in a process of its own that finds another bubblewrap in PATH: one that
 * calls the real one with more options. The error's code, or 100 and the status. */
static int code_with_bwrap(struct lab *lab, const char *more, const char *program)
{
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = &sandbox_bwrap,
		                                  .slots = 2 };
	char *dir = test_folder();
	_cleanup_free_ char *real = NULL;
	_cleanup_free_ char *text = NULL;
	int fd = test_open_dir(dir), status;
	pid_t pid;

	assert_true(child_find("bwrap", &real));
	text = str_fmt("#!/bin/sh\nexec %s %s \"$@\"\n", real, more);
	test_write(fd, "bwrap", text, 0755);
	assert_int_equal(fchmod(fd, 0755), 0);
	pid = fork();
	if (pid == 0) {
		_cleanup_free_ char *path = str_fmt("%s:%s", dir, getenv("PATH"));
		struct action a = { .argv = LAB_LIST(program), .n_argv = 1 };
		struct exec_completion c = { .status = EXEC_BROKEN };
		struct lab other = *lab;
		struct err err = ERR_INIT;

		setenv("PATH", path, 1);
		if (runner_server_start(&other.server, &err) < 0)
			_exit(99);
		options.server = other.server;
		if (executor_local_new(&options, &other.executor, &err) < 0)
			_exit(98);
		lab_submit(&other, &a, 0, 1);
		if (other.executor->ops->wait(other.executor, other.arena, 10000, &c, &err) != 0)
			_exit(97);
		other.executor->ops->free(other.executor);
		runner_server_stop(other.server);
		if (c.err.code == ERR_MACHINE && !strstr(c.err.cause, "runtime ended with status"))
			_exit(96);
		_exit(c.status == EXEC_BROKEN ? (int)c.err.code : 100 + (int)c.status);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	close(fd);
	test_folder_remove(dir);
	return WEXITSTATUS(status);
}

/* bubblewrap that fails half-way, as on a machine that forbids a mount, has told its child's pid by
 * then; only a program that is not there is the stage's own fault. */
static void failing_runtime_is_the_machines_fault(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(code_with_bwrap(lab, "--ro-bind /no-such-folder /tmp", "true"),
	                 ERR_MACHINE);
	assert_int_equal(code_with_bwrap(lab, "--ro-bind /no-such-folder /tmp", "no-such-tool"),
	                 ERR_MACHINE);
	assert_int_equal(code_with_bwrap(lab, "", "no-such-tool"), 100 + EXEC_FAILED);
	assert_int_equal(code_with_bwrap(lab, "", "true"), 100 + EXEC_OK);
}

/* Whom a file belongs to that the one running action has made in its work folder; -1: not yet. */
static int64_t owner_in_work(const struct lab *lab, const char *name)
{
	_cleanup_free_ char *work = path_join(lab->dir, "work");
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;
	int64_t owner = -1;

	if (fs_list(AT_FDCWD, work, &names, &err) != 0)
		return -1;
	for (size_t i = 0; i < names.names.n && owner < 0; i++) {
		_cleanup_free_ char *path = str_fmt("%s/%s/build/%s", work, names.names.v[i], name);
		struct stat st;

		if (stat(path, &st) == 0)
			owner = st.st_uid;
	}
	fs_names_deinit(&names);
	return owner;
}

/* Without the right to make namespaces, with the host runtime: 0 when a builtin's output belonged to
 * the build user. */
static void builtin_without_walls(struct lab *lab)
{
	enum { LARGE = 48 << 20 };
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct caps[2];
	struct executor_local_options options = { .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = &sandbox_host,
		                                  .slots = 1 };
	char *large = alloc(LARGE + 1);
	struct lab_input inputs[] = { { "kiln.json", "{\"modes\":{},\"root\":\"x-1\"}" },
		                      { "tree/x-1/x", large } };
	struct action_output output = { .path = "out.tar" };
	struct action a = { .builtin = "tar@1", .outputs = &output, .n_outputs = 1 };
	struct exec_completion c = { 0 };
	struct err err = ERR_INIT;
	int64_t owner = -1;

	memset(large, 'x', LARGE);
	if (syscall(SYS_capget, &header, caps) < 0)
		_exit(1);
	caps[0].effective &= ~(1u << CAP_SYS_ADMIN);
	caps[0].permitted &= ~(1u << CAP_SYS_ADMIN);
	caps[0].inheritable &= ~(1u << CAP_SYS_ADMIN);
	if (syscall(SYS_capset, &header, caps) < 0 ||
	    runner_server_start(&options.server, &err) < 0 ||
	    executor_local_new(&options, &lab->executor, &err) < 0)
		_exit(2);
	lab_compose(lab, inputs, 2, &a);
	lab_submit(lab, &a, 20000, 1);
	for (bool done = false; !done;) {
		int64_t now = owner_in_work(lab, "out.tar");

		/* Whose it was at first: what is moved into the store changes hands just before. */
		owner = owner >= 0 ? owner : now;
		done = lab->executor->ops->wait(lab->executor, lab->arena, 1, &c, &err) == 0;
	}
	lab->executor->ops->free(lab->executor);
	runner_server_stop(options.server);
	_exit(c.status != EXEC_OK ? 3 : owner == (int64_t)sandbox_uid() ? 0 : 4);
}

static void builtins_are_never_root(void **state)
{
	struct lab other = *(struct lab *)*state;
	pid_t pid;
	int status;

	if (!sandbox_drops())
		skip();
	pid = fork();
	if (pid == 0)
		builtin_without_walls(&other);
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(failing_runtime_is_the_machines_fault),
		cmocka_unit_test(builtins_are_never_root),
	};

	return cmocka_run_group_tests_name("exec/machines", tests, lab_setup, lab_teardown);
}

int main(void)
{
	return lab_main(run);
}
