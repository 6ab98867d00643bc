#ifndef KILN_SOURCE_APT_H
#define KILN_SOURCE_APT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "source/deb.h"

/*
 * Debian's own client, apt-get, in a private folder: own sources, own lists, an empty package
 * status. The machine's configuration is read (proxies, credentials, mirror) and never changed.
 */

struct apt_options {
	const char *scratch;              /* absolute; the private folder is made in it */
	const char *suite;                /* "trixie" */
	const char *const *architectures; /* NULL-ended, the native one first */
	bool sources;                     /* source packages instead of binary ones */
	const char *mirror;               /* an address; NULL: named by the user or the machine */
	bool old;                         /* a snapshot: its date does not matter */
	bool offline;                     /* refuse at once */
};

struct apt;

/*
 * Makes the folder and reads the archive's index (a few seconds, tens of megabytes). A dead
 * network is ERR_IO; no keyring, no apt, no mirror is ERR_MACHINE with the way on.
 */
int apt_open(const struct apt_options *options, struct log *log, struct apt **ret, struct err *err);
struct apt *apt_free(struct apt *apt); /* removes the folder */

/* What installing the essential packages and `names` into nothing would take. ERR_INPUT with
 * apt's words for an unknown package or a contradiction. Sorted. */
int apt_resolve(struct apt *apt, const char *const *names, size_t n, struct debs *ret,
                struct err *err);
/* Adds the one file behind "NAME[:ARCH][=VERSION]". */
int apt_locate(struct apt *apt, const char *spec, struct debs *ret, struct err *err);
/* Whether the index lists exactly these: ret_there[i] for debs->list.v[i]. */
int apt_lists_has(struct apt *apt, const struct debs *debs, bool *ret_there, struct err *err);
/* Downloads files into an existing folder, under names of apt's choosing. `work` is told how far it
 * is, or NULL. */
int apt_download(struct apt *apt, const char *const *specs, size_t n, const char *dir,
                 struct work *work, struct err *err);
/*
 * Downloads the files of a source package into an existing folder; "NAME" alone takes the newest.
 * A version that the archive no longer has is ERR_INPUT.
 */
int apt_download_source(struct apt *apt, const char *name, const char *version, const char *dir,
                        struct work *work, struct err *err);

#endif
