#ifndef KILN_PACKAGE_CONTROL_H
#define KILN_PACKAGE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "external/json.h"

/*
 * The control file of a Debian package from a map of fields. Package, Version, Architecture,
 * Maintainer and Description must be there; names are compared without case. Mapped to what dpkg
 * takes: Package to lower case with '-' for '_'; Version by deb_version; Architecture from a target
 * triple; a Description of several lines to dpkg's form. License, Upstream-Name and Source go to
 * the copyright file alone. Other fields pass as they are, sorted, behind the known ones.
 */
struct deb_control {
	char *package, *version, *architecture;
	char *license, *homepage, *upstream; /* for the copyright file; NULL where not given */
	struct buf text;                     /* without Installed-Size */
};

int deb_control_read(const json_t *fields, struct deb_control *ret, struct err *err);
void deb_control_deinit(struct deb_control *control);

/*
 * A version as Debian writes it: as given when dpkg would take it with its meaning; a pre-release
 * ("2.0.0-rc.1") sorts before its release ("2.0.0~rc.1"); "v" in front is cut off; a describe
 * suffix ("1.4.0-12-gab12cd") sorts behind ("1.4.0+12.gab12cd"). A number behind the
 * last dash is the Debian revision; without one it is "-1". Caller frees.
 */
int deb_version(const char *version, char **ret, struct err *err);
/* dpkg's name of a target triple's or architecture's machine, or NULL where it has none. */
const char *deb_architecture(const char *triple);

#endif
