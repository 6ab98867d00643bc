/* Command lines of any words, for the program's own commands; words are lines of the input. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "cli/args.h"

static void ask_everything(const struct command *command, const struct command_args *args)
{
	size_t n = 0;

	while (args->operands[n])
		n++;
	bug_on(n != args->n_operands);
	for (const struct command_option *o = command ? command->options : NULL; o && o->name; o++)
		bug_on(args_has(args, o->name) != (args_value(args, o->name) != NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	char *text = arena_str_n(arena, (const char *)data, size);
	char **argv = arena_array(arena, size + 3, sizeof(*argv));
	const struct command *command = NULL;
	struct common_options common;
	struct command_args args;
	struct err err = ERR_INIT;
	int argc = 0;

	argv[argc++] = arena_str(arena, "kiln");
	for (char *line = text, *end; line; line = end ? end + 1 : NULL) {
		end = strchr(line, '\n');
		if (end)
			*end = '\0';
		argv[argc++] = line;
	}
	if (args_parse(arena, argc, argv, &command, &common, &args, &err) < 0)
		bug_on(err.code != ERR_USAGE || !err.cause[0]);
	else
		ask_everything(command, &args);
	arena_free(arena);
	return 0;
}
