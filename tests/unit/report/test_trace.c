/* Traces: an array of events that whatever reads the format finds whole. */
#include "base/str.h"
#include "external/json.h"
#include "fakes/scene.h"

static json_t *parsed(struct scene *s)
{
	json_t *json = NULL;
	struct err err = ERR_INIT;

	must(json_parse(buf_text(&s->taken.text), s->taken.text.n, "the trace", &json, &err), &err);
	assert_true(json_is_array(json));
	return json;
}

/* The n-th event of a kind of the format ("X", "i", "M", "C"). */
static json_t *nth(const json_t *trace, const char *phase, size_t n)
{
	json_t *event;
	size_t i;

	json_array_foreach (trace, i, event)
		if (str_eq(json_str_or(event, "ph", ""), phase) && n-- == 0)
			return event;
	fail_msg("there is no such event \"%s\"", phase);
	return NULL;
}

static size_t count(const json_t *trace, const char *phase)
{
	json_t *event;
	size_t i, n = 0;

	json_array_foreach (trace, i, event)
		n += str_eq(json_str_or(event, "ph", ""), phase);
	return n;
}

static json_int_t number(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static void begin(struct scene *s)
{
	scene_init(s, "trace");
	fixture_pipeline(&s->f);
	fixture_must_plan(&s->f);
	EVENT(s, EVENT_BEGIN, NULL, 0);
}

static void stages_that_run_at_once_have_rows_of_their_own(void **state)
{
	struct scene s;
	json_t *trace, *first, *second, *third;

	(void)state;
	begin(&s);
	EVENT(&s, EVENT_START, "t/plain/build", 0);
	EVENT(&s, EVENT_START, "t/shared/counted", 0);
	EVENT(&s, EVENT_DONE, "t/plain/build", .action = fixture_digest("x"));
	EVENT(&s, EVENT_START, "t/plain/hold", 0);
	EVENT(&s, EVENT_FAILED, "t/shared/counted", .why = "exit status 2");
	EVENT(&s, EVENT_DONE, "t/plain/hold", 0);
	EVENT(&s, EVENT_END, NULL, 0);
	trace = parsed(&s);
	assert_int_equal(count(trace, "X"), 3);
	first = nth(trace, "X", 0), second = nth(trace, "X", 1), third = nth(trace, "X", 2);
	assert_string_equal(json_str_or(first, "name", ""), "t/plain/build");
	assert_string_equal(json_str_or(first, "cat", ""), "done");
	assert_string_equal(json_str_or(second, "cat", ""), "failed");
	assert_string_equal(json_str_or(json_object_get(second, "args"), "why", ""),
	                    "exit status 2");
	assert_int_equal(number(first, "tid"), 1);
	assert_int_equal(number(second, "tid"), 2);
	/* The row of the first is free again. */
	assert_int_equal(number(third, "tid"), 1);
	assert_true(number(first, "ts") >= 0 && number(first, "dur") >= 0);
	assert_true(number(third, "ts") >= number(first, "ts") + number(first, "dur"));
	/* Each row has its name, once. */
	assert_int_equal(count(trace, "M"), 1 + 2);
	json_decref(trace);
	scene_deinit(&s);
}

static void what_did_not_run_leaves_no_bar(void **state)
{
	struct scene s;
	json_t *trace;

	(void)state;
	begin(&s);
	EVENT(&s, EVENT_CACHED, "t/plain/build", .action = fixture_digest("x"));
	EVENT(&s, EVENT_WAIT, "t/shared/counted", .action = fixture_digest("y"));
	EVENT(&s, EVENT_SKIPPED, "t/plain/hold", 0);
	EVENT(&s, EVENT_END, NULL, 0);
	trace = parsed(&s);
	assert_int_equal(count(trace, "X"), 0);
	assert_int_equal(count(trace, "i"), 2);
	assert_string_equal(json_str_or(nth(trace, "i", 1), "cat", ""), "waits for another kiln");
	json_decref(trace);
	scene_deinit(&s);
}

static void one_that_was_ended_while_it_ran(void **state)
{
	struct scene s;
	json_t *trace;

	(void)state;
	begin(&s);
	EVENT(&s, EVENT_START, "t/plain/build", 0);
	EVENT(&s, EVENT_SKIPPED, "t/plain/build", 0);
	EVENT(&s, EVENT_END, NULL, 0);
	trace = parsed(&s);
	assert_string_equal(json_str_or(nth(trace, "X", 0), "cat", ""), "cancelled");
	json_decref(trace);
	scene_deinit(&s);
}

/* A run that is killed ends without a word: every line before is whole. */
static void a_trace_without_its_end(void **state)
{
	struct scene s;
	json_t *trace;

	(void)state;
	begin(&s);
	EVENT(&s, EVENT_START, "t/plain/build", 0);
	assert_true(str_starts(buf_text(&s.taken.text), "[\n{"));
	assert_true(str_ends(buf_text(&s.taken.text), "}\n"));
	buf_add_str(&s.taken.text, "]");
	trace = parsed(&s);
	json_decref(trace);
	scene_deinit(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_that_run_at_once_have_rows_of_their_own),
		cmocka_unit_test(what_did_not_run_leaves_no_bar),
		cmocka_unit_test(one_that_was_ended_while_it_ran),
		cmocka_unit_test(a_trace_without_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
