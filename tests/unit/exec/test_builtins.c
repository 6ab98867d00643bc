/*
 * What Kiln itself runs in a sandbox: the smoke test's comparison, and the packagers. Runs as whoever
 * calls it: root or a plain user.
 */
#include "unit/support.h"

#include "base/str.h"
#include "fakes/lab.h"

static void smoke(struct lab *lab, const char *ref, const char *cand, const char *filters,
                  struct exec_completion *ret)
{
	_cleanup_free_ char *params =
		str_fmt("{\"cases\":[{\"name\":\"one\",\"reference\":\"r\",\"candidate\":\"c\","
	                "\"filters\":[%s]}],\"label\":\"this against that\"}",
	                filters);
	struct lab_input inputs[] = { { "kiln.json", params }, { "r", ref }, { "c", cand } };
	struct action_output output = { .path = "smoke.json" };
	struct action a = { .builtin = "smoke@2", .outputs = &output, .n_outputs = 1 };

	lab_compose(lab, inputs, 3, &a);
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, ret);
	if (ret->status == EXEC_BROKEN)
		fail_msg("%s; %s", ret->err.cause, ret->err.hint);
}

static void smoke_cases(struct lab *lab, const char *cases, struct exec_completion *ret)
{
	_cleanup_free_ char *params = str_fmt("{\"cases\":[%s]}", cases);
	struct lab_input inputs[] = { { "kiln.json", params },
		                      { "a", "a\nb\n" },
		                      { "noisy", "a\nb\nat 12:30\n" } };
	struct action_output output = { .path = "smoke.json" };
	struct action a = { .builtin = "smoke@2", .outputs = &output, .n_outputs = 1 };

	lab_compose(lab, inputs, 3, &a);
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, ret);
}

/* printf 'a\nb\n' | sha256sum */
#define DIGEST_AB "911169ddaaf146aff539f58c26c489af3b892dff0fe283c1c264c65ae5aa59a2"
#define AT_TIME "\"filters\":[{\"drop_lines\":\"at *\"}]"

static void smoke_compares_with_what_is_pinned(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	smoke_cases(lab, "{\"name\":\"x\",\"candidate\":\"a\",\"expected\":\"" DIGEST_AB "\"}", &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_string_equal(lab_text(lab, &c.result.outputs[0].node->ref),
	                    "{\"cases\":{\"x\":\"" DIGEST_AB "\"}}");
	smoke_cases(lab,
	            "{\"name\":\"x\",\"candidate\":\"noisy\"," AT_TIME ",\"expected\":\"" DIGEST_AB
	            "\"}",
	            &c);
	assert_int_equal(c.status, EXEC_OK);
	smoke_cases(lab, "{\"name\":\"x\",\"candidate\":\"noisy\",\"expected\":\"" DIGEST_AB "\"}",
	            &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "'x' prints something else than the verdict"));
	assert_non_null(strstr(c.why, DIGEST_AB));
	smoke_cases(lab, "{\"name\":\"x\",\"candidate\":\"a\",\"expected\":\"0\"}", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "no SHA-256"));
	smoke_cases(lab, "{\"name\":\"x\",\"candidate\":\"a\"}", &c);
	assert_int_equal(c.status, EXEC_FAILED);
}

static void smoke_refuses_what_proves_nothing(void **state)
{
	static const char *const cases[][2] = {
		{ "", "a smoke stage without cases proves nothing" },
		{ "{\"name\":\"x\",\"candidate\":\"a\",\"reference\":\"a\"},"
		  "{\"name\":\"x\",\"candidate\":\"a\",\"reference\":\"a\"}",
		  "two smoke cases are named" },
		{ "{\"name\":\"x\",\"candidate\":\"a\",\"reference\":\"a\",\"filters\":[{}]}",
		  "a smoke filter needs either 'drop_lines' or 'regex'" },
		{ "{\"name\":\"x\",\"candidate\":\"a\",\"reference\":\"a\",\"filters\":"
		  "[{\"regex\":\"(\",\"replace\":\"\"}]}",
		  "the smoke filter's regex '(' is wrong" },
	};
	struct lab *lab = *state;
	struct exec_completion c;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		smoke_cases(lab, cases[i][0], &c);
		assert_int_equal(c.status, EXEC_FAILED);
		if (!strstr(c.why, cases[i][1]))
			fail_msg("\"%s\" lacks \"%s\"", c.why, cases[i][1]);
	}
}

/* What varies in one case does not excuse another. */
static void smoke_filters_are_the_cases_own(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	smoke_cases(lab,
	            "{\"name\":\"x\",\"candidate\":\"noisy\",\"reference\":\"a\"," AT_TIME
	            "},{\"name\":\"y\",\"candidate\":\"noisy\",\"reference\":\"a\"}",
	            &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "'y' differs at line 3"));
}

static void smoke_compares(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	smoke(lab, "a\nb\n", "a\nb\n", "", &c);
	if (c.status != EXEC_OK)
		fail_msg("%s", c.why);
	/* printf 'a\nb\n' | sha256sum */
	assert_string_equal(lab_text(lab, &c.result.outputs[0].node->ref),
	                    "{\"cases\":{\"one\":\"911169ddaaf146aff539f58c26c489af3b892dff0fe283c1"
	                    "c264c65ae5aa59a2\"}}");
	smoke(lab, "a\nb\nc\n", "a\nx\nc\n", "", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "'one' differs at line 2 (this against that)"));
	assert_non_null(strstr(c.why, "reference: b"));
	assert_non_null(strstr(c.why, "candidate: x"));
	assert_non_null(strstr(lab_text(lab, &c.result.log), "add a filter"));
	smoke(lab, "a\nb\n", "a\n", "", &c);
	assert_non_null(strstr(c.why, "ends after line 1"));
	smoke(lab, "a\n", "a", "", &c);
	assert_non_null(strstr(c.why, "no newline"));
	smoke(lab, "at /x/1 of day 12:30\nrest\n", "noise /y/2\nrest\n",
	      "{\"drop_lines\":\"*/[xy]/*\"}", &c);
	assert_int_equal(c.status, EXEC_OK);
	smoke(lab, "took 12 ms, 3 s\n", "took 7 ms, 44 s\n",
	      "{\"regex\":\"([0-9]+) (m?s)\",\"replace\":\"N \\\\2\"}", &c);
	assert_int_equal(c.status, EXEC_OK);
	smoke(lab, "", "", "{\"regex\":\"(\"}", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "regex"));
}

/* Nothing of a line moves the cursor of whoever reads about it. */
static void smoke_shows_lines_harmlessly(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	smoke(lab, "one\n",
	      "t\x7fwo\xc2\x9b"
	      "31m \xe2\x80\xae back\n",
	      "", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "candidate: t\\x7fwo\\xc2\\x9b31m \\xe2\\x80\\xae back"));
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SANITIZED)
#define SANITIZED
#endif

/* Work grows with the length of a line, not with its square; a long glob counts to its end. */
static void smoke_takes_long_lines(void **state)
{
#ifdef SANITIZED
	enum { LONG = 100000, GLOB = 70000 }; /* its own regexec looks for the end each time */
#else
	enum { LONG = 4 << 20, GLOB = 70000 };
#endif
	struct lab *lab = *state;
	char *ref = alloc(LONG + 2), *cand = alloc(LONG + 2), *glob = alloc(GLOB + 100);
	struct exec_completion c;

	for (size_t i = 0; i < LONG; i++) {
		ref[i] = i % 2 ? ' ' : '1';
		cand[i] = i % 2 ? ' ' : '2';
	}
	smoke(lab, ref, cand, "{\"regex\":\"[0-9]+\",\"replace\":\"N\"}", &c);
	if (c.status != EXEC_OK)
		fail_msg("%s", c.why);
	/* The line is GLOB bytes and differs behind them: the glob does not match it. */
	memset(ref, 'x', GLOB);
	strcpy(ref + GLOB, "a\n");
	memset(cand, 'x', GLOB);
	strcpy(cand + GLOB, "b\n");
	sprintf(glob, "{\"drop_lines\":\"%.*sb*\"}", GLOB, cand);
	smoke(lab, ref, cand, glob, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "differs at line 1"));
	sprintf(glob, "{\"drop_lines\":\"%.*s[ab]*\"}", GLOB, cand);
	smoke(lab, ref, cand, glob, &c);
	assert_int_equal(c.status, EXEC_OK);
	free(ref);
	free(cand);
	free(glob);
}

static void tar_is_made_inside(void **state)
{
	struct lab *lab = *state;
	struct lab_input inputs[] = { { "kiln.json", "{\"modes\":{},\"root\":\"x-1\"}" },
		                      { "tree/x-1/bin/x", "content\n" } };
	struct action_output output = { .path = "out.tar", .non_empty = true };
	struct action a = { .builtin = "tar@1", .outputs = &output, .n_outputs = 1 };
	struct exec_completion c;

	lab_compose(lab, inputs, 2, &a);
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, &c);
	if (c.status != EXEC_OK)
		fail_msg("%s %s", c.why, c.err.cause);
	assert_true(c.result.outputs[0].node->ref.size >= 1536);
	a.env = (struct action_env[]){ { "SOURCE_DATE_EPOCH", "soon" } };
	a.n_env = 1;
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, &c);
	assert_string_equal(c.why, "SOURCE_DATE_EPOCH is no time: soon");
	a.env = (struct action_env[]){ { "SOURCE_DATE_EPOCH", "" } };
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, &c);
	assert_string_equal(c.why, "packaging needs SOURCE_DATE_EPOCH");
	a.env = NULL;
	a.n_env = 0;
	inputs[1].at = "tree/wrong/bin/x";
	lab_compose(lab, inputs, 2, &a);
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	inputs[1].at = "tree/x-1/bin/x";
	lab_compose(lab, &inputs[1], 1, &a);
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_string_equal(c.why, "kiln.json is missing");
	a.builtin = "no-such@1";
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_string_equal(c.err.cause, "this Kiln has no builtin no-such@1");
	a.builtin = NULL;
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_non_null(strstr(c.err.cause, " runs nothing: argv is empty"));
}

/* deb-ar takes members and nothing else. */
static void deb_is_made_inside(void **state)
{
	struct lab *lab = *state;
	struct lab_input inputs[] = { { "members/control.tar", "control" },
		                      { "members/data.tar", "data" } };
	struct action_output output = { .path = "out.deb", .non_empty = true };
	struct action a = { .builtin = "deb-ar@1", .outputs = &output, .n_outputs = 1 };
	struct exec_completion c;

	lab_compose(lab, inputs, 2, &a);
	lab_submit(lab, &a, 10000, 1);
	lab_wait(lab, &c);
	if (c.status != EXEC_OK)
		fail_msg("%s %s", c.why, c.err.cause);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smoke_compares),
		cmocka_unit_test(smoke_refuses_what_proves_nothing),
		cmocka_unit_test(smoke_compares_with_what_is_pinned),
		cmocka_unit_test(smoke_filters_are_the_cases_own),
		cmocka_unit_test(smoke_shows_lines_harmlessly),
		cmocka_unit_test(smoke_takes_long_lines),
		cmocka_unit_test(tar_is_made_inside),
		cmocka_unit_test(deb_is_made_inside),
	};

	return cmocka_run_group_tests_name("exec/builtins", tests, lab_setup, lab_teardown);
}

int main(void)
{
	return lab_main(run);
}
