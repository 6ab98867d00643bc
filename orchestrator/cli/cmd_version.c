/* kiln version: what this program is made of. */
#include "cli/command.h"
#include "cli/print.h"

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	static const char text[] = "kiln " KILN_VERSION "\n";

	(void)args;
	if (!cli->json)
		return print_text(text, sizeof(text) - 1, err);
	json = json_pack("{s:s,s:s,s:[s,s,s,s]}", "schema", "kiln.version/1", "version",
	                 KILN_VERSION, "schemas", "kiln.recipe/1", "kiln.lock/1", "kiln.manifest/1",
	                 "kiln.verdict/1");
	return print_json(json, err);
}

const struct command cmd_version = {
	.name = "version",
	.summary = "print the version",
	.operands = "",
	.help = "Prints Kiln's version; with --json also the schemas of its documents.",
	.run = run,
};
