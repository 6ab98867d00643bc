/* Actions and results: golden bytes that were computed without this code, and what is refused. */
#include "external/crypto.h"
#include "model/action.h"
#include "unit/support.h"

static const char mixed_tree[] = "cd4ccd894c069a42fc1ab6acee85fd53c107a16eac14b6a1e3a612d07ba56912";

static void assert_digest(const struct buf *buf, const char *hex)
{
	struct digest digest;

	digest_of(buf_text(buf), buf->n, &digest);
	assert_string_equal(DIGEST_TEXT(&digest), hex);
}

/* One action with every field, in no order. */
struct full {
	const char *argv[4], *exclude[2], *reject[2];
	struct action_env env[3];
	struct action_output outputs[2];
	int exit_codes[2];
	struct action action;
	struct blob_ref root;
	struct digest image;
};

static void full_fill(struct full *f)
{
	*f = (struct full){
		.argv = { "cc", "-O2", "", "x y.c" },
		.exclude = { "config.log", "*.log" },
		.reject = { "profile data may be out of date", "BOLT-ERROR" },
		.env = { { "PATH", "/usr/bin:/bin" }, { "EMPTY", "" }, { "A", "1" } },
		.outputs = { { .path = "prof", .n_exclude = 2, .non_empty = true },
		             { .path = "bin/x" } },
		.exit_codes = { 300, 1 },
	};
	f->outputs[0].exclude = f->exclude;
	f->action = (struct action){
		.argv = f->argv,
		.n_argv = 4,
		.env = f->env,
		.n_env = 3,
		.workdir = "src",
		.outputs = f->outputs,
		.n_outputs = 2,
		.input_root = &f->root,
		.image = &f->image,
		.arch = "amd64",
		.fixed_addresses = true,
		.exit_codes = f->exit_codes,
		.n_exit_codes = 2,
		.reject = f->reject,
		.n_reject = 2,
	};
	f->root.size = 319;
	assert_true(digest_parse(mixed_tree, &f->root.digest));
	memset(&f->image, 0xab, sizeof(f->image));
}

static void every_field(void **state)
{
	struct buf buf = BUF_INIT(4096);
	struct full f;

	(void)state;
	full_fill(&f);
	action_encode(&f.action, &buf);
	assert_int_equal(buf.n, 297);
	assert_digest(&buf, "f4c2c5c7008328b6ace60025cf64e264cc0af00831193b66e854f6e7f438dec4");
	buf_deinit(&buf);
}

static void order_in_sets_does_not_matter(void **state)
{
	struct buf one = BUF_INIT(4096), other = BUF_INIT(4096);
	struct full f;
	struct action_env env;

	(void)state;
	full_fill(&f);
	action_encode(&f.action, &one);
	env = f.env[0];
	f.env[0] = f.env[2];
	f.env[2] = env;
	f.exit_codes[0] = 300;
	f.exit_codes[1] = 1;
	action_encode(&f.action, &other);
	assert_true(str_same(buf_str(&one), buf_str(&other)));
	f.argv[0] = "-O2"; /* the order of arguments does */
	f.argv[1] = "cc";
	buf_clear(&other);
	action_encode(&f.action, &other);
	assert_false(str_same(buf_str(&one), buf_str(&other)));
	buf_deinit(&one);
	buf_deinit(&other);
}

static void a_builtin(void **state)
{
	const char *argv[] = { "in" };
	struct action_output output = { .path = "out.tar" };
	struct action action = {
		.argv = argv,
		.n_argv = 1,
		.outputs = &output,
		.n_outputs = 1,
		.builtin = "kiln:tar@1",
	};
	struct buf buf = BUF_INIT(4096);
	struct blob_ref root;

	(void)state;
	tree_empty_ref(&root);
	action.input_root = &root;
	action_encode(&action, &buf);
	assert_digest(&buf, "c365093f8c5678543e23d282cd2f9dfbe8d525b6fd1a2873ccff4f3517f80ca4");
	buf_deinit(&buf);
}

static void negative_exit_codes(void **state)
{
	const char *argv[] = { "x" };
	int codes[] = { 7, -1 };
	struct action action = {
		.argv = argv, .n_argv = 1, .exit_codes = codes, .n_exit_codes = 2
	};
	struct buf buf = BUF_INIT(4096);
	struct blob_ref root;

	(void)state;
	tree_empty_ref(&root);
	action.input_root = &root;
	action_encode(&action, &buf);
	assert_digest(&buf, "73fb98806dc540046a1b58562320bb60bb4ffeb80ec500fd918f0808e93ae948");
	buf_deinit(&buf);
}

static void an_action_comes_back(void **state)
{
	struct arena *arena = arena_new();
	struct buf buf = BUF_INIT(4096), again = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct action back;
	struct full f;

	(void)state;
	full_fill(&f);
	action_encode(&f.action, &buf);
	must(action_decode(arena, buf_str(&buf), &back, &err), &err);
	assert_int_equal(back.n_argv, 4);
	assert_string_equal(back.argv[3], "x y.c");
	assert_string_equal(back.env[1].name, "EMPTY");
	assert_string_equal(back.env[1].value, "");
	assert_string_equal(back.workdir, "src");
	assert_string_equal(back.outputs[1].path, "prof");
	assert_string_equal(back.outputs[1].exclude[0], "*.log");
	assert_true(back.outputs[1].non_empty);
	assert_null(back.builtin);
	assert_true(back.fixed_addresses);
	assert_int_equal(back.exit_codes[1], 300);
	assert_string_equal(back.reject[0], "BOLT-ERROR");
	assert_memory_equal(back.image, &f.image, sizeof(f.image));
	assert_memory_equal(back.input_root, &f.root, sizeof(f.root));
	action_encode(&back, &again);
	assert_true(str_same(buf_str(&buf), buf_str(&again)));
	buf_deinit(&buf);
	buf_deinit(&again);
	arena_free(arena);
}

static void refused(const struct buf *buf, const char *why)
{
	struct action action = { .n_argv = 77 };
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;

	assert_int_equal(action_decode(arena, buf_str(buf), &action, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, why);
	assert_int_equal(action.n_argv, 77);
	arena_free(arena);
}

static void what_no_encoder_makes_is_refused(void **state)
{
	struct buf buf = BUF_INIT(4096);
	struct full f;
	char *at;

	(void)state;
	full_fill(&f);
	action_encode(&f.action, &buf);
	at = memmem(buf.p, buf.n, "bin/x", 5);
	memcpy(at, "../ab", 5);
	refused(&buf, "an output");
	memcpy(at, "zin/x", 5);
	refused(&buf, "not canonical"); /* outputs out of order */
	memcpy(at, "bin/x", 5);
	at = memmem(buf.p, buf.n, "EMPTY", 5);
	memcpy(at, "Z", 1);
	refused(&buf, "not sorted");
	memcpy(at, "E", 1);
	buf_add(&buf, "\x60\x01", 2); /* field 12 */
	refused(&buf, "not canonical");
	buf.n -= 3;
	refused(&buf, "corrupt");
	buf_clear(&buf);
	refused(&buf, "input root");
	buf_deinit(&buf);
}

static void a_result_comes_back(void **state)
{
	struct tree_node exe = { .name = "", .kind = NODE_FILE, .executable = true, .ref.size = 1 };
	struct tree_node dir = { .name = "", .kind = NODE_DIR };
	struct tree_node link = { .name = "", .kind = NODE_LINK, .target = "a.out" };
	struct result_output outputs[] = { { "ln", &link }, { "dir", &dir }, { "a.out", &exe } };
	struct result back, result = { .exit_code = 2,
		                       .outputs = outputs,
		                       .n_outputs = 3,
		                       .out.size = 3,
		                       .log.size = 3,
		                       .wall_us = 1234567,
		                       .user_us = 1000,
		                       .system_us = 2000,
		                       .peak_bytes = 1 << 30,
		                       .started_us = 1735689600000000 };
	struct arena *arena = arena_new();
	struct buf buf = BUF_INIT(4096);
	struct err err = ERR_INIT;

	(void)state;
	digest_of("x", 1, &exe.ref.digest);
	tree_empty_ref(&dir.ref);
	digest_of("out", 3, &result.out.digest);
	digest_of("log", 3, &result.log.digest);
	result_encode(&result, &buf);
	assert_int_equal(buf.n, 340);
	assert_digest(&buf, "0c335c4d4c5be1d76bee66b8f15e6d0f4f74a62ebcd68ca77f24bf8c284a557e");
	must(result_decode(arena, buf_str(&buf), &back, &err), &err);
	assert_int_equal(back.exit_code, 2);
	assert_int_equal(back.n_outputs, 3);
	assert_string_equal(back.outputs[0].path, "a.out");
	assert_true(back.outputs[0].node->executable);
	assert_int_equal(back.outputs[1].node->kind, NODE_DIR);
	assert_string_equal(back.outputs[2].node->target, "a.out");
	assert_memory_equal(&back.log, &result.log, sizeof(back.log));
	assert_int_equal(back.started_us, 1735689600000000);
	assert_memory_equal(&back.times, &result.times, sizeof(back.times));
	result.times = (struct blob_ref){ { { 7 } }, 99 };
	buf_clear(&buf);
	result_encode(&result, &buf);
	must(result_decode(arena, buf_str(&buf), &back, &err), &err);
	assert_memory_equal(&back.times, &result.times, sizeof(back.times));
	buf_deinit(&buf);
	arena_free(arena);
}

static void an_empty_result_is_nothing(void **state)
{
	struct result back, result = { 0 };
	struct arena *arena = arena_new();
	struct buf buf = BUF_INIT(4096);
	struct err err = ERR_INIT;

	(void)state;
	result_encode(&result, &buf);
	assert_int_equal(buf.n, 0);
	must(result_decode(arena, buf_str(&buf), &back, &err), &err);
	assert_true(digest_is_none(&back.log.digest));
	buf_add(&buf, "\x08\x80\x00", 3); /* exit code 0 in two bytes */
	assert_int_equal(result_decode(arena, buf_str(&buf), &back, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	buf_deinit(&buf);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field),
		cmocka_unit_test(order_in_sets_does_not_matter),
		cmocka_unit_test(a_builtin),
		cmocka_unit_test(negative_exit_codes),
		cmocka_unit_test(an_action_comes_back),
		cmocka_unit_test(what_no_encoder_makes_is_refused),
		cmocka_unit_test(a_result_comes_back),
		cmocka_unit_test(an_empty_result_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
