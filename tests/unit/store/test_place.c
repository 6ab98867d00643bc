/* Composing trees, finding in them, walking them: in memory. */
#include "external/crypto.h"
#include "store/directory.h"
#include "store/place.h"
#include "unit/support.h"

struct fixture {
	struct blobs *blobs;
	struct arena *arena;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->blobs = blobs_new_memory();
	f->arena = arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	blobs_free(f->blobs);
	arena_free(f->arena);
	free(f);
	return 0;
}

static struct tree_node file(const struct fixture *f, const char *content)
{
	struct tree_node node = { .name = "whatever", .kind = NODE_FILE };
	struct err err = ERR_INIT;

	must(blobs_put(f->blobs, content, strlen(content), &node.ref, &err), &err);
	return node;
}

static struct tree_node compose(const struct fixture *f, const struct placement *placements,
                                size_t n)
{
	struct tree_node node = { .name = "", .kind = NODE_DIR };
	struct err err = ERR_INIT;

	must(place_compose(f->blobs, placements, n, &node.ref, &err), &err);
	return node;
}

static int add_line(void *data, const char *path, const struct tree_node *node, struct err *err)
{
	static const char *const kinds[] = { "file", "dir", "link" };

	(void)err;
	buf_fmt(data, "%s %s%s%s\n", kinds[node->kind], path, node->target ? " " : "",
	        node->target ? node->target : "");
	return 0;
}

static void assert_tree(const struct fixture *f, const struct tree_node *root, const char *lines)
{
	struct buf buf = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	must(tree_walk(f->blobs, &root->ref, add_line, &buf, &err), &err);
	assert_string_equal(buf_text(&buf), lines);
	buf_deinit(&buf);
}

static void assert_refused(const struct fixture *f, const struct placement *placements, size_t n,
                           const char *part, const char *other_part)
{
	struct blob_ref ref = { .size = 77 };
	struct err err = ERR_INIT;

	assert_int_equal(place_compose(f->blobs, placements, n, &ref, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, part);
	assert_contains(err.cause, other_part);
	assert_int_equal(ref.size, 77);
}

static void nothing_gives_the_empty_directory(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root = compose(f, NULL, 0);
	struct blob_ref empty;

	tree_empty_ref(&empty);
	assert_memory_equal(&root.ref, &empty, sizeof(empty));
	assert_true(blobs_has(f->blobs, &empty));
	assert_tree(f, &root, "");
}

static void folders_on_the_way_are_made(void **state)
{
	const struct fixture *f = *state;
	struct tree_node link = { .name = "", .kind = NODE_LINK, .target = "../a" };
	const struct placement placements[] = {
		{ "src/deep/er/x", file(f, "x") },
		{ "src/y", file(f, "y") },
		{ "a", file(f, "a") },
		{ "src/deep/link", link },
	};
	struct tree_node root = compose(f, placements, 4);

	assert_tree(f, &root,
	            "file a\ndir src\ndir src/deep\ndir src/deep/er\nfile src/deep/er/x\n"
	            "link src/deep/link ../a\nfile src/y\n");
}

static void the_order_of_placements_does_not_matter(void **state)
{
	const struct fixture *f = *state;
	struct placement placements[] = { { "b/c", file(f, "1") },
		                          { "a", file(f, "2") },
		                          { "b/a", file(f, "3") } };
	struct tree_node one = compose(f, placements, 3), other;
	struct placement first = placements[0];

	placements[0] = placements[2];
	placements[2] = first;
	other = compose(f, placements, 3);
	assert_memory_equal(&one.ref, &other.ref, sizeof(one.ref));
}

/* A tree of its own: "lib/a", "lib/sub/b". */
static struct tree_node outer(const struct fixture *f)
{
	const struct placement placements[] = { { "lib/a", file(f, "a") },
		                                { "lib/sub/b", file(f, "b") } };

	return compose(f, placements, 2);
}

static void a_whole_tree_is_placed_unread(void **state)
{
	const struct fixture *f = *state;
	struct tree_node missing = { .kind = NODE_DIR, .ref.size = 5 };
	const struct placement one[] = { { "", outer(f) } };
	const struct placement below[] = { { "x/y", missing } };
	struct tree_node root = compose(f, one, 1), found;
	struct err err = ERR_INIT;

	assert_memory_equal(&root.ref, &one[0].node.ref, sizeof(root.ref));
	root = compose(f, below, 1);
	must(place_find(f->blobs, f->arena, &root.ref, "x/y", &found, &err), &err);
	assert_int_equal(found.ref.size, 5);
}

static void placements_nest_where_the_outer_tree_lacks_the_name(void **state)
{
	const struct fixture *f = *state;
	const struct placement placements[] = {
		{ "lib/sub/c", file(f, "c") },
		{ "", outer(f) },
		{ "kiln.profdata", file(f, "p") },
		{ "lib/other/d", file(f, "d") },
	};
	struct tree_node root = compose(f, placements, 4);

	assert_tree(f, &root,
	            "file kiln.profdata\ndir lib\nfile lib/a\ndir lib/other\nfile lib/other/d\n"
	            "dir lib/sub\nfile lib/sub/b\nfile lib/sub/c\n");
}

static void overlaps_name_both(void **state)
{
	const struct fixture *f = *state;
	const struct placement same[] = { { "a/b", file(f, "1") }, { "a/b", file(f, "2") } };
	const struct placement held[] = { { "src", outer(f) }, { "src/lib/a", file(f, "2") } };
	const struct placement under_file[] = { { "x", file(f, "1") }, { "x/y", file(f, "2") } };
	const struct placement under_inner_file[] = { { "src", outer(f) },
		                                      { "src/lib/a/z", file(f, "2") } };
	const struct placement over_dir[] = { { "src", outer(f) }, { "src/lib", outer(f) } };
	const struct placement roots[] = { { "", outer(f) }, { "", outer(f) } };
	const struct placement file_root[] = { { "", file(f, "1") } };

	assert_refused(f, same, 2, "two inputs are placed at", "\"a/b\"");
	assert_refused(f, held, 2, "the inputs placed at \"src\"", "\"src/lib/a\"");
	assert_refused(f, under_file, 2, "\"x\"", "\"x/y\"");
	assert_refused(f, under_inner_file, 2, "\"src\"", "\"src/lib/a/z\"");
	assert_refused(f, over_dir, 2, "\"src\"", "\"src/lib\"");
	assert_refused(f, roots, 2, "two inputs are placed at the root", "root (\"\")");
	assert_refused(f, file_root, 1, "an input placed at the root (\"\") must be a folder", "");
}

static void bad_paths_are_refused(void **state)
{
	const struct fixture *f = *state;
	const char *const bad[] = { "/abs", "a/../b", "./a", "a//b", "a/" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct placement placements[] = { { bad[i], file(f, "1") } };

		assert_refused(f, placements, 1, bad[i], "an input cannot be placed at");
	}
}

static void finding(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root = outer(f), found = { .name = "untouched" };
	struct err err = ERR_INIT;

	assert_int_equal(place_find(f->blobs, f->arena, &root.ref, "lib/nope", &found, &err),
	                 PLACE_MISSING);
	assert_int_equal(place_find(f->blobs, f->arena, &root.ref, "lib/a/b", &found, &err),
	                 PLACE_MISSING);
	assert_string_equal(found.name, "untouched");
	must(place_find(f->blobs, f->arena, &root.ref, "", &found, &err), &err);
	assert_memory_equal(&found.ref, &root.ref, sizeof(root.ref));
	must(place_find(f->blobs, f->arena, &root.ref, "lib/sub/b", &found, &err), &err);
	assert_string_equal(found.name, "b");
	assert_int_equal(found.kind, NODE_FILE);
}

static void a_missing_directory_is_an_error_that_says_what_to_do(void **state)
{
	const struct fixture *f = *state;
	struct tree_node found;
	struct blob_ref ref = { .size = 5 };
	struct err err = ERR_INIT;

	ref.digest.bytes[0] = 1;
	assert_int_equal(place_find(f->blobs, f->arena, &ref, "a", &found, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, "missing from the store");
	assert_contains(err.hint, "run the same command again");
}

static int stop(void *data, const char *path, const struct tree_node *node, struct err *err)
{
	(void)node;
	return ++*(int *)data < 2 ? 0 : err_set(err, ERR_DENIED, "stopped at %s", path);
}

static void a_visitor_can_end_the_walk(void **state)
{
	const struct fixture *f = *state;
	struct tree_node root = outer(f);
	struct err err = ERR_INIT;
	int visits = 0;

	assert_int_equal(tree_walk(f->blobs, &root.ref, stop, &visits, &err), -1);
	assert_int_equal(visits, 2);
	assert_string_equal(err.cause, "stopped at lib/a");
}

/* A tree that is deeper than any path may be long ends in an error, not in a crash. */
static void endless_depth_is_an_error(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node = file(f, "x");
	struct buf lines = BUF_INIT(1 << 26);
	struct err err = ERR_INIT;

	for (int i = 0; i < 2500; i++) {
		struct tree_dir dir = { &node, 1 };

		node.name = "d";
		must(directory_save(f->blobs, &dir, &node.ref, &err), &err);
		node.kind = NODE_DIR;
	}
	assert_int_equal(tree_walk(f->blobs, &node.ref, add_line, &lines, &err), -1);
	assert_contains(err.cause, "a tree is nested too deeply below d/d/");
	buf_deinit(&lines);
}

/* The listing of a directory is one message, and no larger than is read back. */
static void a_listing_has_a_limit(void **state)
{
	enum { LINKS = 260, LONG = 1 << 20 };
	const struct fixture *f = *state;
	struct tree_node nodes[LINKS];
	struct tree_dir dir = { nodes, LINKS };
	char names[LINKS][8], *target = alloc(LONG + 1);
	struct blob_ref ref = { .size = 77 };
	struct err err = ERR_INIT;

	memset(target, 'x', LONG);
	for (size_t i = 0; i < LINKS; i++) {
		snprintf(names[i], sizeof(names[i]), "%zu", i);
		nodes[i] =
			(struct tree_node){ .name = names[i], .kind = NODE_LINK, .target = target };
	}
	assert_int_equal(directory_save(f->blobs, &dir, &ref, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "a directory has too many entries (260)");
	assert_int_equal(ref.size, 77);
	free(target);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_gives_the_empty_directory),
		TEST(folders_on_the_way_are_made),
		TEST(the_order_of_placements_does_not_matter),
		TEST(a_whole_tree_is_placed_unread),
		TEST(placements_nest_where_the_outer_tree_lacks_the_name),
		TEST(overlaps_name_both),
		TEST(bad_paths_are_refused),
		TEST(finding),
		TEST(a_missing_directory_is_an_error_that_says_what_to_do),
		TEST(a_visitor_can_end_the_walk),
		TEST(endless_depth_is_an_error),
		TEST(a_listing_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
