#ifndef KILN_PACKAGE_MEMBERS_H
#define KILN_PACKAGE_MEMBERS_H

#include "base/array.h"
#include "external/archive.h"
#include "external/json.h"

/* What a package holds: the files, folders and links below a folder, sorted by path. */
struct package_member {
	char *path; /* tree path below the folder */
	enum archive_kind kind;
	unsigned int mode;
	uint64_t size;
	char *link; /* links: the text */
};

struct package_members {
	ARRAY(struct package_member) list;
};

/*
 * Reads the folder `dir` below dirfd without following links. `modes` (may be NULL) maps paths to
 * "0644" or "0755"; a path that is not there is ERR_INPUT. Links must stay below `root`, a folder
 * inside ("" for all of it).
 */
int package_members_read(int dirfd, const char *dir, const json_t *modes, const char *root,
                         struct package_members *ret, struct err *err);
void package_members_deinit(struct package_members *members);

/* Who is to read the archive. */
enum members_reader {
	MEMBERS_ANY,  /* every tar of today */
	MEMBERS_DPKG, /* long names in GNU's way alone: deb(5) */
};

/*
 * Writes them as a tar archive `out` below dirfd, reading file contents from `dir`. `prefix` goes
 * in front of each name ("" or "./"); "./" also gives a first member "./". The format is plain
 * ustar, and where that cannot hold some member one that the reader knows.
 */
int package_members_tar(int dirfd, const char *dir, const struct package_members *members,
                        const char *prefix, int64_t epoch, enum members_reader reader,
                        const char *out, struct err *err);

#endif
