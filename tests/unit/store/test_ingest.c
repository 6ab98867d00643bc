/* Ingest: trees from real folders, and all that must not get into one. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "unit/store/a_tree.h"

/* A stat cache that changes what is to be read. */
struct swap {
	struct ingest_stamps stamps;
	int fd;
};

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
	};

	return cmocka_run_group_tests_name("store/ingest", tests, NULL, NULL);
}
