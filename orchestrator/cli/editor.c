/* The files that editors read. The folder holds nothing else, so that a server which is pointed to
 * it finds the annotations alone, and not Kiln's library. */
#include "cli/editor.h"

#include <fcntl.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "host/fs.h"
#include "model/embedded.h"

static const struct {
	const char *from, *name;
} files[] = {
	{ "recipes/lib/kiln.d.lua", "kiln.d.lua" },
	{ "toolchains/schema.json", "toolchain.schema.json" },
	{ "containers/schema.json", "container.schema.json" },
};

/* Recipes have no other libraries: whoever uses one should see it in the editor. */
static const char settings[] = "{\n"
			       "  \"runtime.version\": \"Lua 5.4\",\n"
			       "  \"runtime.builtin\": {\n"
			       "    \"coroutine\": \"disable\",\n"
			       "    \"debug\": \"disable\",\n"
			       "    \"io\": \"disable\",\n"
			       "    \"os\": \"disable\",\n"
			       "    \"package\": \"disable\",\n"
			       "    \"utf8\": \"disable\"\n"
			       "  },\n"
			       "  \"workspace.checkThirdParty\": false,\n"
			       "  \"workspace.library\": [\"" EDITOR_FOLDER "\"]\n"
			       "}\n";

static int write_in(const char *dir, const char *name, const void *data, size_t n, struct err *err)
{
	_cleanup_free_ char *path = path_join(dir, name);

	if (fs_write_file(AT_FDCWD, path, data, n, 0666, false, err) < 0)
		return err_while(err, "writing what editors read");
	return 0;
}

int editor_write(const char *project, bool *ret_kept, struct err *err)
{
	_cleanup_free_ char *folder = path_join(project, EDITOR_FOLDER);
	_cleanup_free_ char *luarc = path_join(project, EDITOR_SETTINGS);

	if (fs_make_dirs(AT_FDCWD, folder, 0777, err) < 0)
		return err_while(err, "writing what editors read");
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		const struct embedded_file *file = embedded_find(files[i].from);

		if (!file)
			return err_set(err, ERR_BUG, "%s is not in the program", files[i].from);
		if (write_in(folder, files[i].name, file->data, file->size, err) < 0)
			return -1;
	}
	*ret_kept = fs_exists(AT_FDCWD, luarc);
	if (*ret_kept)
		return 0;
	return write_in(project, EDITOR_SETTINGS, settings, sizeof(settings) - 1, err);
}
