/* What is trained on and held out, compared by content: files, folders, downloads. */
#include "profile/heldout.h"
#include "store/place.h"
#include "unit/support.h"

struct fixture {
	struct blobs *blobs;
	struct facts facts;
	struct fact_leaf work, download;
	const char *shared; /* what both lists may have; NULL: nothing */
};

static struct tree_node file(struct fixture *f, const char *content)
{
	struct tree_node node = { .name = "", .kind = NODE_FILE };
	struct err err = ERR_INIT;

	must(blobs_put(f->blobs, content, strlen(content), &node.ref, &err), &err);
	return node;
}

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));
	struct err err = ERR_INIT;

	f->blobs = blobs_new_memory();
	const struct placement placed[] = {
		{ "train/a", file(f, "letters") },
		{ "train/deep/b", file(f, "words") },
		{ "train/empty", file(f, "") },
		{ "copied/of-b", file(f, "words") },
		{ "copied/own", file(f, "own") },
		{ "other/own", file(f, "something else") },
		{ "other/empty", file(f, "") },
		{ "other/link", { .kind = NODE_LINK, .target = "../train/a", .name = "" } },
	};
	f->work.node.kind = NODE_DIR;
	must(place_compose(f->blobs, placed, ARRAY_LEN(placed), &f->work.node.ref, &err), &err);
	f->download.node = file(f, "letters");
	f->facts.leaves = map_new();
	map_set(f->facts.leaves, "work", &f->work);
	map_set(f->facts.leaves, "download", &f->download);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	map_free(f->facts.leaves);
	blobs_free(f->blobs);
	free(f);
	return 0;
}

/* The error of holding out a path while train is trained on; "" is none. */
static struct err check(struct fixture *f, const char *trained, const char *leaf, const char *path)
{
	struct recipe_data data[] = {
		{ "kiln.lua:9", "held", true, { REF_LEAF, leaf, path }, false },
		{ "kiln.lua:7", "bench/train", false, { REF_LEAF, "work", trained }, false },
		{ "kiln.lua:5", "both", true, { REF_LEAF, "work", f->shared }, true },
	};
	const struct recipe recipe = { .data = data,
		                       .n_data = ARRAY_LEN(data) - (f->shared ? 0 : 1) };
	struct err err = ERR_INIT;
	int rc = heldout_check(f->blobs, &recipe, &f->facts, &err);

	assert_int_equal(rc, err.code ? -1 : 0);
	return err;
}

static void assert_refused(struct err err, const char *cause)
{
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, cause);
	assert_non_null(strstr(err.hint, "not trained on"));
}

static void copies_are_found_wherever_they_lie(void **state)
{
	struct fixture *f = *state;

	assert_refused(check(f, "train", "work", "copied"),
	               "kiln.lua:9: \"held/of-b\" is both in train (kiln.lua:7: "
	               "\"bench/train/deep/b\") and in holdout");
	assert_refused(check(f, "train/deep/b", "work", "copied"),
	               "kiln.lua:9: \"held/of-b\" is both in train (kiln.lua:7: \"bench/train\") "
	               "and in holdout");
	assert_refused(check(f, "train", "work", "copied/of-b"),
	               "kiln.lua:9: \"held\" is both in train (kiln.lua:7: "
	               "\"bench/train/deep/b\") and in holdout");
	assert_refused(check(f, "train", "download", ""),
	               "kiln.lua:9: \"held\" is both in train (kiln.lua:7: \"bench/train/a\") and "
	               "in holdout");
}

static void other_content_is_fine(void **state)
{
	struct fixture *f = *state;

	/* Equal names, empty files and links say nothing. */
	assert_int_equal(check(f, "train", "work", "other").code, ERR_NONE);
	assert_int_equal(check(f, "train/a", "work", "copied").code, ERR_NONE);
	/* What is not there is told by the stage that takes it. */
	assert_int_equal(check(f, "train", "work", "nowhere").code, ERR_NONE);
	assert_int_equal(check(f, "train", "download", "below/a/file").code, ERR_NONE);
	assert_int_equal(check(f, "train", "unknown", "").code, ERR_NONE);
}

/* A file that is marked may lie in both, and so may every copy of it; of a marked folder all files. */
static void what_is_shared_is_no_data(void **state)
{
	struct fixture *f = *state;

	f->shared = "copied/of-b";
	assert_int_equal(check(f, "train", "work", "copied").code, ERR_NONE);
	assert_refused(check(f, "train", "download", ""),
	               "kiln.lua:9: \"held\" is both in train (kiln.lua:7: \"bench/train/a\") and "
	               "in holdout");
	f->shared = "train";
	assert_int_equal(check(f, "train", "work", "copied").code, ERR_NONE);
	assert_int_equal(check(f, "train", "download", "").code, ERR_NONE);
	f->shared = "copied/own";
	assert_refused(check(f, "train", "work", "copied/of-b"),
	               "kiln.lua:9: \"held\" is both in train (kiln.lua:7: "
	               "\"bench/train/deep/b\") and in holdout");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies_are_found_wherever_they_lie, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(other_content_is_fine, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_shared_is_no_data, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
