#ifndef KILN_PACKAGE_PACKAGER_H
#define KILN_PACKAGE_PACKAGER_H

#include <stdint.h>

#include "external/json.h"

/*
 * Packagers write containers: same inputs and parameters, same bytes, under any user, umask,
 * locale and time zone. They read and write below one folder, the work folder of an action, follow
 * no symlink in it, and compress nothing (the image's own tools do). What a package would hold is
 * laid out below `tree/`, or below `members/` for an archive of archives.
 *
 * Parameters (kiln.json; NULL where there is none):
 *   tar@1          tree/ROOT/… → out.tar; {"root": ROOT, "modes": {"ROOT/bin/x": "0755"}}
 *   deb-members@2  tree/… (as below /) → control.tar, data.tar;
 *                  {"control": {"Package": …, "Version": …}, "modes": {"usr/bin/x": "0755"}}
 *   deb-ar@1       members/control.tar[.EXT], members/data.tar[.EXT] → out.deb
 *
 * Members are sorted by path; owners are 0/0, times `epoch`, modes 0755 for folders and executable
 * files and 0644 else, unless "modes" says otherwise. A link that leaves the tree, an empty tree
 * and anything that is neither file, folder nor link is ERR_INPUT.
 */
struct packager {
	const char *name;
	int version; /* rises when the bytes change */
	int (*run)(int dirfd, const json_t *parameters, int64_t epoch, struct err *err);
	const char *const *outputs; /* NULL-ended */
};

/* Sorted by name, ended by a NULL name. */
extern const struct packager packagers[];

const struct packager *packager_find(const char *name);

int package_tar(int dirfd, const json_t *parameters, int64_t epoch, struct err *err);
int package_deb_members(int dirfd, const json_t *parameters, int64_t epoch, struct err *err);
int package_deb_ar(int dirfd, const json_t *parameters, int64_t epoch, struct err *err);

#endif
