/* Help from the command table: what is documented is what is there. */
#include "cli/help.h"

#include "base/str.h"
#include "cli/args.h"
#include "cli/fill.h"

enum { NAME_WIDTH = 14, TOPIC_WIDTH = 8, OPTION_WIDTH = 20 };

const char help_sentence[] = "Kiln turns source into the best release it can be: built in pinned "
			     "containers, profile-optimised, reproducible, signed.";

const struct help_status help_statuses[] = {
	{ 0, "done" },
	{ 1, "a stage failed" },
	{ 2, "usage" },
	{ 3, "recipe or pinned content wrong" },
	{ 4, "a gate or verification said no" },
	{ 5, "the machine lacks something" },
	{ 6, "interrupted" },
	{ 7, "network, disk or store failed" },
	{ 70, "a bug in Kiln" },
	{ 0, NULL },
};

static const struct {
	enum command_topic topic;
	const char *name;
} topics[] = {
	{ TOPIC_RECIPE, "recipes" }, { TOPIC_SIGN, "signing" }, { TOPIC_IMAGE, "images" },
	{ TOPIC_STORE, "store" },    { TOPIC_MORE, "more" },
};

static void add_statuses(struct buf *text)
{
	_cleanup_buf_ struct buf line = BUF_INIT(4096);

	buf_add_str(&line, "Exit status:");
	for (const struct help_status *s = help_statuses; s->text; s++)
		buf_fmt(&line, " %d %s%c", s->status, s->text, s[1].text ? ',' : '.');
	fill_words(text, buf_text(&line), 0, 0);
	buf_add_char(text, '\n');
}

static void add_topic(struct buf *text, size_t topic)
{
	_cleanup_buf_ struct buf names = BUF_INIT(4096);

	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];

		if (!c->hidden && !c->first && c->topic == topics[topic].topic)
			buf_fmt(&names, "%s%s", names.n ? ", " : "", c->name);
	}
	if (names.n)
		fill_item(text, topics[topic].name, buf_text(&names), TOPIC_WIDTH);
}

void help_overview(struct buf *text)
{
	fill_paragraphs(text, help_sentence);
	buf_add_str(text, "\nusage: kiln COMMAND [OPTION]... [OPERAND]...\n\nfirst:\n");
	for (size_t i = 0; commands[i]; i++)
		if (commands[i]->first)
			fill_item(text, commands[i]->name, commands[i]->summary, NAME_WIDTH);
	buf_add_str(text, "\nand:\n");
	for (size_t i = 0; i < ARRAY_LEN(topics); i++)
		add_topic(text, i);
	buf_add_str(text, "\n`kiln help COMMAND` says more, `kiln help --all` a line on each.\n");
	add_statuses(text);
}

void help_all(struct buf *text)
{
	for (size_t i = 0; commands[i]; i++)
		if (!commands[i]->hidden)
			fill_item(text, commands[i]->name, commands[i]->summary, NAME_WIDTH);
}

bool help_group(const char *word, struct buf *text)
{
	_cleanup_free_ char *start = str_fmt("%s ", word);
	bool found = false;

	buf_fmt(text, "usage: kiln %s COMMAND [OPTION]... [OPERAND]...\n\n", word);
	for (size_t i = 0; commands[i]; i++) {
		if (commands[i]->hidden || !str_starts(commands[i]->name, start))
			continue;
		fill_item(text, commands[i]->name, commands[i]->summary, NAME_WIDTH);
		found = true;
	}
	return found;
}

char *help_option_name(const struct command_option *option)
{
	return str_fmt("%s%s%s", option->name, option->argument ? " " : "",
	               option->argument ? option->argument : "");
}

static void add_options(struct buf *text, const struct command_option *options)
{
	for (size_t i = 0; options && options[i].name; i++) {
		_cleanup_free_ char *name = help_option_name(&options[i]);
		_cleanup_free_ char *doc = str_fmt("%s%s", options[i].doc,
		                                   options[i].many ? " (may be repeated)" : "");

		fill_item(text, name, doc, OPTION_WIDTH);
	}
}

void help_command(const struct command *command, struct buf *text)
{
	buf_fmt(text, "usage: kiln %s [OPTION]...%s%s\n\n", command->name,
	        command->operands[0] ? " " : "", command->operands);
	fill_paragraphs(text, command->help);
	if (command->options && command->options[0].name) {
		buf_add_str(text, "\noptions:\n");
		add_options(text, command->options);
	}
	buf_add_str(text, "\ncommon options:\n");
	add_options(text, common_option_table);
}
