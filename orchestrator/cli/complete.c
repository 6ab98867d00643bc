/*
 * Completion by the command table: where in the command line the last word stands says which option
 * or operand it is, and the word that stands for that says what may be typed.
 */
#include "cli/complete.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "cli/args.h"
#include "cli/session.h"

/* The words before the last one, read as the program would. */
struct scan {
	struct arena *arena;
	struct completion *out;
	const struct command *command;       /* NULL while its name is not whole */
	const struct command_option *option; /* the last word is its value */
	const char *const *words;
	size_t n;
	const char *group; /* "image", until its second word is there */
	bool only_operands;
};

static void offer(struct completion *out, const char *text, const char *doc)
{
	array_push(&out->list, ((struct complete_candidate){ text, doc }));
}

/* ---- what was typed ----------------------------------------------------------------------- */

static const struct command_option *find_in(const struct command_option *options, const char *word,
                                            size_t n)
{
	for (; options && options->name; options++)
		if (strlen(options->name) == n && memcmp(options->name, word, n) == 0)
			return options;
	return NULL;
}

static const struct command_option *find_option(const struct scan *s, const char *word, size_t n)
{
	const struct command_option *own =
		s->command ? find_in(s->command->options, word, n) : NULL;

	return own ? own : find_in(common_option_table, word, n);
}

static bool is_option(const struct scan *s, const char *word)
{
	return !s->only_operands && word[0] == '-' && word[1];
}

static void keep_value(struct completion *out, const char *option, const char *value)
{
	if (str_eq(option, "-C"))
		out->directory = value;
	else if (str_eq(option, "--set"))
		array_push(&out->set, value);
}

static void take_option(struct scan *s, const char *word, size_t *i)
{
	size_t n = strcspn(word, "=");
	const struct command_option *option = find_option(s, word, n);

	if (str_eq(word, "--")) {
		s->only_operands = true;
	} else if (option && option->argument && word[n] == '=') {
		keep_value(s->out, option->name, word + n + 1);
	} else if (option && option->argument && *i + 1 == s->n) {
		s->option = option;
	} else if (option && option->argument) {
		keep_value(s->out, option->name, s->words[++*i]);
	}
}

static void take_word(struct scan *s, const char *word)
{
	_cleanup_free_ char *both = s->group ? str_fmt("%s %s", s->group, word) : str_dup(word);
	size_t n = strlen(word);

	if (s->command) {
		array_push(&s->out->operands, word);
		return;
	}
	for (size_t i = 0; commands[i]; i++) {
		if (str_eq(commands[i]->name, both))
			s->command = commands[i];
		else if (!s->group && str_starts(commands[i]->name, word) &&
		         commands[i]->name[n] == ' ')
			s->group = word;
		else
			continue;
		return;
	}
	/* There is no such command: nothing fits any more. */
	s->group = "";
}

/* ---- what may follow ---------------------------------------------------------------------- */

void complete_commands(struct arena *arena, const char *const *before, size_t n,
                       struct completion *ret)
{
	const char *last = "";

	for (size_t i = 0; commands[i]; i++) {
		const char *name = commands[i]->name, *space = strchr(name, ' ');
		size_t first = space ? (size_t)(space - name) : strlen(name);

		if (commands[i]->hidden)
			continue;
		if (n == 1 && space && strlen(before[0]) == first &&
		    memcmp(name, before[0], first) == 0)
			offer(ret, space + 1, commands[i]->summary);
		if (n > 0)
			continue;
		if (!space)
			offer(ret, name, commands[i]->summary);
		else if (strlen(last) != first || memcmp(last, name, first) != 0)
			offer(ret, arena_str_n(arena, name, first), "more commands");
		last = space ? arena_str_n(arena, name, first) : "";
	}
}

static bool was_given(const struct scan *s, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < s->n; i++)
		if (str_starts(s->words[i], name) && (!s->words[i][n] || s->words[i][n] == '='))
			return true;
	return false;
}

static void offer_options(const struct scan *s, const struct command_option *options)
{
	for (; options && options->name; options++)
		if (options->many || !was_given(s, options->name))
			offer(s->out, options->name, options->doc);
}

/* Looks up what the words of "DIR|FILE" stand for. */
static void offer_word(const struct scan *s, const char *name)
{
	struct str rest = str_of(name), part;

	while (str_cut(&rest, '|', &part)) {
		const struct word *word = words_find(part.p, part.n);

		if (!word)
			continue;
		for (size_t i = 0; word->kind == WORD_SET && word->set[i]; i++)
			offer(s->out, word->set[i], "");
		if (word->kind == WORD_COMMAND)
			complete_commands(s->arena, s->out->operands.v, s->out->operands.n, s->out);
		else if (word->kind != WORD_SET && word->kind != WORD_FREE)
			array_push(&s->out->words, word);
	}
}

/* One word of a usage line: "[STAGE]..." is STAGE, may be missing, and repeats. */
struct operand {
	const char *word;
	bool optional, many;
};

static size_t read_operands(const struct scan *s, struct operand *ret, size_t most)
{
	struct str rest = str_of(s->command->operands), part;
	size_t n = 0;

	while (n < most && str_cut(&rest, ' ', &part)) {
		const char *text = arena_str_n(s->arena, part.p, part.n);
		bool optional = text[0] == '[';

		if (!text[0])
			continue;
		text += optional;
		ret[n++] = (struct operand){ arena_str_n(s->arena, text, strcspn(text, "[].")),
			                     optional, str_ends(text, "...") };
	}
	return n;
}

static void offer_operands(const struct scan *s)
{
	struct operand list[8];
	size_t n = read_operands(s, list, ARRAY_LEN(list)), at = s->out->operands.n, first = 0;

	if (n && list[0].optional && str_eq(list[0].word, "RECIPE") && at > 0) {
		if (session_is_recipe(s->out->operands.v[0]))
			s->out->recipe = s->out->operands.v[0];
		else
			first = 1;
	}
	if (str_eq(s->command->operands, "[COMMAND]...") && at > 1)
		return;
	at += first;
	if (at >= n && n > 0 && list[n - 1].many)
		at = n - 1;
	for (size_t i = at; i < n; i++) {
		offer_word(s, list[i].word);
		if (!list[i].optional)
			break;
	}
}

static void offer_value(const struct scan *s, const struct command_option *option)
{
	offer_word(s, option->argument);
}

static void offer_next(struct scan *s, const char *last)
{
	size_t n = strcspn(last, "=");
	const struct command_option *option =
		is_option(s, last) && last[n] ? find_option(s, last, n) : NULL;

	if (s->command && s->out->operands.n && session_is_recipe(s->out->operands.v[0]))
		s->out->recipe = s->out->operands.v[0];
	if (s->option) {
		offer_value(s, s->option);
	} else if (option && option->argument) {
		s->out->skip = n + 1;
		offer_value(s, option);
	} else if (is_option(s, last) || (!s->only_operands && str_eq(last, "-"))) {
		if (s->command)
			offer_options(s, s->command->options);
		offer_options(s, common_option_table);
	} else if (s->command) {
		offer_operands(s);
	} else {
		complete_commands(s->arena, &s->group, s->group ? 1 : 0, s->out);
	}
}

void complete_scan(struct arena *arena, const char *const *words, size_t n, struct completion *ret)
{
	const char *last = n ? words[n - 1] : "";
	struct scan s = { .arena = arena, .out = ret, .words = words, .n = n ? n - 1 : 0 };

	for (size_t i = 0; i < s.n; i++) {
		if (is_option(&s, words[i]))
			take_option(&s, words[i], &i);
		else
			take_word(&s, words[i]);
	}
	offer_next(&s, last);
	ret->current = last + ret->skip;
}

void completion_deinit(struct completion *completion)
{
	array_deinit(&completion->set);
	array_deinit(&completion->operands);
	array_deinit(&completion->list);
	array_deinit(&completion->words);
}
