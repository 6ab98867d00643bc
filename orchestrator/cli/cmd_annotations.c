/* kiln annotations: gives editors what they need to help with recipes. */
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/editor.h"
#include "cli/print.h"
#include "external/json.h"
#include "host/fs.h"
#include "recipe/recipe.h"

static int show(struct cli *cli, const char *project, bool kept, struct err *err)
{
	_cleanup_free_ char *folder = path_join(project, EDITOR_FOLDER);
	_cleanup_free_ char *luarc = path_join(project, EDITOR_SETTINGS);

	if (cli->json) {
		_cleanup_json_ json_t *json =
			json_pack("{s:s,s:o,s:o,s:b}", "schema", "kiln.annotations/1", "folder",
		                  json_any_text(folder), "settings", json_any_text(luarc),
		                  "settings_kept", kept);

		return print_json(json, err);
	}
	if (kept)
		print_note(cli,
		           "  %s was there and stays; it needs \"workspace.library\": [\"%s\"]",
		           luarc, EDITOR_FOLDER);
	return print_text(folder, strlen(folder), err) < 0 ? -1 : print_text("\n", 1, err);
}

static int find_folder(const char *named, char **ret, struct err *err)
{
	int rc = fs_real_path(named, ret, err);

	if (rc != FS_MISSING)
		return rc;
	err_set(err, ERR_USAGE, "there is no folder %s", named);
	return err_hint(err, "name the project's folder, or nothing for the one you are in");
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	const char *operand = args->operands[0] ? args->operands[0] : ".";
	_cleanup_free_ char *full = NULL, *project = NULL;
	bool kept;

	if (find_folder(operand, &full, err) < 0)
		return err_while(err, "looking for the project to write annotations into");
	project = args->operands[0] ? str_dup(full) : recipe_project(full);
	if (editor_write(project, &kept, err) < 0)
		return -1;
	return show(cli, project, kept, err);
}

const struct command cmd_annotations = {
	.name = "annotations",
	.summary = "write what editors need to help with recipes",
	.operands = "[DIR]",
	.help = "Writes into the project (or DIR) .kiln/annotations/ with kiln.d.lua, which says what\n"
		"recipes can call, and the JSON schemas of toolchains and containers; and .luarc.json,\n"
		"by which lua-language-server and its kin find them, unless there is one. Run it again\n"
		"after an update of Kiln. A YAML file gets its schema by a first line:\n"
		"\n"
		"  # yaml-language-server: $schema=../annotations/toolchain.schema.json",
	.topic = TOPIC_RECIPE,
	.max_operands = 1,
	.run = run,
};
