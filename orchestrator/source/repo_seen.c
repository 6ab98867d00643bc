/* Which files those are. */
#include "source/repo_seen.h"

#include <stdlib.h>

#include "base/path.h"
#include "base/str.h"
#include "store/folder.h"

static void saw_home(struct store *store, const char *variable, const char *below)
{
	const char *home = getenv(variable);
	_cleanup_free_ char *path = home && home[0] ? path_join(home, below) : NULL;

	if (path)
		store_saw_file(store, path);
}

/* Whether the environment names files of git's own: where those lie, nobody looks. */
static bool has_own_files(void)
{
	static const char *const names[] = { "GIT_CONFIG_GLOBAL",   "GIT_CONFIG_SYSTEM",
		                             "GIT_CONFIG",          "GIT_DIR",
		                             "GIT_COMMON_DIR",      "GIT_WORK_TREE",
		                             "GIT_INDEX_FILE",      "GIT_SHALLOW_FILE",
		                             "GIT_GRAFT_FILE",      "GIT_NAMESPACE",
		                             "GIT_ATTR_SOURCE",     "GIT_REPLACE_REF_BASE",
		                             "GIT_OBJECT_DIRECTORY" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (getenv(names[i]))
			return true;
	return false;
}

/* git-config(1), FILES, and gitattributes(5). */
static void saw_config(struct store *store, const struct git_repo *repo)
{
	static const char *const system[] = { "/etc/gitconfig", "/etc/gitattributes" };
	static const char *const users[] = { "git/config", "git/attributes" };
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(system); i++)
		store_saw_file(store, system[i]);
	saw_home(store, "HOME", ".gitconfig");
	for (size_t i = 0; i < ARRAY_LEN(users); i++) {
		_cleanup_free_ char *below = path_join(".config", users[i]);

		saw_home(store, "XDG_CONFIG_HOME", users[i]);
		saw_home(store, "HOME", below);
	}
	if (has_own_files() || git_names_files(repo, &ignored) != GIT_NONE)
		store_saw_more(store);
}

void repo_saw(struct store *store, const struct git_repo *repo)
{
	static const char *const folders[] = { "refs", "reftable", "info" };

	if (!store_is_recorded(store))
		return;
	if (!str_eq(repo->dir, repo->common))
		store_saw_more(store);
	store_saw_folder(store, repo->dir, false);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		_cleanup_free_ char *path = path_join(repo->dir, folders[i]);

		store_saw_folder(store, path, true);
	}
	saw_config(store, repo);
}
