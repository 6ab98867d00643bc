/* Stages that the next run takes from a file. */
#include "model/stage_kept.h"

#include "base/str.h"
#include "fakes/stages.h"
#include "unit/support.h"

static const char *exclude[] = { "*.o", "x" }, *argv[] = { "a", "", "c" }, *reject[] = { "r" };
static int codes[] = { 1, 7 };
static struct action_env env[] = { { "A", "1" }, { "B", "" } };
static struct action_output outputs[] = { { "o", exclude, 2, true }, { "p", NULL, 0, false } };
static struct stage_input inputs[] = {
	{ "a", { REF_STAGE, "t/v/n", "o" } },       { "b", { REF_LEAF, "src", "" } },
	{ "c", { REF_LEAF, "src", "x" } },          { "d", { REF_TEXT, "text\n", "" } },
	{ "e", { REF_SCRIPT, "#!/bin/sh\n", "" } },
};
static const struct stage_needs needs = { 3, 2, 1 << 30, 5, 6, 7, "pool", true }, nothing;

/* One of which nothing is as it is where nothing was said, and one of which all is. */
static const struct stage_lowered full = {
	.action = { .argv = argv,
	            .n_argv = ARRAY_LEN(argv),
	            .env = env,
	            .n_env = ARRAY_LEN(env),
	            .workdir = "w",
	            .outputs = outputs,
	            .n_outputs = ARRAY_LEN(outputs),
	            .builtin = "b@1",
	            .fixed_addresses = true,
	            .exit_codes = codes,
	            .n_exit_codes = ARRAY_LEN(codes),
	            .reject = reject,
	            .n_reject = ARRAY_LEN(reject) },
	.inputs = inputs,
	.n_inputs = ARRAY_LEN(inputs),
	.image = "image",
	.needs = &needs,
	.advice = "do it",
	.incremental = true,
	.never_ships = true,
	.passes_on = true,
};
static const struct stage_lowered bare = { .needs = &nothing };

/* They share words with the one before, or not. */
static const struct stage stages[] = {
	{ "t/v/n", "t", "v", "n", "run", "k:1", NULL, "{}", &full },
	{ "t/v/m", "t", "v", "m", "run", "k:1", NULL, NULL, &full },
	{ "t/w/n", "t", "w", "n", "copy", "k:2", NULL, "{\"a\":1}", NULL },
	{ "u/w/n", "u", "w", "n", "copy", "k:2", NULL, NULL, &bare },
	{ "u/w/x", "u", "w", "x", "run", "k:2", NULL, NULL, &full },
};

static const char magic[] = "kilntst1", name[] = KEPT_FOLDER "/stages";

static void keep_all(int store_fd, const struct buf *key)
{
	struct stages_keeping keeping = { .file = kept_new(store_fd, magic, key) };

	for (size_t i = 0; i < ARRAY_LEN(stages); i++)
		stage_keep(&keeping, &stages[i]);
	kept_keep(keeping.file, name);
	kept_free(keeping.file);
}

static void every_member_comes_back(void **state)
{
	const struct buf key = BUF_INIT(10);
	char *store = test_folder();
	int fd = test_open_dir(store);
	struct arena *arena = arena_new();
	struct kept kept;
	struct stages_taking taking = { .file = &kept, .arena = arena };

	(void)state;
	keep_all(fd, &key);
	assert_true(kept_open(fd, name, magic, &key, &kept));
	for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
		struct stage back;

		stage_take(&taking, &back);
		assert_false(kept.bad);
		assert_same_stage(&stages[i], &back);
	}
	assert_int_equal(kept.at, kept.n);
	kept_close(&kept);
	arena_free(arena);
	fs_close(fd);
	test_folder_remove(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
