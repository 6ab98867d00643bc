/* Checkout: trees into real folders, as they were, and what it costs. */
#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "store/directory.h"
#include "unit/store/a_tree.h"

static void lay_out(const struct fixture *f, const struct tree_node *root, const char *name,
                    const struct checkout_options *options)
{
	struct err err = ERR_INIT;

	must(checkout_node(f->blobs, root, f->fd, name, options, &err), &err);
}

static void assert_entry(const struct fixture *f, const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(fstatat(f->fd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (!S_ISLNK(mode))
		assert_int_equal(st.st_mode, mode);
	assert_int_equal(st.st_mtim.tv_sec, epoch.epoch);
	assert_int_equal(st.st_mtim.tv_nsec, 0);
	if (S_ISREG(mode))
		assert_int_equal(st.st_nlink, 1);
}

static void a_tree_comes_back_with_fixed_modes_and_times(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root, again;
	char *text;

	make_source(f);
	root = take(f, "src", &plain);
	lay_out(f, &root, "work", &epoch);
	assert_entry(f, "work", S_IFDIR | 0755);
	assert_entry(f, "work/run.sh", S_IFREG | 0755);
	assert_entry(f, "work/data", S_IFREG | 0644);
	assert_entry(f, "work/void", S_IFDIR | 0755);
	assert_entry(f, "work/deep", S_IFDIR | 0755);
	assert_entry(f, "work/deep/er", S_IFDIR | 0755);
	assert_entry(f, "work/deep/er/file", S_IFREG | 0644);
	assert_entry(f, "work/deep/dangling", S_IFLNK);
	assert_entry(f, "work/etc", S_IFLNK);
	text = test_read(f->fd, "work/deep/er/file");
	assert_string_equal(text, "deep");
	free(text);
	again = take(f, "work", &plain);
	assert_memory_equal(&again.ref, &root.ref, sizeof(root.ref));
}

/* Writing to what was laid out changes nothing in the store. */
static void a_work_folder_shares_nothing_with_the_store(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root, data;

	make_source(f);
	root = take(f, "src", &plain);
	lay_out(f, &root, "work", &epoch);
	test_write(f->fd, "work/data", "OVERWRITTEN", 0644);
	data = find(f, &root, "data");
	assert_true(blobs_verify(f->blobs, &data.ref));
}

static void files_and_links_are_laid_out_alone(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node;

	make_source(f);
	node = take(f, "src/run.sh", &plain);
	lay_out(f, &node, "alone", &epoch);
	assert_entry(f, "alone", S_IFREG | 0755);
	node = take(f, "src/etc", &plain);
	lay_out(f, &node, "link", &epoch);
	assert_entry(f, "link", S_IFLNK);
}

static void a_tree_is_laid_out_into_an_open_folder(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root;
	struct err err = ERR_INIT;
	int fd;

	make_source(f);
	root = take(f, "src", &plain);
	assert_int_equal(mkdirat(f->fd, "work", 0700), 0);
	fd = openat(f->fd, "work", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(checkout_tree(f->blobs, &root.ref, fd, &epoch, &err), &err);
	assert_entry(f, "work", S_IFDIR | 0755);
	assert_entry(f, "work/deep/er/file", S_IFREG | 0644);
	/* Nothing is ever overwritten. */
	assert_int_equal(checkout_tree(f->blobs, &root.ref, fd, &epoch, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(err.sys, EEXIST);
	close(fd);
}

static void everything_is_given_to_the_build_user(void **state)
{
	static const char *const paths[] = { "w", "w/data", "w/deep/er", "w/etc", "w/void" };
	const struct checkout_options owned = { .epoch = 1735689600, .uid = 12345, .gid = 23456 };
	const struct fixture *f = *state;
	struct tree_node root;

	if (geteuid() != 0)
		skip(); /* giving files away needs root */
	make_source(f);
	root = take(f, "src", &plain);
	lay_out(f, &root, "w", &owned);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		struct stat st;

		assert_int_equal(fstatat(f->fd, paths[i], &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_uid, 12345);
		assert_int_equal(st.st_gid, 23456);
		assert_int_equal(st.st_mtim.tv_sec, epoch.epoch);
	}
}

static void missing_content_names_the_file(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root, lost;
	struct err err = ERR_INIT;
	char hex[DIGEST_HEX_SIZE], *path;

	make_source(f);
	root = take(f, "src", &plain);
	lost = find(f, &root, "deep/er/file");
	digest_hex(&lost.ref.digest, hex);
	path = str_fmt("store/blobs/%.2s/%s", hex, hex + 2);
	assert_int_equal(unlinkat(f->fd, path, 0), 0);
	assert_int_equal(checkout_node(f->blobs, &root, f->fd, "work", &epoch, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, "file");
	assert_contains(err.cause, hex);
	assert_contains(err.hint, "again");
	free(path);
}

static void large_files_come_back(void **state)
{
	enum { SIZE = (1 << 20) + 7 };
	const struct fixture *f = *state;
	char *bytes = alloc(SIZE + 1);
	struct tree_node one, other;

	memset(bytes, 'x', SIZE);
	test_write(f->fd, "src/large", bytes, 0644);
	one = take(f, "src", &plain);
	lay_out(f, &one, "work", &epoch);
	other = take(f, "work", &plain);
	assert_memory_equal(&one.ref, &other.ref, sizeof(one.ref));
	free(bytes);
}

static size_t descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

/* 600 folders deep, with room for few more descriptors than are open now. */
static void depth_costs_no_descriptors(void **state)
{
	enum { DEPTH = 600 };
	const struct fixture *f = *state;
	struct rlimit old, few;
	struct tree_node one, other;
	struct buf path = BUF_INIT(4000);

	buf_add_str(&path, "src");
	for (int i = 0; i < DEPTH; i++)
		buf_add_str(&path, "/d");
	buf_add_str(&path, "/file");
	test_write(f->fd, buf_text(&path), "bottom", 0644);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	few.rlim_cur = descriptors() + 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	one = take(f, "src", &plain);
	lay_out(f, &one, "work", &epoch);
	other = take(f, "work", &plain);
	test_folder_remove(str_fmt("%s/work", f->dir));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_memory_equal(&one.ref, &other.ref, sizeof(one.ref));
	buf_deinit(&path);
}

static void a_tree_too_deep_for_paths_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = { .kind = NODE_DIR };
	struct err err = ERR_INIT;

	tree_empty_ref(&node.ref);
	for (int i = 0; i < 2500; i++) {
		struct tree_dir dir = { &node, 1 };

		node.name = "d";
		must(directory_save(f->blobs, &dir, &node.ref, &err), &err);
		node.kind = NODE_DIR;
	}
	assert_int_equal(checkout_node(f->blobs, &node, f->fd, "work", &epoch, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "a tree is nested too deeply below d/d/");
}

static void descriptors_are_given_back(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root;
	size_t before;

	make_source(f);
	test_write(f->fd, "bad/suid", "x", 04755);
	take(f, "src", &plain);
	before = descriptors();
	root = take(f, "src", &plain);
	lay_out(f, &root, "work", &epoch);
	assert_refused(f, "bad", &plain, "suid", "setuid");
	assert_int_equal(descriptors(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tree_comes_back_with_fixed_modes_and_times),
		TEST(a_work_folder_shares_nothing_with_the_store),
		TEST(files_and_links_are_laid_out_alone),
		TEST(a_tree_is_laid_out_into_an_open_folder),
		TEST(everything_is_given_to_the_build_user),
		TEST(missing_content_names_the_file),
		TEST(large_files_come_back),
		TEST(depth_costs_no_descriptors),
		TEST(a_tree_too_deep_for_paths_is_refused),
		TEST(descriptors_are_given_back),
	};

	return cmocka_run_group_tests_name("store/checkout", tests, NULL, NULL);
}
