/* From what a person types to a recipe and the project it lies in. */
#include "model/lock.h"
#include "recipe/recipe.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "host/fs.h"

static bool holds(const char *folder, const char *name)
{
	_cleanup_free_ char *path = path_join(folder, name);

	return fs_exists(AT_FDCWD, path);
}

static bool is_root(const char *folder)
{
	return folder[0] == '/' && folder[1] == '\0';
}

/* The nearest folder from here upwards that holds a kiln.lua. The caller frees; NULL: none. */
static char *find_default(struct err *err)
{
	char *folder = NULL, *path;
	int rc = fs_real_path(".", &folder, err);

	if (rc == FS_MISSING)
		err_set(err, ERR_USAGE, "the folder this was started in is gone");
	if (rc != 0)
		return NULL;
	while (!holds(folder, RECIPE_FILE)) {
		char *up = is_root(folder) ? NULL : path_dir(folder);

		free(folder);
		folder = up;
		if (!folder) {
			err_set(err, ERR_USAGE, "there is no kiln.lua here or in a folder above");
			err_hint(err,
			         "kiln init writes one for the project here; or name a recipe (a "
			         ".lua file, or a folder that holds kiln.lua)");
			return NULL;
		}
	}
	path = path_join(folder, RECIPE_FILE);
	free(folder);
	return path;
}

/* The absolute path of the recipe that an operand names. */
static char *find_named(const char *operand, struct err *err)
{
	struct stat st;
	_cleanup_free_ char *path = NULL;
	char *real = NULL;
	bool folder = fs_stat(AT_FDCWD, operand, &st, err) == 0 &&
	              (S_ISDIR(st.st_mode) || (S_ISLNK(st.st_mode) && holds(operand, ".")));

	if (err->code)
		return NULL;
	path = folder ? path_join(operand, RECIPE_FILE) : str_dup(operand);
	if (fs_real_path(path, &real, err) == FS_MISSING) {
		err_set(err, ERR_INPUT, "there is no recipe %s", path);
		if (folder)
			err_hint(err, "the folder %s holds no kiln.lua", operand);
	}
	return real;
}

const char *const recipe_project_marks[] = { LOCK_FILE, ".kiln", ".git", NULL };

char *recipe_project(const char *inside)
{
	char *folder = str_dup(inside);

	for (;;) {
		char *up;

		for (size_t i = 0; recipe_project_marks[i]; i++)
			if (holds(folder, recipe_project_marks[i]))
				return folder;
		if (is_root(folder))
			break;
		up = path_dir(folder);
		free(folder);
		folder = up;
	}
	free(folder);
	return str_dup(inside);
}

int recipe_find(const char *operand, char **ret_project, char **ret_recipe, struct err *err)
{
	_cleanup_free_ char *recipe = operand ? find_named(operand, err) : find_default(err);
	_cleanup_free_ char *folder = NULL;
	size_t n;
	char *project;

	if (!recipe)
		return -1;
	folder = path_dir(recipe);
	project = recipe_project(folder);
	n = strlen(project);
	*ret_recipe = str_dup(recipe + n + !is_root(project));
	*ret_project = project;
	return 0;
}
