/* When lines came: marks are in order and few, and come back as they were. */
#include "model/times.h"

#include "base/str.h"
#include "unit/support.h"

static void marks_keep_their_distance(void **state)
{
	struct times t = { 0 };

	(void)state;
	times_note(&t, 0, 5);
	times_note(&t, 10, 9000); /* too near */
	times_note(&t, 20, 10005);
	times_note(&t, 30, 500000);
	assert_int_equal(t.marks.n, 3);
	assert_int_equal(times_at(&t, 0), 5);
	assert_int_equal(times_at(&t, 19), 5);
	assert_int_equal(times_at(&t, 20), 10005);
	assert_int_equal(times_at(&t, 29), 10005);
	assert_int_equal(times_at(&t, 1000), 500000);
	times_deinit(&t);
	assert_int_equal(times_at(&t, 7), 0);
}

/* A stage that prints for days has no more of them, and all of its time is told. */
static void there_are_never_too_many(void **state)
{
	struct times t = { 0 };

	(void)state;
	for (int64_t i = 0; i < 100000; i++)
		times_note(&t, (uint64_t)i, i * 10000);
	assert_true(t.marks.n > TIMES_MOST / 4 && t.marks.n <= TIMES_MOST);
	for (size_t i = 1; i < t.marks.n; i++)
		assert_true(t.marks.v[i].at > t.marks.v[i - 1].at &&
		            t.marks.v[i].us > t.marks.v[i - 1].us);
	assert_int_equal(t.marks.v[0].at, 0);
	assert_true(times_at(&t, 99999) > (int64_t)99000 * 10000);
	times_deinit(&t);
}

static void they_come_back(void **state)
{
	struct times out = { 0 }, log = { 0 }, back[2] = { 0 };
	struct buf text = BUF_INIT(1 << 20), again = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	(void)state;
	times_note(&out, 0, 7);
	times_note(&out, 1000000000000, 80000);
	times_write(&out, &log, &text);
	assert_string_equal(buf_text(&text), "{\"schema\":\"kiln.times/1\",\"stderr\":[],"
	                                     "\"stdout\":[[0,7],[1000000000000,80000]]}");
	must(times_read(buf_str(&text), &back[0], &back[1], &err), &err);
	times_write(&back[0], &back[1], &again);
	assert_string_equal(buf_text(&again), buf_text(&text));
	for (int i = 0; i < 2; i++)
		times_deinit(&back[i]);
	times_deinit(&out);
	buf_deinit(&text);
	buf_deinit(&again);
}

static void what_is_none_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"{}",
		"[]",
		"{\"stdout\":[],\"stderr\":1}",
		"{\"stdout\":[[1]],\"stderr\":[]}",
		"{\"stdout\":[[1,\"2\"]],\"stderr\":[]}",
		"{\"stdout\":[[-1,2]],\"stderr\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct times out = { 0 }, log = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(times_read(str_of(wrong[i]), &out, &log, &err), -1);
		assert_int_equal(err.code, ERR_IO);
		assert_int_equal(out.marks.n + log.marks.n, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_keep_their_distance),
		cmocka_unit_test(there_are_never_too_many),
		cmocka_unit_test(they_come_back),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
