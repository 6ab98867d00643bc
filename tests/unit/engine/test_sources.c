/* Sources of a run whose content nobody has looked at. */
#include "base/str.h"
#include "external/crypto.h"
#include "fakes/world.h"

struct taking {
	struct world *w;
	const char *text;
	int n;
	bool fails;
};

static int take_again(void *data, struct err *err)
{
	struct taking *t = data;
	struct blob_ref ref;

	t->n++;
	if (t->fails)
		return err_set(err, ERR_INPUT, "the source was changed");
	return blobs_put(store_blobs(t->w->store), t->text, strlen(t->text), &ref, err);
}

static void lose_text(struct world *w, const char *text)
{
	struct digest digest;
	char hex[DIGEST_HEX_SIZE];
	char *path;

	digest_of(text, strlen(text), &digest);
	digest_hex(&digest, hex);
	path = str_fmt("%s/blobs/%.2s/%s", w->dir, hex, hex + 2);
	assert_int_equal(unlink(path), 0);
	free(path);
}

/* What was taken in by its stamps alone is looked at where something runs with it. */
static void sources_that_are_missed_are_taken_again(void **state)
{
	struct world *w = *state;
	struct taking taking = { .w = w, .text = "int lost;\n" };

	w->request.take_sources = take_again;
	w->request.take_sources_data = &taking;
	world_pipeline(w);
	world_leaf(w, "source", taking.text);
	world_plan(w, "t/shared/merge");
	lose_text(w, taking.text);
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 3);
	assert_int_equal(taking.n, 1);
	lose_text(w, taking.text);
	world_must_run(w); /* nothing runs, so nothing is missed */
	assert_int_equal(taking.n, 1);
	world_lose_output(w, "t/shared/merge"); /* which takes no source */
	world_must_run(w);
	assert_int_equal(w->fake.n_run, 1);
	assert_int_equal(taking.n, 1);
	taking.fails = true;
	world_lose_output(w, "t/shared/counted");
	assert_int_equal(world_run(w), -1);
	assert_int_equal(w->fake.n_run, 0);
	assert_int_equal(taking.n, 2);
	assert_string_equal(w->err.cause, "the source was changed");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sources_that_are_missed_are_taken_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
