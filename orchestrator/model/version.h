#ifndef KILN_MODEL_VERSION_H
#define KILN_MODEL_VERSION_H

#include <stdbool.h>
#include <stddef.h>

/*
 * One grammar of versions: Semantic Versioning 2.0.0 with one to six numbers, so that calendar
 * versions (2026.01, 2026.1.15) are versions too; a number may have leading zeros, as calendars do.
 *   VERSION = NUMBER {"." NUMBER} ["-" WORD {"." WORD}] ["+" WORD {"." WORD}]
 * Behind "-" stands a pre-release, which is older than the version without; what stands behind "+"
 * says nothing about order.
 */

/* NULL, or what is wrong: static words that go on after the text ("it is no version: …"). */
const char *version_fault(const char *text);
/* The order of two versions (semver.org, 11): below, 0, above. Both must be versions. */
int version_cmp(const char *a, const char *b);
/*
 * What a tree is that lies `distance` commits behind a version: newer than it, older than any that
 * could be released next. "1.4.0" gives "1.4.1-dev.7+gabc1234", "1.0.0-rc.1" gives
 * "1.0.0-rc.1.dev.7+gabc1234". `dirty`: it has changes that are in no commit, ".dirty" at the end.
 * Caller frees.
 */
char *version_snapshot(const char *version, unsigned long distance, const char *commit, bool dirty);

#endif
