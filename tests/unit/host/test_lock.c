/* Locks end with their process; folders of dead processes can be told from living ones. */
#include "unit/support.h"

#include <signal.h>
#include <sys/wait.h>

#include "host/lock.h"
#include "host/tmpfile.h"

static void lock_excludes(void **state)
{
	char *dir = test_folder();
	int fd = test_open_dir(dir), a = -1, b = -1;
	struct err err = ERR_INIT;

	(void)state;
	must(lock_file(fd, "lock", true, false, &a, &err), &err);
	assert_int_equal(lock_file(fd, "lock", true, false, &b, &err), LOCK_BUSY);
	assert_int_equal(lock_file(fd, "lock", false, false, &b, &err), LOCK_BUSY);
	close(a);
	must(lock_file(fd, "lock", false, false, &a, &err), &err);
	must(lock_file(fd, "lock", false, false, &b, &err), &err);
	close(a);
	close(b);
	assert_int_equal(lock_file(fd, "no/such/folder", true, false, &a, &err), -1);
	assert_contains(err.cause, "no/such/folder");
	close(fd);
	test_folder_remove(dir);
}

static void folders_live_with_their_process(void **state)
{
	char *dir = test_folder();
	int fd = test_open_dir(dir), held = -1, dead = -1, ends[2];
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *second = NULL;
	struct err err = ERR_INIT;
	pid_t pid;

	(void)state;
	must(lock_new_dir(fd, "7", &name, &held, &err), &err);
	assert_string_equal(name, "7-0");
	assert_false(lock_dir_is_dead(fd, name, &dead));
	close(held);
	assert_true(lock_dir_is_dead(fd, name, &dead));
	close(dead);
	must(lock_new_dir(fd, "7", &second, &held, &err), &err);
	assert_string_equal(second, "7-1");
	close(held);
	assert_false(lock_dir_is_dead(fd, "nothing", &dead));

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		char *theirs = NULL;
		bool ok = lock_new_dir(fd, "child", &theirs, &held, &err) == 0;

		(void)!write(ends[1], ok ? "y" : "n", 1);
		for (;;)
			pause();
	}
	{
		char byte = 0;

		assert_int_equal(read(ends[0], &byte, 1), 1);
		assert_int_equal(byte, 'y');
	}
	assert_false(lock_dir_is_dead(fd, "child-0", &dead));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(lock_dir_is_dead(fd, "child-0", &dead));
	close(dead);
	close(ends[0]);
	close(ends[1]);
	close(fd);
	test_folder_remove(dir);
}

static void temporary_things_go_away(void **state)
{
	char *dir = test_folder();
	int fd = test_open_dir(dir), file = -1, dead = -1;
	struct fs_names names = { 0 };
	struct tmpdir temp = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	must(tmpfile_open(fd, "a test", &file, &err), &err);
	must(fs_write_all(file, "x", 1, "it", &err), &err);
	must(fs_list(fd, ".", &names, &err), &err);
	assert_int_equal(names.names.n, 0);
	fs_names_deinit(&names);
	close(file);
	must(tmpdir_init(&temp, fd, "unpack", &err), &err);
	test_write(temp.fd, "deep/er/file", "x", 0400);
	assert_true(fs_exists(fd, temp.name));
	assert_false(lock_dir_is_dead(fd, temp.name, &dead));
	tmpdir_deinit(&temp);
	tmpdir_deinit(&temp);
	must(fs_list(fd, ".", &names, &err), &err);
	assert_int_equal(names.names.n, 0);
	fs_names_deinit(&names);
	close(fd);
	test_folder_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_excludes),
		cmocka_unit_test(folders_live_with_their_process),
		cmocka_unit_test(temporary_things_go_away),
	};

	return cmocka_run_group_tests_name("host/lock", tests, NULL, NULL);
}
