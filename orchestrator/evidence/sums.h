#ifndef KILN_EVIDENCE_SUMS_H
#define KILN_EVIDENCE_SUMS_H

#include "base/array.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

/* SHA256SUMS as `sha256sum -c` reads it: "HEX  NAME\n", sorted by name. */
struct sums_line {
	char *file;
	struct digest digest;
};

struct sums {
	ARRAY(struct sums_line) lines;
};

void sums_deinit(struct sums *sums);
/* Adds in any order; sums_write sorts. */
void sums_add(struct sums *sums, const char *file, const struct digest *digest);
void sums_write(struct sums *sums, struct buf *buf);
/*
 * Reads strictly: exactly that form, names as manifest_name_ok() allows, sorted, none twice. Any
 * other byte is ERR_INPUT naming the line.
 */
int sums_read(const char *text, size_t n, struct sums *ret, struct err *err);
/* The digest of a file, or NULL. */
const struct digest *sums_find(const struct sums *sums, const char *file);

#endif
