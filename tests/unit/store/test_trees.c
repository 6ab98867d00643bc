/* Trees that stages share: made once, whole, let go when nobody looks at them. */
#include "store/trees.h"

#include <sys/wait.h>

#include "base/path.h"
#include "host/failpoint.h"
#include "host/lock.h"
#include "unit/store/a_tree.h"

static char *store_dir(const struct fixture *f)
{
	return str_fmt("%s/store", f->dir);
}

static struct tree_node seed(const struct fixture *f, const char *text)
{
	test_write(f->fd, "src/a", text, 0644);
	test_write(f->fd, "src/sub/run", "two\n", 0755);
	return take(f, "src", &plain);
}

static int use(const struct fixture *f, const struct tree_node *node, struct tree_use *ret)
{
	_cleanup_free_ char *store = store_dir(f);
	struct err err = ERR_INIT;

	return trees_use(store, f->blobs, &node->ref, &epoch, ret, &err);
}

static size_t n_in(const struct fixture *f, const char *path, const char *start)
{
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;
	size_t n = 0;

	assert_true(fs_list(f->fd, path, &list, &err) >= 0);
	for (size_t i = 0; i < list.names.n; i++)
		n += str_starts(list.names.v[i], start);
	fs_names_deinit(&list);
	return n;
}

static size_t n_trees(const struct fixture *f)
{
	return n_in(f, "store/trees", "");
}

/* What is in the making, or being removed. */
static size_t n_aside(const struct fixture *f)
{
	return n_in(f, "store/tmp", "trees.");
}

static void it_is_made_once(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = seed(f, "one\n"), again;
	struct tree_use first, second;
	struct stat a, b;

	assert_int_equal(use(f, &node, &first), 0);
	assert_int_equal(use(f, &node, &second), 0);
	assert_string_equal(first.root, second.root);
	assert_int_equal(n_trees(f), 1);
	assert_int_equal(n_aside(f), 0);
	/* What is laid out is the tree, and as a work folder's. */
	again = take(f, first.root + strlen(f->dir) + 1, &plain);
	assert_memory_equal(&again.ref, &node.ref, sizeof(node.ref));
	assert_int_equal(stat(first.root, &a), 0);
	assert_int_equal(a.st_mtim.tv_sec, epoch.epoch);
	assert_int_equal(a.st_mode & 07777, 0755);
	trees_end_use(&first);
	trees_end_use(&second);
	assert_int_equal(use(f, &node, &first), 0);
	assert_int_equal(stat(first.root, &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	trees_end_use(&first);
	trees_end_use(&first);
}

/* Of another time, it is another one. */
static void time_is_part_of_it(void **state)
{
	const struct fixture *f = *state;
	struct checkout_options later = epoch;
	_cleanup_free_ char *store = store_dir(f);
	struct tree_node node = seed(f, "one\n");
	struct tree_use first, second;
	struct err err = ERR_INIT;

	later.epoch++;
	assert_int_equal(use(f, &node, &first), 0);
	must(trees_use(store, f->blobs, &node.ref, &later, &second, &err), &err);
	assert_string_not_equal(first.root, second.root);
	trees_end_use(&first);
	trees_end_use(&second);
}

static void the_longest_unused_go_but_none_in_use(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = seed(f, "held\n");
	struct tree_use held, other;
	struct stat st;

	assert_int_equal(use(f, &node, &held), 0);
	for (int i = 0; i < 20; i++) {
		_cleanup_free_ char *text = str_fmt("%d\n", i);

		node = seed(f, text);
		assert_int_equal(use(f, &node, &other), 0);
		trees_end_use(&other);
	}
	assert_int_equal(n_trees(f), 16);
	assert_int_equal(n_aside(f), 0);
	assert_int_equal(stat(held.root, &st), 0);
	/* The last one is there still. */
	assert_int_equal(use(f, &node, &other), 0);
	assert_int_equal(n_trees(f), 16);
	trees_end_use(&other);
	trees_end_use(&held);
}

static void many_that_want_it_make_one(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = seed(f, "one\n");
	pid_t pids[6];

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0) {
			struct tree_use tree;
			struct stat st;

			blobs_forked(f->blobs);
			if (use(f, &node, &tree) != 0 || stat(tree.root, &st) < 0)
				_exit(1);
			trees_end_use(&tree);
			_exit(0);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	assert_int_equal(n_trees(f), 1);
	assert_int_equal(n_aside(f), 0);
}

/* A killed maker leaves no half of one under its name, and what it left goes. */
static void a_killed_maker_leaves_nothing(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = seed(f, "one\n");
	struct tree_use tree;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct tree_use never;

		setenv("KILN_FAILPOINT", "checkout-finish:2:kill", 1);
		failpoint_arm();
		use(f, &node, &never);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(n_trees(f), 0);
	assert_true(n_aside(f) > 0);
	assert_int_equal(use(f, &node, &tree), 0);
	assert_int_equal(n_aside(f), 0);
	trees_end_use(&tree);
}

/* Of a kernel's earlier run, a power failure may have left any part of it. */
static void those_of_another_boot_are_not_used(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = seed(f, "one\n");
	struct tree_use tree;
	_cleanup_free_ char *now = NULL, *earlier = NULL, *file = NULL;
	struct stat st;

	assert_int_equal(use(f, &node, &tree), 0);
	now = path_dir(tree.root);
	earlier = str_dup(now);
	earlier[strlen(earlier) - 1] = earlier[strlen(earlier) - 1] == '0' ? '1' : '0';
	trees_end_use(&tree);
	assert_int_equal(rename(now, earlier), 0);
	file = str_fmt("%s/root/a", earlier);
	assert_int_equal(truncate(file, 0), 0);
	assert_int_equal(use(f, &node, &tree), 0);
	assert_int_equal(n_trees(f), 1);
	assert_int_equal(stat(earlier, &st), -1);
	free(file);
	file = str_fmt("%s/a", tree.root);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, 4);
	trees_end_use(&tree);
}

static void what_is_not_there_is_no_tree(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = seed(f, "one\n");
	struct tree_use tree = { 0 };

	node.ref.digest.bytes[3] ^= 1;
	assert_int_equal(use(f, &node, &tree), -1);
	assert_null(tree.root);
	assert_int_equal(n_trees(f), 0);
	assert_int_equal(n_aside(f), 0);
	assert_false(trees_is_large(f->blobs, &node.ref, 1));
}

static void large_is_counted(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = seed(f, "one\n");

	assert_true(trees_is_large(f->blobs, &node.ref, 1));
	assert_true(trees_is_large(f->blobs, &node.ref, 2));
	assert_false(trees_is_large(f->blobs, &node.ref, 3));
}

static void all_are_removed(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *store = store_dir(f);
	struct tree_node node = seed(f, "one\n");
	struct err err = ERR_INIT;
	struct tree_use tree;
	int fd = test_open_dir(store);

	must(trees_remove(fd, &err), &err);
	assert_int_equal(use(f, &node, &tree), 0);
	trees_end_use(&tree);
	must(trees_remove(fd, &err), &err);
	assert_false(fs_exists(fd, "trees"));
	assert_int_equal(n_aside(f), 0);
	assert_int_equal(use(f, &node, &tree), 0);
	trees_end_use(&tree);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_made_once),
		TEST(time_is_part_of_it),
		TEST(the_longest_unused_go_but_none_in_use),
		TEST(many_that_want_it_make_one),
		TEST(a_killed_maker_leaves_nothing),
		TEST(those_of_another_boot_are_not_used),
		TEST(what_is_not_there_is_no_tree),
		TEST(large_is_counted),
		TEST(all_are_removed),
	};

	return cmocka_run_group_tests_name("store/trees", tests, NULL, NULL);
}
