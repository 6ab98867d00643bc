/* Trees written entry by entry: what an archive plants leads nowhere. */
#include "source/unpack.h"

#include <sys/stat.h>

#include "unit/support.h"

struct fixture {
	char *dir;
	int fd, root;
	struct unpacker unpacker;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	test_write(f->fd, "outside/secret", "untouched", 0644);
	assert_int_equal(mkdirat(f->fd, "root", 0755), 0);
	f->root = openat(f->fd, "root", O_RDONLY | O_DIRECTORY);
	unpacker_init(&f->unpacker, f->root, -1, -1, 315532800);
	return *state = f, 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unpacker_deinit(&f->unpacker);
	close(f->root);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static int put(struct fixture *f, const char *path, const char *text, bool executable,
               struct err *err)
{
	int fd = -1;

	if (unpacker_open_file(&f->unpacker, path, executable, &fd, err) < 0)
		return -1;
	must(fs_write_all(fd, text, strlen(text), path, err), err);
	return unpacker_close_file(&f->unpacker, path, fd, err);
}

static void test_tree(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct stat st;
	char *text;

	umask(077);
	must(unpacker_dir(&f->unpacker, "", &err), &err);
	must(put(f, "a/b/run", "#!", true, &err), &err); /* folders on the way are made */
	must(unpacker_dir(&f->unpacker, "a/b", &err), &err);
	must(put(f, "a/text", "one", false, &err), &err);
	must(put(f, "a/text", "two", false, &err), &err);
	must(unpacker_link(&f->unpacker, "a/link", "../../outside", &err), &err);
	must(unpacker_hard_link(&f->unpacker, "c", "a/text", &err), &err);
	must(unpacker_finish(&f->unpacker, &err), &err);
	umask(022);
	text = test_read(f->root, "c");
	assert_string_equal(text, "two");
	free(text);
	assert_int_equal(fstatat(f->root, "a/b/run", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtime, 315532800);
	assert_int_equal(fstatat(f->root, "a/text", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(fstatat(f->root, "a", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtime, 315532800);
	assert_int_equal(fstatat(f->root, "a/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mtime, 315532800);
}

/* A link to the outside, then entries that go through it or replace it. */
static void test_planted_links(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	char *text;

	must(unpacker_link(&f->unpacker, "way", "../outside", &err), &err);
	assert_int_equal(put(f, "way/secret", "gotcha", false, &err), -1);
	err_clear(&err);
	assert_int_equal(unpacker_dir(&f->unpacker, "way/new", &err), -1);
	err_clear(&err);
	assert_int_equal(unpacker_hard_link(&f->unpacker, "x", "way/secret", &err), -1);
	err_clear(&err);
	must(unpacker_link(&f->unpacker, "file", "../outside/secret", &err), &err);
	assert_int_equal(unpacker_hard_link(&f->unpacker, "y", "file", &err), -1);
	assert_contains(err.cause, "y is another name of file, which is no file");
	err_clear(&err);
	must(put(f, "file", "mine", false, &err), &err); /* replaces the link itself */
	text = test_read(f->fd, "outside/secret");
	assert_string_equal(text, "untouched");
	free(text);
	assert_int_equal(unpacker_dir(&f->unpacker, "way", &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "way is both a folder and something else");
}

static void test_clashes(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;

	must(unpacker_dir(&f->unpacker, "d", &err), &err);
	assert_int_equal(put(f, "d", "text", false, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "d is both a folder and something else");
	err_clear(&err);
	must(put(f, "f", "text", false, &err), &err);
	assert_int_equal(put(f, "f/below", "text", false, &err), -1);
	err_clear(&err);
	assert_int_equal(put(f, "", "text", false, &err), -1);
	assert_contains(err.cause, "the root of a tree is not a folder");
	err_clear(&err);
	assert_int_equal(unpacker_hard_link(&f->unpacker, "h", "missing", &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "h is another name of missing, which is no file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_planted_links, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clashes, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
