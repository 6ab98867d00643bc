/* License expressions: what the grammar of SPDX 2.3, annex D, takes and refuses. */
#include "model/spdx.h"

#include "base/str.h"
#include "unit/support.h"

static void expressions(void **state)
{
	static const char *const good[] = {
		"MIT",
		"GPL-3.0-or-later",
		"GPL-2.0+",
		"Apache-2.0 OR MIT",
		"GPL-2.0-or-later WITH Classpath-exception-2.0",
		"(MIT AND BSD-3-Clause) OR LicenseRef-own",
		"DocumentRef-spdx-tool-1.2:LicenseRef-MIT-Style-2",
		"  MIT  AND  ( Zlib )  ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (spdx_fault(good[i]))
			fail_msg("%s: %s", good[i], spdx_fault(good[i]));
}

static void other_texts(void **state)
{
	static const struct {
		const char *text, *fault;
	} bad[] = {
		{ "", "ends where a license" },
		{ "   ", "ends where a license" },
		{ "Apache 2.0", "stands AND or OR" },
		{ "MIT, BSD", "letters, digits" },
		{ "MIT and BSD", "stands AND or OR" },
		{ "MIT AND", "ends where a license" },
		{ "OR MIT", "letters, digits" },
		{ "MIT WITH", "behind WITH" },
		{ "MIT WITH AND", "behind WITH" },
		{ "(MIT", "not closed" },
		{ "MIT)", "stands AND or OR" },
		{ "()", "letters, digits" },
		{ "+", "letters, digits" },
		{ "DocumentRef-x", NULL },
		{ "DocumentRef-x:MIT", "letters, digits" },
		{ "DocumentRef-:LicenseRef-x", "letters, digits" },
		{ "x:LicenseRef-x", "letters, digits" },
		{ ":", "letters, digits" },
		{ "MIT\n", "letters, digits" },
		{ "Lizenz-\xc3\xa4", "letters, digits" },
	};
	char deep[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *fault = spdx_fault(bad[i].text);

		if (!bad[i].fault)
			assert_null(fault);
		else if (!fault || !strstr(fault, bad[i].fault))
			fail_msg("\"%s\": %s", bad[i].text, fault ? fault : "accepted");
	}
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_string_equal(spdx_fault(deep), "it is nested too deeply");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions),
		cmocka_unit_test(other_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
