/* License expressions: any text is one or has a fault that is said; what is taken, SPDX documents can
 * hold. */
#include "model/spdx.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = str_dup_n((const char *)data, size);
	const char *fault = spdx_fault(text);

	if (fault) {
		bug_on(!fault[0]);
		return 0;
	}
	/* Nothing but its alphabet came through, and an operator never ends it. */
	bug_on(text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	                         "-.+:() ")] != '\0');
	bug_on(str_ends(text, " AND") || str_ends(text, " OR") || str_ends(text, " WITH"));
	return 0;
}
