/* Build files of strangers: whatever they hold, reading ends, words are whole and texts are finite. */
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "fuzz/fuzz.h"
#include "survey/calls.h"
#include "survey/license.h"
#include "survey/makefile.h"

static void read_calls(struct arena *arena, const char *text,
                       void (*read)(struct arena *, const char *, struct calls *))
{
	struct calls calls = { 0 };
	size_t words = 0;

	read(arena, text, &calls);
	for (size_t i = 0; i < calls.n; i++) {
		bug_on(!calls.v[i].name || !calls.v[i].name[0]);
		for (size_t k = 0; k < calls.v[i].n_args; k++)
			bug_on(!calls.v[i].args[k]);
		words += calls.v[i].n_args;
	}
	/* Calls within calls count on their own; more words than bytes there cannot be. */
	bug_on(words > strlen(text) + 1);
	calls_deinit(&calls);
}

static void read_makefile(struct arena *arena, const char *text)
{
	struct makefile m = { 0 };

	makefile_read(arena, text, &m);
	for (size_t i = 0; i < m.rules.n; i++) {
		const char *targets = makefile_expand(&m, m.rules.v[i].targets, NULL), *word;

		while ((word = makefile_word(&m, &targets)) != NULL)
			bug_on(!word[0] || strpbrk(word, " \t\n"));
		for (size_t k = 0; k < m.rules.v[i].recipe.n; k++)
			bug_on(!makefile_expand(&m, m.rules.v[i].recipe.v[k], "all"));
	}
	makefile_deinit(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = str_dup_n((const char *)data, size);
	struct arena *arena = arena_new();

	read_calls(arena, text, calls_read_cmake);
	read_calls(arena, text, calls_read_meson);
	read_makefile(arena, text);
	(void)license_of_text(text, false);
	arena_free(arena);
	return 0;
}
