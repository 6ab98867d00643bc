/* The table of builtins: a new one is a file and a line here. */
#include "exec/builtin.h"

#include <stdlib.h>
#include <string.h>

const struct builtin *const builtins[] = {
	&builtin_deb_ar,
	&builtin_deb_members,
	&builtin_smoke,
	&builtin_tar,
	NULL,
};

const struct builtin *builtin_find(const char *name_at_version)
{
	const char *at = strchr(name_at_version, '@');

	if (!at)
		return NULL;
	for (size_t i = 0; builtins[i]; i++) {
		size_t n = strlen(builtins[i]->name);

		if (n == (size_t)(at - name_at_version) &&
		    strncmp(builtins[i]->name, name_at_version, n) == 0 &&
		    atoi(at + 1) == builtins[i]->version)
			return builtins[i];
	}
	return NULL;
}
