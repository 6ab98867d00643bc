#ifndef KILN_IMAGE_SECTION_H
#define KILN_IMAGE_SECTION_H

#include "external/json.h"
#include "image/definition.h"
#include "source/deb.h"

/*
 * What the lock says about one image on one build architecture:
 *   {"tree":"sha256:…", "container":"sha256:…", "suite":"trixie", "resolved":"20260131T142703Z",
 *    "packages":[{"name","version","architecture","sha256","size"}],
 *    "files":[{…the same…, "path", "to"}]}
 * `packages` is what is installed, sorted; `files` are single files out of other packages, in the
 * definition's order. `resolved` is when the archive was asked (UTC): a snapshot archive of that time
 * still has what a mirror may have dropped. No address appears in it.
 */
struct image_section {
	struct digest tree; /* none: not built yet */
	struct digest container;
	char *resolved; /* NULL in locks that do not say it */
	struct debs packages;
	struct debs files; /* one for each of the definition's files */
};

void image_section_deinit(struct image_section *section);
/* `what` names the document in errors ("kiln.lock: images.trixie.amd64"). Without a definition only
 * the section's own form is checked. */
int image_section_read(struct image_section *ret, const struct image_definition *definition,
                       const json_t *json, const char *what, struct err *err);
json_t *image_section_write(const struct image_section *section,
                            const struct image_definition *definition);
/*
 * Keeps of `packages` what dpkg's status file says is installed; a package in the status that the
 * section lacks is ERR_BUG (nothing else was there to install).
 */
int image_section_installed(struct image_section *section, struct str status, struct err *err);

#endif
