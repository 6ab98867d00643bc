/* The profiler probe: what it answers, and in which words. */
#include "profile/probe.h"

#include <errno.h>

#include "base/str.h"
#include "unit/support.h"

static void each_fault_has_its_words(void **state)
{
	static const struct {
		int fault;
		const char *words;
	} cases[] = {
		{ EACCES, "perf_event_paranoid" },      { EPERM, "perf_event_paranoid" },
		{ EOPNOTSUPP, "has no branch stacks" }, { ENOENT, "no hardware counters" },
		{ ENOSYS, "cannot be taken here" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_contains(profiler_sentence(cases[i].fault), cases[i].words);
		assert_true(str_starts(profiler_sentence(cases[i].fault), "no samples: "));
	}
	assert_string_equal(profiler_sentence(0), "branch stacks can be sampled");
}

/* Whatever this machine has: the answer and its words agree. */
static void the_answer_and_its_words_agree(void **state)
{
	const char *words = NULL;
	bool can = profiler_probe(&words);

	(void)state;
	assert_non_null(words);
	assert_int_equal(can, str_eq(words, profiler_sentence(0)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_has_its_words),
		cmocka_unit_test(the_answer_and_its_words_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
