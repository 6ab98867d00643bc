/* Debian's control format, as mirrors and packages bring it: fields and words lie in the text. */
#include "fuzz/fuzz.h"

#include "base/alloc.h"
#include "source/deb822.h"

static void check_inside(struct str part, const uint8_t *data, size_t size)
{
	const char *from = (const char *)data;

	bug_on(part.n && (part.p < from || part.p + part.n > from + size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size };
	struct deb822 stanza = { 0 };
	struct err err = ERR_INIT;

	for (;;) {
		size_t before = rest.n;
		int rc = deb822_next(&rest, &stanza, "input", &err);

		if (rc)
			break;
		bug_on(rest.n >= before);
		for (size_t i = 0; i < stanza.fields.n; i++) {
			struct str value = stanza.fields.v[i].value, word;

			check_inside(stanza.fields.v[i].name, data, size);
			check_inside(value, data, size);
			while (deb822_word(&value, &word)) {
				bug_on(!word.n);
				check_inside(word, data, size);
			}
		}
	}
	deb822_deinit(&stanza);
	return 0;
}
