/* Paths as text; nothing here looks at a file system. */
#include "base/path.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

const char *path_tree_fault(const char *path)
{
	struct str rest = str_of(path), part;

	if (path[0] == '\0')
		return NULL;
	if (path[0] == '/')
		return "is absolute";
	while (str_cut(&rest, '/', &part)) {
		if (part.n == 0)
			return "has an empty part";
		if (str_same(part, STR(".")))
			return "has a '.' part";
		if (str_same(part, STR("..")))
			return "has a '..' part";
		if (part.n > 255)
			return "has a part longer than 255 bytes";
	}
	if (strlen(path) > 4000)
		return "is longer than 4000 bytes";
	return NULL;
}

bool path_is_tree(const char *path)
{
	return path_tree_fault(path) == NULL;
}

char *path_join(const char *dir, const char *name)
{
	size_t n = strlen(dir);

	if (n == 0 || name[0] == '/')
		return str_dup(name);
	if (name[0] == '\0')
		return str_dup(dir);
	return str_fmt("%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

char *path_dir(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return str_dup(".");
	if (slash == path)
		return str_dup("/");
	return str_dup_n(path, (size_t)(slash - path));
}

bool path_is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 0)
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

bool path_link_leaves(const char *at, const char *target)
{
	struct str rest = str_of(target), part;
	long depth = 0;

	if (target[0] == '/')
		return true;
	for (const char *p = at; *p; p++)
		depth += *p == '/';
	while (str_cut(&rest, '/', &part)) {
		if (part.n == 0 || str_same(part, STR(".")))
			continue;
		depth += str_same(part, STR("..")) ? -1 : 1;
		if (depth < 0)
			return true;
	}
	return false;
}
