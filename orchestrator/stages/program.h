#ifndef KILN_STAGES_PROGRAM_H
#define KILN_STAGES_PROGRAM_H

#include "model/schema.h"
#include "stages/options.h"

/*
 * What a workload runs: one program, a script that finds the programs in PATH, or a server with the
 * commands that are run against it. Programs lie in bin/; where they are foreign and others call
 * them, bin/NAME is a line of shell that starts programs/NAME in the emulator.
 */

/* A command: one of name, script and (of a server's clients) command, and its arguments. */
#define COMMAND_FIELDS                                                                              \
	{ "name", SCHEMA_STRING, false, "the program that is run, by its file name", NULL, NULL },  \
		{ "script", SCHEMA_STRING, false, "tree path of a script that is run in its place", \
		  NULL,     NULL },                                                                 \
		{ "interpreter", SCHEMA_STRING,                                                     \
		  false,         "what the script begins with; the image must have it",             \
		  NULL,          NULL },                                                            \
		{ "argv", SCHEMA_STRINGS, false, "arguments behind the program", NULL, NULL },      \
	{                                                                                           \
		"stdin", SCHEMA_STRING, false, "tree path of the file that standard input reads",   \
			NULL, NULL                                                                  \
	}

#define PROGRAM_FIELDS                                                                             \
	COMMAND_FIELDS,                                                                            \
		{ "binary", SCHEMA_REF, false, "the program, placed as bin/NAME", NULL, NULL },    \
		{ "programs", SCHEMA_OBJECTS, false, "in place of binary: several of them",        \
		  NULL,       program_fields },                                                    \
		{ "emulator", SCHEMA_STRINGS,                                                      \
		  false,      "command in front of a program where it is foreign",                 \
		  NULL,       NULL },                                                              \
	{                                                                                          \
		"serve", SCHEMA_OBJECT, false,                                                     \
			"the program is a server: when it is ready and what is run against it",    \
			NULL, serve_fields                                                         \
	}

extern const struct schema_field program_fields[], serve_fields[];

/* Whether others than Kiln start the programs: how often, and how many, is not known then. */
bool program_is_driven(const struct lowering *lowering);
/* Places the programs, and adds the command line. `left` is a pattern of what a server must leave
 * behind, as find -path has it; "" where it must leave nothing. */
int lower_program(struct lowering *lowering, const char *left, struct err *err);
/* One command of a server's clients, or the top one, without what stands in front of it. */
int lower_command_words(struct lowering *lowering, const json_t *command, bool wrapped,
                        struct err *err);
/* The words that must be found in the image before a command runs: their number, then they. */
void lower_needs(struct lowering *lowering, const json_t *const *commands, size_t n);
/* The whole command line around a server; in serve.c. */
int lower_serve(struct lowering *lowering, const json_t *serve, const char *left, struct err *err);

/* Shell: programs are found first, and what is asked for by "N WORD…" must be found at all. */
#define PROGRAM_PRELUDE                                                                               \
	"PATH=/build/bin:$PATH; export PATH\n"                                                        \
	"needs=$1; shift\n"                                                                           \
	"while [ \"$needs\" -gt 0 ]; do\n"                                                            \
	"  command -v \"$1\" >/dev/null || {\n"                                                       \
	"    echo \"the image has no program $1: tools = { \\\"NAME\\\" } in run { } adds the\" \\\n" \
	"      \"Debian package that has it\" >&2; exit 127; }\n"                                     \
	"  shift; needs=$((needs - 1))\n"                                                             \
	"done\n"

#endif
