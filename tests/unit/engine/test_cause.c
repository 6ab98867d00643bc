/* Which field of what a changed word comes of. */
#include "engine/cause.h"
#include "unit/support.h"

struct fixture {
	struct arena *arena;
	struct blobs *blobs;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->arena = arena_new();
	f->blobs = blobs_new_memory();
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

static struct digest document(struct fixture *f, const char *text)
{
	struct blob_ref ref;
	struct err err = ERR_INIT;

	must(blobs_put(f->blobs, text, strlen(text), &ref, &err), &err);
	return ref.digest;
}

static const char *cause(struct fixture *f, const char *documents[2], enum change_kind kind,
                         const char *before, const char *after)
{
	const struct digest old = document(f, documents[0]), new = document(f, documents[1]);
	struct changes changes = { .arena = f->arena };

	changes_add(&changes, &(struct change){ kind, "x", before, after, NULL, NULL, NULL });
	causes_find(causes_between(f->arena, f->blobs, &old, &new), &changes);
	return changes.list[0].caused ? changes.list[0].caused : "-";
}

static void a_field_that_turns_one_into_the_other(void **state)
{
	struct fixture *f = *state;
	const char *documents[2] = {
		"{\"fact\":{\"git.version\":{\"version\":\"1.0\"}},\"library\":\"aa\",\"option\":{\"n\":1,"
		"\"on\":false},\"toolchain\":{\"c\":{\"targets\":{\"t\":{\"cc\":[\"cc\",\"-m1\"]}}}}}",
		"{\"fact\":{\"git.version\":{\"version\":\"1.1\"}},\"library\":\"bb\",\"option\":{\"n\":2,"
		"\"on\":true},\"toolchain\":{\"c\":{\"targets\":{\"t\":{\"cc\":[\"cc\",\"-m2\",\"-g\"]}}}}}",
	};

	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, "-m1", "-m2"),
	                    "toolchain c: targets.t.cc");
	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, NULL, "-g"),
	                    "toolchain c: targets.t.cc");
	assert_string_equal(cause(f, documents, CHANGE_VARIABLE, "n=1", "n=2"), "option n");
	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, "--on=false", "--on=true"),
	                    "option on");
	assert_string_equal(cause(f, documents, CHANGE_PLACE, "x-1.0/bin/x-1.0", "x-1.1/bin/x-1.1"),
	                    "fact git.version: version");
	assert_string_equal(cause(f, documents, CHANGE_TEXT, "v1.0\nlib aa", "v1.0\nlib bb"),
	                    "library");
	/* Only what explains all of it: half a change has another cause as well. */
	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, "1.0-a", "1.1-b"), "-");
	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, "-m1", NULL), "-");
	/* A file is what it is, whatever it holds. */
	assert_string_equal(cause(f, documents, CHANGE_FILE, "1.0", "1.1"), "-");
}

static void fields_that_come_and_go(void **state)
{
	struct fixture *f = *state;
	const char *documents[2] = {
		"{\"option\":{\"old\":\"-O9\",\"empty\":\"\"}}",
		"{\"option\":{\"new\":\"-g\",\"empty\":\"x\"},\"more\":[1,{\"a\":\"b\"}]}"
	};

	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, NULL, "-g"), "option new");
	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, "-O9", NULL), "option old");
	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, NULL, "b"), "more a");
	/* An empty text stands everywhere and explains nothing. */
	assert_string_equal(cause(f, documents, CHANGE_ARGUMENT, "y", "xy"), "-");
}

static void documents_that_say_nothing(void **state)
{
	struct fixture *f = *state;
	const char *broken[2] = { "{", "{}" }, *lists[2] = { "[]", "\"x\"" };
	struct changes changes = { .arena = f->arena };
	const struct digest none = { { 0 } }, lost = { { 1 } };

	assert_string_equal(cause(f, broken, CHANGE_ARGUMENT, "a", "b"), "-");
	assert_string_equal(cause(f, lists, CHANGE_ARGUMENT, "a", "b"), "-");
	changes_add(&changes, &(struct change){ CHANGE_ARGUMENT, "1", "a", "b", NULL, NULL, NULL });
	causes_find(causes_between(f->arena, f->blobs, &none, &lost), &changes);
	assert_null(changes.list[0].caused);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_field_that_turns_one_into_the_other),
		TEST(fields_that_come_and_go),
		TEST(documents_that_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
