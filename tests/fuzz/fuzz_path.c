/* A path and a link text, NUL between them: a tree path never climbs, and a link that is said to
 * stay inside does stay inside when it is followed part by part. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/path.h"

/* How deep below the root a walk over the parts ends; -1 once it was above. */
static int walk(const char *path, int depth)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			depth--;
		else if (n > 0 && !(n == 1 && path[0] == '.'))
			depth++;
		if (depth < 0)
			return -1;
		path += n + (path[n] == '/');
	}
	return depth;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = alloc(size + 2);
	const char *at = text, *target;
	_cleanup_free_ char *dir = NULL, *joined = NULL;

	memcpy(text, data, size);
	target = at + strlen(at) + 1;
	dir = path_dir(at);
	joined = path_join(dir, path_base(at));
	bug_on(strlen(joined) > size + 2);
	if (!path_is_tree(at)) {
		bug_on(!path_tree_fault(at));
		return 0;
	}
	bug_on(at[0] == '/' || walk(at, 0) < 0 || !path_is_below(at, ""));
	if (at[0] && !path_link_leaves(at, target)) {
		bug_on(target[0] == '/');
		bug_on(walk(target, strchr(at, '/') ? walk(dir, 0) : 0) < 0);
	}
	return 0;
}
