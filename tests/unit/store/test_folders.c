/* Ingest and checkout: trees from and to real folders, and all that must not get into one. */
#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "store/directory.h"
#include "store/ingest.h"
#include "store/place.h"
#include "unit/support.h"

struct fixture {
	char *dir;
	int fd; /* dir */
	struct blobs *blobs;
	struct arena *arena;
};

/* A stat cache that changes what is to be read. */
struct swap {
	struct ingest_stamps stamps;
	int fd;
};

static const struct ingest_options plain;
static const struct checkout_options epoch = { .epoch = 1735689600, .uid = -1, .gid = -1 };

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));
	struct err err = ERR_INIT;
	char *store;

	umask(077); /* neither what is taken nor what is laid out depends on it */
	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	store = str_fmt("%s/store", f->dir);
	must(blobs_open(store, &f->blobs, &err), &err);
	free(store);
	f->arena = arena_new();
	return *state = f, 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	umask(022);
	blobs_free(f->blobs);
	arena_free(f->arena);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static struct tree_node take(const struct fixture *f, const char *path,
                             const struct ingest_options *options)
{
	struct tree_node node = { 0 };
	struct err err = ERR_INIT;

	must(ingest_node(f->blobs, f->arena, f->fd, path, options, &node, &err), &err);
	return node;
}

static void assert_refused(const struct fixture *f, const char *path,
                           const struct ingest_options *options, const char *part,
                           const char *other_part)
{
	struct tree_node node = { .name = "untouched" };
	struct err err = ERR_INIT;

	assert_int_equal(ingest_node(f->blobs, f->arena, f->fd, path, options, &node, &err), -1);
	assert_int_equal(err.code, options->blame ? options->blame : ERR_STAGE);
	assert_contains(err.cause, part);
	assert_contains(err.cause, other_part);
	assert_string_equal(node.name, "untouched");
}

static struct tree_node find(const struct fixture *f, const struct tree_node *root,
                             const char *path)
{
	struct tree_node node = { 0 };
	struct err err = ERR_INIT;

	must(place_find(f->blobs, f->arena, &root->ref, path, &node, &err), &err);
	return node;
}

static bool has(const struct fixture *f, const struct tree_node *root, const char *path)
{
	struct tree_node node;
	struct err err = ERR_INIT;
	int rc = place_find(f->blobs, f->arena, &root->ref, path, &node, &err);

	assert_true(rc >= 0);
	return rc == 0;
}

/* A folder "src" with some of everything. */
static void make_source(const struct fixture *f)
{
	test_write(f->fd, "src/run.sh", "#!/bin/sh\n", 0700);
	test_write(f->fd, "src/data", "data", 0640);
	test_write(f->fd, "src/group-exec", "x", 0610);
	test_write(f->fd, "src/deep/er/file", "deep", 0644);
	test_write(f->fd, "src/new\nline \"quoted\" é", "n", 0644);
	assert_int_equal(mkdirat(f->fd, "src/void", 0700), 0);
	assert_int_equal(symlinkat("../nowhere", f->fd, "src/deep/dangling"), 0);
	assert_int_equal(symlinkat("/etc", f->fd, "src/etc"), 0);
}

static void everything_that_a_tree_holds_is_taken(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root;

	make_source(f);
	root = take(f, "src", &plain);
	assert_int_equal(root.kind, NODE_DIR);
	assert_true(find(f, &root, "run.sh").executable);
	assert_false(find(f, &root, "data").executable);
	assert_false(find(f, &root, "group-exec").executable);
	assert_int_equal(find(f, &root, "void").kind, NODE_DIR);
	assert_string_equal(find(f, &root, "etc").target, "/etc");
	assert_string_equal(find(f, &root, "deep/dangling").target, "../nowhere");
	assert_int_equal(find(f, &root, "new\nline \"quoted\" é").ref.size, 1);
	assert_int_equal(find(f, &root, "deep/er/file").ref.size, 4);
	/* Links are not followed. */
	assert_false(has(f, &root, "etc/passwd"));
}

static void times_owners_and_other_bits_do_not_count(void **state)
{
	const struct fixture *f = *state;
	const struct timespec old[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };
	struct tree_node one, other;

	make_source(f);
	one = take(f, "src", &plain);
	assert_int_equal(fchmodat(f->fd, "src/data", 0406, 0), 0);
	assert_int_equal(fchmodat(f->fd, "src/void", 01777, 0), 0);
	assert_int_equal(utimensat(f->fd, "src/data", old, 0), 0);
	other = take(f, "src", &plain);
	assert_memory_equal(&one.ref, &other.ref, sizeof(one.ref));
	assert_int_equal(fchmodat(f->fd, "src/data", 0506, 0), 0);
	other = take(f, "src", &plain);
	assert_memory_not_equal(&one.ref, &other.ref, sizeof(one.ref));
}

static void single_files_and_links_are_taken(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node;
	struct err err = ERR_INIT;

	make_source(f);
	node = take(f, "src/run.sh", &plain);
	assert_int_equal(node.kind, NODE_FILE);
	assert_true(node.executable);
	assert_string_equal(node.name, "");
	node = take(f, "src/etc", &plain);
	assert_int_equal(node.kind, NODE_LINK);
	assert_string_equal(node.target, "/etc");
	assert_int_equal(ingest_node(f->blobs, f->arena, f->fd, "src/no", &plain, &node, &err),
	                 PLACE_MISSING);
	assert_int_equal(ingest_node(f->blobs, f->arena, f->fd, "no/no", &plain, &node, &err),
	                 PLACE_MISSING);
	assert_int_equal(ingest_node(f->blobs, f->arena, f->fd, "src/data/x", &plain, &node, &err),
	                 PLACE_MISSING);
	assert_int_equal(err.code, ERR_NONE);
}

static void an_output_behind_a_link_is_refused(void **state)
{
	const struct fixture *f = *state;

	make_source(f);
	assert_refused(f, "src/etc/passwd", &plain, "src/etc/passwd", "is behind a link");
	assert_int_equal(symlinkat("src", f->fd, "out"), 0);
	assert_refused(f, "out/data", &plain, "out/data", "is behind a link");
}

static void excluded_paths_are_left_out(void **state)
{
	static const char *const exclude[] = { "**/*.log", "deep/er", "run.sh" };
	const struct fixture *f = *state;
	const struct ingest_options options = { .exclude = exclude, .n_exclude = 3 };
	struct tree_node root;

	make_source(f);
	test_write(f->fd, "src/config.log", "x", 0644);
	test_write(f->fd, "src/deep/config.log", "x", 0644);
	/* What is left out may be what a tree cannot hold. */
	assert_int_equal(mkfifoat(f->fd, "src/fifo.log", 0600), 0);
	root = take(f, "src", &options);
	assert_false(has(f, &root, "config.log"));
	assert_false(has(f, &root, "deep/config.log"));
	assert_false(has(f, &root, "deep/er"));
	assert_false(has(f, &root, "run.sh"));
	assert_true(has(f, &root, "deep/dangling"));
	assert_true(has(f, &root, "data"));
}

static void make_socket(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/src/socket", f->dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void what_a_tree_cannot_hold_is_refused(void **state)
{
	const struct fixture *f = *state;

	make_source(f);
	test_write(f->fd, "src/deep/suid", "x", 04755);
	assert_refused(f, "src", &plain, "src/deep/suid",
	               "is setuid or setgid, which a tree cannot hold");
	unlinkat(f->fd, "src/deep/suid", 0);
	test_write(f->fd, "src/sgid", "x", 02755);
	assert_refused(f, "src", &plain, "src/sgid", "setgid");
	assert_refused(f, "src/sgid", &plain, "src/sgid", "setgid");
	unlinkat(f->fd, "src/sgid", 0);
	assert_int_equal(mkfifoat(f->fd, "src/fifo", 0600), 0);
	assert_refused(f, "src", &plain, "src/fifo", "is a fifo, which a tree cannot hold");
	unlinkat(f->fd, "src/fifo", 0);
	make_socket(f);
	assert_refused(f, "src", &plain, "src/socket", "is a socket, which a tree cannot hold");
	unlinkat(f->fd, "src/socket", 0);
	if (mknodat(f->fd, "src/null", S_IFCHR | 0600, makedev(1, 3)) == 0) {
		assert_refused(f, "src", &plain, "src/null",
		               "is a device, which a tree cannot hold");
		unlinkat(f->fd, "src/null", 0);
	} else {
		print_message("# not tried: a device node (needs root)\n");
	}
	take(f, "src", &plain);
}

static void names_and_link_texts_must_be_utf8(void **state)
{
	const struct fixture *f = *state;
	const struct ingest_options input = { .blame = ERR_INPUT, .shown = "/home/me/src" };

	test_write(f->fd, "src/deep/bad\xff\nname", "x", 0644);
	assert_refused(f, "src", &plain, "src/deep/bad\\xff\\nname", "not UTF-8");
	assert_refused(f, "src", &input, "/home/me/src/deep/bad\\xff\\nname", "not UTF-8");
	unlinkat(f->fd, "src/deep/bad\xff\nname", 0);
	assert_int_equal(symlinkat("\xc0\xaf", f->fd, "src/deep/link"), 0);
	assert_refused(f, "src", &plain, "src/deep/link", "not UTF-8");
}

static void empty_outputs_are_refused_when_content_is_needed(void **state)
{
	const struct fixture *f = *state;
	const struct ingest_options needed = { .non_empty = true };

	assert_int_equal(mkdirat(f->fd, "prof", 0755), 0);
	assert_refused(f, "prof", &needed, "prof holds no file", "content is needed");
	assert_int_equal(mkdirat(f->fd, "prof/sub", 0755), 0);
	assert_int_equal(symlinkat("x", f->fd, "prof/link"), 0);
	assert_refused(f, "prof", &needed, "prof holds no file", "content is needed");
	test_write(f->fd, "prof/sub/a.profraw", "x", 0644);
	take(f, "prof", &needed);
	test_write(f->fd, "prof/sub/b.profraw", "", 0644);
	assert_refused(f, "prof", &needed, "prof/sub/b.profraw", "is empty, but content is needed");
	assert_refused(f, "prof/sub/b.profraw", &needed, "prof/sub/b.profraw", "is empty");
	take(f, "prof", &plain);
}

static bool take_away(const void *data, const char *path)
{
	(void)path;
	assert_int_equal(unlinkat(*(const int *)data, "src/file", 0), 0);
	return true;
}

static bool swap_for_a_folder(struct ingest_stamps *stamps, const struct stat *st,
                              struct blob_ref *ret)
{
	const struct swap *swap = (const struct swap *)stamps;

	(void)st;
	(void)ret;
	assert_int_equal(unlinkat(swap->fd, "src/file", 0), 0);
	assert_int_equal(mkdirat(swap->fd, "src/file", 0755), 0);
	return false;
}

static void what_changes_under_the_reader_is_refused(void **state)
{
	const struct fixture *f = *state;
	int fd = f->fd;
	const struct ingest_options options = { .keep = take_away, .keep_data = &fd };
	struct swap swap = { { .find = swap_for_a_folder }, fd };
	struct tree_node node;
	struct err err = ERR_INIT;

	test_write(f->fd, "src/file", "x", 0644);
	assert_refused(f, "src", &options, "src/file", "changed while it was read");
	test_write(f->fd, "src/file", "x", 0644);
	assert_int_equal(ingest_node_with(f->blobs, f->arena, f->fd, "src", &plain, &swap.stamps,
	                                  &node, &err),
	                 -1);
	assert_contains(err.cause, "src/file changed while it was read");
}

static void an_unreadable_file_says_so(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node;
	struct err err = ERR_INIT;

	if (geteuid() == 0)
		skip(); /* root reads all */
	test_write(f->fd, "src/secret", "x", 0200);
	assert_int_equal(ingest_node(f->blobs, f->arena, f->fd, "src", &plain, &node, &err), -1);
	assert_contains(err.cause, "src/secret");
	assert_contains(err.hint, "read permission");
}

/* ---- checkout ----------------------------------------------------------------------------- */

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

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_that_a_tree_holds_is_taken),
		TEST(times_owners_and_other_bits_do_not_count),
		TEST(single_files_and_links_are_taken),
		TEST(an_output_behind_a_link_is_refused),
		TEST(excluded_paths_are_left_out),
		TEST(what_a_tree_cannot_hold_is_refused),
		TEST(names_and_link_texts_must_be_utf8),
		TEST(empty_outputs_are_refused_when_content_is_needed),
		TEST(what_changes_under_the_reader_is_refused),
		TEST(an_unreadable_file_says_so),
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

	return cmocka_run_group_tests(tests, NULL, NULL);
}
