/* Where the store is. */
#include "store/where.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"

int store_place(const char *dir, char **ret, struct err *err)
{
	const char *kiln = getenv("KILN_STORE"), *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (dir)
		*ret = str_dup(dir);
	else if (kiln && kiln[0])
		*ret = str_dup(kiln);
	else if (cache && cache[0] == '/')
		*ret = path_join(cache, "kiln");
	else if (home && home[0] == '/')
		*ret = path_join(home, ".cache/kiln");
	else
		return err_set(err, ERR_USAGE,
		               "no folder for the store: neither HOME nor KILN_STORE "
		               "is set; name one with --store DIR");
	return 0;
}
