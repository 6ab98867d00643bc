/* Files and folders by descriptor: what must not lead outside, and removing whatever is there. */
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "unit/support.h"

struct fixture {
	char *dir;
	int fd;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static void a_path_that_leaves_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct err err = ERR_INIT;
	int fd = -7;

	test_write(f->fd, "in/file", "x", 0644);
	assert_int_equal(symlinkat("../../..", f->fd, "in/up"), 0);
	assert_int_equal(symlinkat("file", f->fd, "in/near"), 0);
	assert_int_equal(fs_open_beneath(f->fd, "in/up/etc", O_RDONLY, 0, false, &fd, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "in/up/etc leads out of its folder through a link");
	err_clear(&err);
	assert_int_equal(fs_open_beneath(f->fd, "../x", O_RDONLY, 0, false, &fd, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	err_clear(&err);
	assert_int_equal(fs_open_beneath(f->fd, "in/near", O_RDONLY, 0, true, &fd, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	err_clear(&err);
	assert_int_equal(fs_open_beneath(f->fd, "in/no", O_RDONLY, 0, true, &fd, &err), FS_MISSING);
	assert_int_equal(fd, -7);
	must(fs_open_beneath(f->fd, "in/near", O_RDONLY, 0, false, &fd, &err), &err);
	close(fd);
}

static void lists_are_sorted_by_bytes(void **state)
{
	static const char *const names[] = { "Z", "a", "a-b", "b", "é" };
	const struct fixture *f = *state;
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;

	for (size_t i = ARRAY_LEN(names); i-- > 0;)
		test_write(f->fd, names[i], "", 0644);
	must(fs_list(f->fd, ".", &list, &err), &err);
	assert_int_equal(list.names.n, ARRAY_LEN(names));
	for (size_t i = 0; i < list.names.n; i++)
		assert_string_equal(list.names.v[i], names[i]);
	fs_names_deinit(&list);
	assert_int_equal(fs_list(f->fd, "no", &list, &err), FS_MISSING);
}

static void writing_replaces_whole_files(void **state)
{
	const struct fixture *f = *state;
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;
	struct stat st;
	char *text;

	must(fs_write_file(f->fd, "file", "old text", 8, 0600, false, &err), &err);
	must(fs_write_file(f->fd, "file", "new", 3, 0644, true, &err), &err);
	text = test_read(f->fd, "file");
	assert_string_equal(text, "new");
	must(fs_stat(f->fd, "file", &st, &err), &err);
	assert_int_equal(st.st_mode, S_IFREG | 0644);
	/* Nothing is left behind, also where it cannot work. */
	assert_int_equal(mkdirat(f->fd, "folder", 0755), 0);
	assert_int_equal(fs_write_file(f->fd, "folder", "x", 1, 0644, false, &err), -1);
	err_clear(&err);
	must(fs_list(f->fd, ".", &list, &err), &err);
	assert_int_equal(list.names.n, 2);
	fs_names_deinit(&list);
	free(text);
}

static void too_large_a_file_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct buf buf = BUF_INIT(3);
	struct err err = ERR_INIT;

	test_write(f->fd, "file", "1234", 0644);
	assert_int_equal(fs_read(f->fd, "file", &buf, &err), -1);
	assert_contains(err.cause, "larger than 3 bytes");
	buf_deinit(&buf);
}

static void removing_takes_everything_and_follows_nothing(void **state)
{
	const struct fixture *f = *state;
	struct err err = ERR_INIT;

	test_write(f->fd, "keep/file", "x", 0644);
	test_write(f->fd, "gone/a/b/file", "x", 0400);
	test_write(f->fd, "gone/.lifted.0", "x", 0400);
	assert_int_equal(symlinkat("../keep", f->fd, "gone/link"), 0);
	assert_int_equal(mkfifoat(f->fd, "gone/fifo", 0), 0);
	assert_int_equal(fchmodat(f->fd, "gone/a/b", 0, 0), 0);
	assert_int_equal(fchmodat(f->fd, "gone/a", 0500, 0), 0);
	must(fs_remove_tree(f->fd, "gone", &err), &err);
	assert_false(fs_exists(f->fd, "gone"));
	assert_true(fs_exists(f->fd, "keep/file"));
	must(fs_remove_tree(f->fd, "gone", &err), &err);
	must(fs_remove_tree(f->fd, "keep/file", &err), &err);
	assert_int_equal(symlinkat("keep", f->fd, "link"), 0);
	must(fs_remove_tree(f->fd, "link", &err), &err);
	assert_true(fs_exists(f->fd, "keep"));
}

/* Deeper than a path may be long, with siblings on each level, and few descriptors. */
static void removing_goes_to_any_depth(void **state)
{
	enum { DEPTH = 2500, DESCRIPTORS = 100 };
	const struct fixture *f = *state;
	struct rlimit old, few;
	struct err err = ERR_INIT;
	int fd = dup(f->fd);

	for (int i = 0; i < DEPTH; i++) {
		int next;

		assert_int_equal(mkdirat(fd, "d", 0755), 0);
		assert_int_equal(mkdirat(fd, "e", 0500), 0);
		test_write(fd, "f", "", 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = DESCRIPTORS;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	must(fs_remove_tree(f->fd, "d", &err), &err);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_false(fs_exists(f->fd, "d"));
}

/* What locks and sweeps go by: a name may come to stand for another file while one is open. */
static void names_pass_on(void **state)
{
	struct fixture *f = *state;
	int open_fd;

	assert_int_equal(mkdirat(f->fd, "x", 0700), 0);
	open_fd = openat(f->fd, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fs_is_named(open_fd, f->fd, "x"));
	assert_int_equal(unlinkat(f->fd, "x", AT_REMOVEDIR), 0);
	assert_false(fs_is_named(open_fd, f->fd, "x"));
	assert_int_equal(mkdirat(f->fd, "x", 0700), 0);
	assert_false(fs_is_named(open_fd, f->fd, "x"));
	close(open_fd);
	assert_int_equal(symlinkat("x", f->fd, "y"), 0);
	open_fd = openat(f->fd, "x", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(fs_is_named(open_fd, f->fd, "y"));
	close(open_fd);
}

/* A hint: set where the file system has it, and never in the way where not. */
static void unrelated_folders_are_hinted(void **state)
{
	enum { EXT_MAGIC = 0xef53 };
	const struct fixture *f = *state;
	unsigned int flags = 0;
	struct statfs fs;

	for (int twice = 0; twice < 2; twice++)
		fs_hint_unrelated(f->fd);
	assert_int_equal(fstatfs(f->fd, &fs), 0);
	if (fs.f_type == EXT_MAGIC && ioctl(f->fd, FS_IOC_GETFLAGS, &flags) == 0)
		assert_true(flags & FS_TOPDIR_FL);
	assert_int_equal(mkdirat(f->fd, "below", 0700), 0);
	fs_hint_unrelated(-1);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_path_that_leaves_is_refused),
		TEST(lists_are_sorted_by_bytes),
		TEST(writing_replaces_whole_files),
		TEST(too_large_a_file_is_refused),
		TEST(removing_takes_everything_and_follows_nothing),
		TEST(removing_goes_to_any_depth),
		TEST(names_pass_on),
		TEST(unrelated_folders_are_hinted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
