#ifndef KILN_MODEL_TRIPLE_H
#define KILN_MODEL_TRIPLE_H

#include <stdbool.h>

/*
 * A target triple: ARCH-VENDOR-OS[-ENV][.GLIBC], "x86_64-unknown-linux-gnu.2.28". The part behind
 * the point is the oldest glibc the result may need; only linux-gnu has one.
 */
struct triple {
	char base[64];                              /* without the glibc part; a known triple */
	char arch[24], vendor[24], os[24], env[24]; /* env may be empty */
	char glibc[16];                             /* "2.28", or empty */
};

/* False when the text names no known triple; *ret is then untouched. */
bool triple_parse(const char *text, struct triple *ret);
/* What is wrong with a text that triple_parse refuses. */
const char *triple_fault(const char *text);
/* The known triple nearest to a text, or NULL. */
const char *triple_nearest(const char *text);
/* Every known triple, sorted, NULL-ended. */
const char *const *triple_known(void);

#endif
