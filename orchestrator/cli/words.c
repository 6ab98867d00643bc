/* The words that stand for arguments; see words.h. */
#include "cli/words.h"

#include <string.h>

#include "base/alloc.h"
#include "cli/args.h"
#include "cli/shells.h"

static const char *const builders[] = { "autotools", "cargo", "cmake", "make", "meson", NULL };
static const char *const runtimes[] = { "bwrap", "podman", "host", NULL };
static const char *const key_types[] = { "p256", "ed25519", NULL };

static const struct word words[] = {
	{ "BUILDER", WORD_SET, NULL, builders },
	{ "COMMAND", WORD_COMMAND, NULL, NULL },
	{ "DAYS", WORD_FREE, NULL, NULL },
	{ "DIGEST", WORD_FREE, NULL, NULL },
	{ "DIR", WORD_FOLDER, NULL, NULL },
	{ "FILE", WORD_FILE, NULL, NULL },
	{ "GLOB", WORD_TARGET, NULL, NULL },
	{ "HOW", WORD_SET, NULL, args_progress_words },
	{ "IMAGE", WORD_IMAGE, NULL, NULL },
	{ "N", WORD_FREE, NULL, NULL },
	{ "NAME", WORD_FREE, NULL, NULL },
	{ "NAME=VALUE", WORD_OPTION, NULL, NULL },
	{ "PUB.pem", WORD_FILE, "*.pem", NULL },
	{ "RECIPE", WORD_RECIPE, NULL, NULL },
	{ "RUNTIME", WORD_SET, NULL, runtimes },
	{ "SHELL", WORD_SET, NULL, shell_names },
	{ "SIZE", WORD_FREE, NULL, NULL },
	{ "SPEC", WORD_KEY, NULL, NULL },
	{ "STAGE", WORD_STAGE, NULL, NULL },
	{ "TYPE", WORD_SET, NULL, key_types },
	{ "URL", WORD_FREE, NULL, NULL },
	{ "VARIANT", WORD_VARIANT, NULL, NULL },
	{ "WHEN", WORD_SET, NULL, args_color_words },
	{ "WORD", WORD_FREE, NULL, NULL },
};

const struct word *words_find(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strlen(words[i].name) == n && memcmp(words[i].name, name, n) == 0)
			return &words[i];
	return NULL;
}
