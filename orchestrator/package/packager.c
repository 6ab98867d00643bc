/* The table of packagers: a new container format is one file and one line here. */
#include "package/packager.h"

#include "base/str.h"

static const char *const tar_outputs[] = { "out.tar", NULL };
static const char *const members_outputs[] = { "control.tar", "data.tar", NULL };
static const char *const ar_outputs[] = { "out.deb", NULL };

const struct packager packagers[] = {
	{ "deb-ar", 1, package_deb_ar, ar_outputs },
	{ "deb-members", 2, package_deb_members, members_outputs },
	{ "tar", 1, package_tar, tar_outputs },
	{ 0 },
};

const struct packager *packager_find(const char *name)
{
	for (const struct packager *p = packagers; p->name; p++) {
		if (str_eq(p->name, name))
			return p;
	}
	return NULL;
}
