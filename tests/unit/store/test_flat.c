/* Trees out of lists of paths: the same tree as by placing each file, clashes told, many files. */
#include "store/flat.h"

#include "store/place.h"
#include "unit/support.h"

struct fixture {
	struct blobs *blobs;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->blobs = blobs_new_memory();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	blobs_free(f->blobs);
	free(f);
	return 0;
}

static struct tree_node file(const struct fixture *f, const char *content)
{
	struct tree_node node = { .name = "", .kind = NODE_FILE };
	struct err err = ERR_INIT;

	must(blobs_put(f->blobs, content, strlen(content), &node.ref, &err), &err);
	return node;
}

/* Names that sort differently with and without the slash: "a-b" stands between "a" and "a/x". */
static void a_list_is_the_tree_that_placing_makes(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = {
		"a/x", "a-b", "a/y/z", "b", "a.c", "a0/x", "z/a/b/c/d"
	};
	struct flat_entry entries[ARRAY_LEN(paths)];
	struct placement placed[ARRAY_LEN(paths)];
	struct blob_ref flat, composed;
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		entries[i] = (struct flat_entry){ paths[i], file(f, paths[i]) };
		placed[i] = (struct placement){ paths[i], entries[i].node };
	}
	entries[3].node = (struct tree_node){ .kind = NODE_LINK, .target = "a/x", .name = "" };
	placed[3].node = entries[3].node;
	must(flat_save(f->blobs, entries, ARRAY_LEN(paths), &flat, &err), &err);
	must(place_compose(f->blobs, placed, ARRAY_LEN(paths), &composed, &err), &err);
	assert_true(digest_eq(&flat.digest, &composed.digest));
	must(flat_save(f->blobs, NULL, 0, &flat, &err), &err);
	tree_empty_ref(&composed);
	assert_true(digest_eq(&flat.digest, &composed.digest));
}

static void clashes_are_told(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[][3] = { { "a", "a", "b" },
		                              { "a", "a/b", "c" },
		                              { "x/a/b", "x/a", "x/b" } };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct flat_entry entries[3];
		struct blob_ref root;
		struct err err = ERR_INIT;

		for (size_t k = 0; k < 3; k++)
			entries[k] = (struct flat_entry){ bad[i][k], file(f, "x") };
		assert_int_equal(flat_save(f->blobs, entries, 3, &root, &err), -1);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, "stands in a tree twice, or is a folder there as well");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_list_is_the_tree_that_placing_makes, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(clashes_are_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
