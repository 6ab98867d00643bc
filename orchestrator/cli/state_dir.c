/* Where this user's own state lies: the development key, nothing else yet. */
#include "cli/state_dir.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"

int state_dir(char **ret, struct err *err)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && state[0] == '/')
		*ret = path_join(state, "kiln");
	else if (home && home[0] == '/')
		*ret = path_join(home, ".local/state/kiln");
	else
		return err_set(err, ERR_MACHINE,
		               "neither XDG_STATE_HOME nor HOME is an absolute path; set HOME");
	return 0;
}
