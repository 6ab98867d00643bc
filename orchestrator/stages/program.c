/*
 * Programs in their places, and the command line that runs them. Nothing is ever quoted into a shell
 * script: commands travel as arguments of a constant one. The one text that is made is the wrapper
 * around a foreign program, of the toolchain's words.
 */
#include "stages/program.h"

#include "base/path.h"
#include "base/str.h"

const struct schema_field program_fields[] = {
	{ "name", SCHEMA_STRING, true, "its file name", NULL, NULL },
	{ "from", SCHEMA_REF, true, "what a stage made", NULL, NULL },
	{ 0 },
};

/* Connects standard input without quoting anything: the file is $0, the command is "$@". */
static const char stdin_script[] = "exec \"$@\" <\"$0\"";
static const char no_stdin_script[] = "exec \"$@\" </dev/null";
static const char driven_script[] = PROGRAM_PRELUDE "exec \"$@\" <\"$0\"";

static bool is_file_name(const char *name)
{
	return name && name[0] && !strchr(name, '/') && path_is_tree(name);
}

static const json_t *option_object(const struct lowering *lowering, const char *name)
{
	const json_t *v = json_object_get(lowering->stage->options, name);

	return json_is_object(v) ? v : NULL;
}

bool program_is_driven(const struct lowering *lowering)
{
	return option_str(lowering, "script") || option_object(lowering, "serve");
}

/* ---- places ------------------------------------------------------------------------------- */

/* A line of shell that runs a foreign program beside it, by whatever path it is called. */
static void lower_wrapper(struct lowering *lowering, const char *name)
{
	const json_t *emulator = option_list(lowering, "emulator");
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);
	_cleanup_free_ char *program = str_quote(name);
	size_t i;
	json_t *word;

	buf_add_str(&text, "#!/bin/sh\nexec");
	json_array_foreach ((json_t *)emulator, i, word) {
		_cleanup_free_ char *quoted = str_quote(json_string_value(word));

		buf_fmt(&text, " %s", quoted);
	}
	buf_fmt(&text, " \"${0%%/*}\"/../programs/%s \"$@\"\n", program);
	lower_input(lowering, arena_fmt(lowering->arena, "bin/%s", name),
	            (struct ref){ REF_SCRIPT, arena_str(lowering->arena, buf_text(&text)), "" });
}

static int place(struct lowering *lowering, const char *name, struct ref from, struct err *err)
{
	bool wrapped = program_is_driven(lowering) &&
	               json_array_size(option_list(lowering, "emulator")) > 0;

	if (!is_file_name(name))
		return lower_refuse(lowering, err, "name must be a file name");
	lower_input(lowering,
	            arena_fmt(lowering->arena, "%s/%s", wrapped ? "programs" : "bin", name), from);
	if (wrapped)
		lower_wrapper(lowering, name);
	return 0;
}

static int place_listed(struct lowering *lowering, const json_t *list, struct err *err)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_array_get(list, i);
		const char *name = arena_str(lowering->arena, json_str_or(v, "name", ""));

		if (place(lowering, name, lower_ref(lowering, json_object_get(v, "from")), err) < 0)
			return -1;
	}
	return 0;
}

static int place_all(struct lowering *lowering, struct err *err)
{
	const json_t *list = option_list(lowering, "programs");
	bool one = json_object_get(lowering->stage->options, "binary");

	if (json_array_size(list) > 0) {
		if (one)
			return lower_refuse(lowering, err,
			                    "binary and programs exclude each other");
		return place_listed(lowering, list, err);
	}
	if (!one)
		return lower_refuse(lowering, err,
		                    "neither \"binary\" nor \"programs\" says what is run");
	return place(lowering, option_str(lowering, "name"), option_ref(lowering, "binary"), err);
}

/* ---- command lines ------------------------------------------------------------------------ */

static bool has_program(const struct lowering *lowering, const char *name)
{
	const json_t *list = option_list(lowering, "programs");
	size_t i;
	json_t *v;

	json_array_foreach ((json_t *)list, i, v)
		if (str_eq(json_str_or(v, "name", ""), name))
			return true;
	return !list && str_eq(json_str_or(lowering->stage->options, "name", ""), name);
}

static int check_command(struct lowering *lowering, const json_t *command, struct err *err)
{
	const char *name = json_str_or(command, "name", NULL);
	const char *script = json_str_or(command, "script", NULL);
	const char *tool = json_str_or(command, "command", NULL);
	const char *input = json_str_or(command, "stdin", NULL);

	if ((name != NULL) + (script != NULL) + (tool != NULL) != 1)
		return lower_refuse(lowering, err, "a command has a name, a script or a command");
	if (name && !has_program(lowering, name))
		return lower_refuse(lowering, err, "\"%s\" is none of its programs", name);
	if (script && !path_is_tree(script))
		return lower_refuse(lowering, err, "script \"%s\" %s", script,
		                    path_tree_fault(script));
	if (tool && !is_file_name(tool))
		return lower_refuse(lowering, err, "command must be a file name");
	if (input && !path_is_tree(input))
		return lower_refuse(lowering, err, "stdin \"%s\" %s", input,
		                    path_tree_fault(input));
	return 0;
}

int lower_command_words(struct lowering *lowering, const json_t *command, bool wrapped,
                        struct err *err)
{
	const char *name = json_str_or(command, "name", NULL);
	const char *script = json_str_or(command, "script", NULL);
	size_t i;
	json_t *word;

	if (check_command(lowering, command, err) < 0)
		return -1;
	if (name && !wrapped)
		lower_args_of(lowering, "emulator");
	if (name)
		lower_arg(lowering, arena_fmt(lowering->arena, "/build/bin/%s", name));
	else if (script)
		lower_arg(lowering, arena_fmt(lowering->arena, "/build/%s", script));
	else
		lower_arg(lowering, json_str_or(command, "command", ""));
	json_array_foreach (json_object_get(command, "argv"), i, word)
		lower_arg(lowering, json_string_value(word));
	return 0;
}

void lower_needs(struct lowering *lowering, const json_t *const *commands, size_t n)
{
	size_t at = lowering->argv.n, found = 0;

	lower_arg(lowering, "");
	for (size_t i = 0; i < n; i++) {
		const char *need = json_str_or(commands[i], "interpreter",
		                               json_str_or(commands[i], "command", NULL));

		if (!need)
			continue;
		lower_arg(lowering, need);
		found++;
	}
	lowering->argv.v[at] = arena_fmt(lowering->arena, "%zu", found);
}

int lower_program(struct lowering *lowering, const char *left, struct err *err)
{
	const json_t *options = lowering->stage->options;
	const json_t *serve = option_object(lowering, "serve");
	const char *input = option_str(lowering, "stdin");
	bool driven = program_is_driven(lowering);

	if (place_all(lowering, err) < 0)
		return -1;
	if (serve)
		return lower_serve(lowering, serve, left, err);
	lower_arg(lowering, "/bin/sh");
	lower_arg(lowering, driven ? "-euc" : "-ec");
	lower_arg(lowering, driven ? driven_script : input ? stdin_script : no_stdin_script);
	lower_arg(lowering, input  ? arena_fmt(lowering->arena, "/build/%s", input) :
	                    driven ? "/dev/null" :
	                             "sh");
	if (driven)
		lower_needs(lowering, &options, 1);
	return lower_command_words(lowering, options, driven, err);
}
