#ifndef KILN_CLI_COMMAND_H
#define KILN_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/working.h"

struct runner_server;

/* What every command gets. Results go to stdout, the rest to stderr. */
struct cli {
	const char *directory;        /* -C as typed, already entered; NULL: none */
	const char *store_dir;        /* --store or NULL */
	bool json;                    /* --json */
	bool colour;                  /* of stderr, after --color, NO_COLOR, terminal */
	const char *progress;         /* auto, tty, plain, json, none */
	int jobs;                     /* -j; 0: all */
	bool under_ci;                /* CI=true */
	struct log log;               /* says notes and warnings, and what goes on, on stderr */
	struct working working;       /* what stands on the terminal of that */
	const struct work *work;      /* what goes on; or NULL */
	bool of_head;                 /* of the command that runs */
	struct runner_server *server; /* NULL: the command runs nothing */
	bool runs_stages;             /* of the command */
	char **targets;               /* --target globs, NULL-ended */
	struct buf key;   /* of a snapshot of this command line; empty: there will be none */
	char **argv;      /* as the program was started */
	int64_t began_us; /* when, real clock */
	struct buf said;  /* what was printed, as snapshots keep it: descriptor, length, text */
};

/* One option of a command, besides the common ones. */
struct command_option {
	const char *name;     /* "--key" */
	const char *argument; /* "PUB.pem", or NULL for a switch */
	const char *doc;
	bool many; /* may be given more than once */
};

/* What was given: values by option, operands in order. */
struct command_args {
	const struct command_option *options;
	const char ***values;  /* per option: NULL-ended list; a switch that was given has "" */
	const char **operands; /* NULL-ended */
	size_t n_operands;
};

/* The last value of an option, or NULL; whether a switch was given; all values, NULL-ended. */
const char *args_value(const struct command_args *args, const char *name);
bool args_has(const struct command_args *args, const char *name);
const char *const *args_values(const struct command_args *args, const char *name);

/* Below which word the overview names a command that is not among the first. */
enum command_topic { TOPIC_MORE, TOPIC_RECIPE, TOPIC_SIGN, TOPIC_IMAGE, TOPIC_STORE };

/*
 * A command: one file cli/cmd_NAME.c, one line in cli/commands.c. Help, manual, reference and
 * completion are made of this table. The words in capitals of `operands` and of the options'
 * arguments say what stands there; cli/words.c lists them all.
 */
struct command {
	const char *name;                     /* "image build" has two words */
	const char *summary;                  /* one line */
	const char *operands;                 /* "DIR|FILE" for the usage line, or "" */
	const char *help;                     /* paragraphs below the usage line */
	const struct command_option *options; /* ends with name NULL; may be NULL */
	size_t min_operands, max_operands;
	enum command_topic topic;
	bool first;   /* one of the five that a newcomer needs: the overview shows its summary */
	bool hidden;  /* for programs: in no overview, manual or reference */
	bool of_head; /* is about what is committed, not about what lies there */
	bool runs_stages; /* needs the runner server, which is forked before all else */
	bool may_fetch;   /* needs it for crates that are not there yet, and no more */
	/* 0 done; -1 with err. Prints its results on stdout itself. */
	int (*run)(struct cli *cli, const struct command_args *args, struct err *err);
};

/* NULL-ended, in the order help shows them. */
extern const struct command *const commands[];

#endif
