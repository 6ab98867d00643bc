/* The table of builtins: a new one is a file and a line here. */
#include "exec/builtin.h"

#include "base/alloc.h"
#include "base/str.h"

const struct builtin *const builtins[] = {
	&builtin_deb_ar, &builtin_deb_members, &builtin_smoke, &builtin_tar, NULL,
};

const struct builtin *builtin_find(const char *name_at_version)
{
	for (size_t i = 0; builtins[i]; i++) {
		_cleanup_free_ char *name =
			str_fmt("%s@%d", builtins[i]->name, builtins[i]->version);

		if (str_eq(name, name_at_version))
			return builtins[i];
	}
	return NULL;
}

int builtin_read_params(int workdir_fd, json_t **ret, struct err *err)
{
	int rc = json_read_file(workdir_fd, BUILTIN_PARAMS, ret, err);

	return rc > 0 ? err_set(err, ERR_INPUT, "%s is missing", BUILTIN_PARAMS) : rc;
}
