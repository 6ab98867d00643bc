#ifndef KILN_SOURCE_MIRROR_H
#define KILN_SOURCE_MIRROR_H

#include "base/array.h"
#include <stdbool.h>

#include "base/err.h"

/*
 * Where this machine gets Debian from: read out of its apt configuration, never written anywhere.
 * Which archive answers does not matter to content: apt checks signatures, Kiln checks digests.
 */
struct mirrors {
	ARRAY(char *) uris; /* the likeliest first, no duplicates */
};

void mirrors_deinit(struct mirrors *mirrors);
#define _cleanup_mirrors_ _cleanup_(mirrors_deinit)

/*
 * The archives that apt's sources below `etc` ("/etc/apt": sources.list, sources.list.d/) name and
 * that may serve a Debian suite: those that list the suite itself, then those of other Debian
 * suites. None is no error. A file that cannot be understood is passed over, as apt warns there.
 */
int mirrors_of_machine(const char *etc, const char *suite, struct mirrors *ret, struct err *err);
/* The one a user named: `mirror` when not NULL, else KILN_DEBIAN_MIRROR, else NULL. */
const char *mirror_named(const char *mirror);
/*
 * The address of a snapshot time ("20250901T000000Z") in the archive that KILN_DEBIAN_SNAPSHOT
 * names ("https://…/archive"); NULL where none is configured. Caller frees.
 */
char *mirror_snapshot(const char *distribution, const char *time);
/* Whether a path can stand in a line of apt's sources: no blank, and no sign that means something
 * there. */
bool mirror_is_word(const char *path);
/* The keyring of Debian's archive: KILN_DEBIAN_KEYRING or where Debian's package puts it. Caller
 * frees. ERR_MACHINE with the line to type where there is none, ERR_USAGE for a path that apt cannot
 * be told. */
int mirror_keyring(char **ret, struct err *err);

#endif
