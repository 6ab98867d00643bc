/*
 * Reading the command line by tables: one scan splits options from operands, so that an option
 * means the same wherever it stands.
 */
#include "cli/args.h"

#include "base/array.h"
#include "base/buf.h"
#include "base/str.h"

const char *const args_color_words[] = { "auto", "always", "never", NULL };
const char *const args_progress_words[] = { "auto", "tty", "plain", "json", "none", NULL };

const struct command_option common_option_table[] = {
	{ "-C", "DIR", "do everything as if started in DIR", false },
	{ "--store", "DIR", "the store; default $KILN_STORE, else $XDG_CACHE_HOME/kiln", false },
	{ "--target", "GLOB", "only these targets", true },
	{ "-j", "N", "jobs at once; default: all processors", false },
	{ "--color", "WHEN", "auto, always or never", false },
	{ "--progress", "HOW", "auto, tty, plain, json or none", false },
	{ "--json", NULL, "results as JSON on standard output", false },
	{ "--help", NULL, "help for a command", false },
	{ "--version", NULL, "the version", false },
	{ 0 },
};

struct parse {
	struct arena *arena;
	const struct command *command;
	ARRAY(const char *) words; /* operands, the command's words first */
	ARRAY(const char *) common[ARRAY_LEN(common_option_table)];
	ARRAY(const char *) * own; /* per option of the command */
};

static int index_of(const struct command_option *options, const char *name, size_t n)
{
	for (int i = 0; options && options[i].name; i++)
		if (strlen(options[i].name) == n && strncmp(options[i].name, name, n) == 0)
			return i;
	return -1;
}

/* ---- finding the command ------------------------------------------------------------------ */

static bool is_common_with_value(const char *arg)
{
	int i = index_of(common_option_table, arg, strlen(arg));

	return i >= 0 && common_option_table[i].argument;
}

/* The first two words that are no options: the command's name. */
static void first_words(int argc, char **argv, const char *words[2])
{
	int n = 0;

	words[0] = words[1] = NULL;
	for (int i = 1; i < argc && n < 2; i++) {
		if (str_eq(argv[i], "--"))
			return;
		if (argv[i][0] == '-' && argv[i][1]) {
			if (is_common_with_value(argv[i]))
				i++;
			continue;
		}
		words[n++] = argv[i];
	}
}

int args_unknown_command(const char *word, struct err *err)
{
	const char *names[64] = { 0 };
	const char *near;
	size_t n = 0;

	for (size_t i = 0; commands[i] && n + 1 < ARRAY_LEN(names); i++)
		if (!commands[i]->hidden)
			names[n++] = commands[i]->name;
	near = str_nearest(word, names);
	err_set(err, ERR_USAGE, "there is no command \"%s\"%s%s%s", word,
	        near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return err_hint(err, "`kiln --help` lists the commands");
}

static bool asks_for_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (str_eq(argv[i], "--help"))
			return true;
	return false;
}

/* "image" alone: says what may follow. */
static int incomplete_command(const char *word, struct err *err)
{
	_cleanup_buf_ struct buf rest = BUF_INIT(1024);
	size_t n = strlen(word);

	for (size_t i = 0; commands[i]; i++)
		if (str_starts(commands[i]->name, word) && commands[i]->name[n] == ' ')
			buf_fmt(&rest, "%s%s", rest.n ? ", " : "", commands[i]->name + n + 1);
	return err_set(err, ERR_USAGE, "kiln %s needs one of: %s", word, buf_text(&rest));
}

static int find_command(int argc, char **argv, const struct command **ret, int *ret_words,
                        struct err *err)
{
	_cleanup_free_ char *both = NULL;
	const char *words[2];
	bool group = false;

	first_words(argc, argv, words);
	*ret = NULL;
	*ret_words = 0;
	if (!words[0])
		return 0;
	both = str_fmt("%s %s", words[0], words[1] ? words[1] : "");
	for (size_t i = 0; commands[i]; i++) {
		if (words[1] && str_eq(commands[i]->name, both)) {
			*ret = commands[i];
			*ret_words = 2;
			return 0;
		}
		if (str_eq(commands[i]->name, words[0])) {
			*ret = commands[i];
			*ret_words = 1;
		}
		group |= str_starts(commands[i]->name, words[0]) &&
		         commands[i]->name[strlen(words[0])] == ' ';
	}
	if (*ret)
		return 0;
	if (group && !words[1] && asks_for_help(argc, argv))
		return 0;
	if (group && !words[1])
		return incomplete_command(words[0], err);
	return args_unknown_command(group ? both : words[0], err);
}

/* ---- options ------------------------------------------------------------------------------ */

static int unknown_option(const struct parse *p, const char *arg, size_t n, struct err *err)
{
	_cleanup_free_ char *name = str_dup_n(arg, n);
	const char *names[64] = { 0 };
	const char *near;
	size_t k = 0;

	for (size_t i = 0; common_option_table[i].name; i++)
		names[k++] = common_option_table[i].name;
	for (size_t i = 0; p->command && p->command->options && p->command->options[i].name; i++)
		if (k + 1 < ARRAY_LEN(names))
			names[k++] = p->command->options[i].name;
	near = str_nearest(name, names);
	err_set(err, ERR_USAGE, "%s has no option \"%s\"%s%s%s",
	        p->command ? p->command->name : "kiln", name, near ? "; did you mean \"" : "",
	        near ? near : "", near ? "\"?" : "");
	return err_hint(err, "`kiln %s%s--help` lists the options",
	                p->command ? p->command->name : "", p->command ? " " : "");
}

/* Reads the option at argv[*i]; moves *i to its last word. */
static int read_option(struct parse *p, int argc, char **argv, int *i, struct err *err)
{
	const char *arg = argv[*i];
	const char *equals = str_starts(arg, "--") ? strchr(arg, '=') : NULL;
	size_t n = equals ? (size_t)(equals - arg) : strlen(arg);
	const struct command_option *option;
	const char *value = "";
	int common, own;

	if (str_starts(arg, "-j") && arg[2] >= '0' && arg[2] <= '9') {
		n = 2;
		equals = arg + 1;
	}
	common = index_of(common_option_table, arg, n);
	own = p->command ? index_of(p->command->options, arg, n) : -1;
	if (common < 0 && own < 0)
		return unknown_option(p, arg, n, err);
	option = own >= 0 ? &p->command->options[own] : &common_option_table[common];
	bug_on(!option);
	if (option->argument) {
		if (equals)
			value = equals + 1;
		else if (*i + 1 < argc)
			value = argv[++*i];
		else
			return err_set(err, ERR_USAGE, "%s needs a value: %s %s", option->name,
			               option->name, option->argument);
	} else if (equals) {
		return err_set(err, ERR_USAGE, "%s takes no value", option->name);
	}
	if (own >= 0) {
		if (p->own[own].n > 0 && !option->many && option->argument)
			return err_set(err, ERR_USAGE, "%s is given twice", option->name);
		array_push(&p->own[own], value);
	} else {
		array_push(&p->common[common], value);
	}
	return 0;
}

static int scan(struct parse *p, int argc, char **argv, struct err *err)
{
	bool only_operands = false;

	for (int i = 1; i < argc; i++) {
		if (!only_operands && str_eq(argv[i], "--")) {
			only_operands = true;
			continue;
		}
		if (!only_operands && argv[i][0] == '-' && argv[i][1]) {
			if (read_option(p, argc, argv, &i, err) < 0)
				return -1;
			continue;
		}
		array_push(&p->words, argv[i]);
	}
	return 0;
}

/* ---- handing over ------------------------------------------------------------------------- */

static const char **freeze(struct arena *arena, const char *const *v, size_t n)
{
	const char **list = arena_array(arena, n + 1, sizeof(*list));

	for (size_t i = 0; v && i < n; i++)
		list[i] = v[i];
	return list;
}

static const char *last_common(const struct parse *p, const char *name)
{
	int i = index_of(common_option_table, name, strlen(name));

	return p->common[i].n ? p->common[i].v[p->common[i].n - 1] : NULL;
}

static void hand_over(struct parse *p, int n_words, struct common_options *common,
                      struct command_args *args)
{
	int target = index_of(common_option_table, "--target", strlen("--target"));
	size_t n_options = 0;

	*common = (struct common_options){
		.directory = last_common(p, "-C"),
		.store_dir = last_common(p, "--store"),
		.color = last_common(p, "--color"),
		.progress = last_common(p, "--progress"),
		.jobs = last_common(p, "-j"),
		.json = last_common(p, "--json") != NULL,
		.help = last_common(p, "--help") != NULL,
		.version = last_common(p, "--version") != NULL,
		.targets = freeze(p->arena, p->common[target].v, p->common[target].n),
	};
	while (p->command && p->command->options && p->command->options[n_options].name)
		n_options++;
	*args = (struct command_args){
		.options = p->command ? p->command->options : NULL,
		.values = arena_array(p->arena, n_options + 1, sizeof(*args->values)),
		.operands = freeze(p->arena, p->words.n ? p->words.v + n_words : NULL,
		                   p->words.n - (size_t)n_words),
		.n_operands = p->words.n - (size_t)n_words,
	};
	for (size_t i = 0; i < n_options; i++)
		args->values[i] = freeze(p->arena, p->own[i].v, p->own[i].n);
}

static int check_operands(const struct parse *p, const struct command_args *args, struct err *err)
{
	const struct command *c = p->command;

	if (args->n_operands < c->min_operands)
		err_set(err, ERR_USAGE, "%s needs %s", c->name, c->operands);
	else if (args->n_operands > c->max_operands)
		err_set(err, ERR_USAGE, "%s takes no operand \"%s\"", c->name,
		        args->operands[c->max_operands]);
	else
		return 0;
	return err_hint(err, "usage: kiln %s %s (`kiln %s --help`)", c->name, c->operands, c->name);
}

/* "release --version 2" means something else than Kiln's own version. */
static int check_version(const struct parse *p, const struct common_options *common,
                         struct err *err)
{
	if (!common->version)
		return 0;
	err_set(err, ERR_USAGE, "%s takes no --version", p->command->name);
	return err_hint(err, "kiln --version prints Kiln's; the version of a release is what the "
	                     "recipe's field `version` says");
}

int args_parse(struct arena *arena, int argc, char **argv, const struct command **ret_command,
               struct common_options *ret_common, struct command_args *ret_args, struct err *err)
{
	struct parse p = { .arena = arena };
	size_t n_own = 0;
	int n_words, rc;

	if (find_command(argc, argv, &p.command, &n_words, err) < 0)
		return -1;
	while (p.command && p.command->options && p.command->options[n_own].name)
		n_own++;
	p.own = alloc_array(n_own + 1, sizeof(*p.own));
	rc = scan(&p, argc, argv, err);
	if (rc == 0) {
		hand_over(&p, n_words, ret_common, ret_args);
		*ret_command = p.command;
		if (p.command && !ret_common->help)
			rc = check_version(&p, ret_common, err) < 0 ?
			             -1 :
			             check_operands(&p, ret_args, err);
	}
	for (size_t i = 0; i < n_own; i++)
		array_deinit(&p.own[i]);
	for (size_t i = 0; i < ARRAY_LEN(p.common); i++)
		array_deinit(&p.common[i]);
	free(p.own);
	array_deinit(&p.words);
	return rc;
}

/* ---- asking ------------------------------------------------------------------------------- */

const char *const *args_values(const struct command_args *args, const char *name)
{
	int i = index_of(args->options, name, strlen(name));

	bug_on(i < 0);
	return args->values[i];
}

const char *args_value(const struct command_args *args, const char *name)
{
	const char *const *values = args_values(args, name);
	const char *last = NULL;

	for (; *values; values++)
		last = *values;
	return last;
}

bool args_has(const struct command_args *args, const char *name)
{
	return args_values(args, name)[0] != NULL;
}
