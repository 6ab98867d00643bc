/* Reading LuaCATS annotations line by line: a block of comments belongs to what stands below it. */
#include "reference/annotations.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"

/* The block that is being read. */
struct block {
	struct arena *arena;
	struct notes *notes;
	struct buf text;
	struct note note; /* its fields and returns so far */
	bool is_class;
};

static void block_reset(struct block *b)
{
	buf_clear(&b->text);
	array_deinit(&b->note.fields);
	array_deinit(&b->note.returns);
	b->note = (struct note){ 0 };
	b->is_class = false;
}

/* Hands the block over as a note; the next one starts empty. */
static void block_end(struct block *b)
{
	b->note.text = arena_str(b->arena, buf_text(&b->text));
	array_push(&b->notes->list, b->note);
	b->note = (struct note){ 0 };
	block_reset(b);
}

/* How far a type goes: to a space outside of all brackets and quotes, unless what stands around the
 * space cannot end or begin a type. */
static size_t type_length(const char *p)
{
	int depth = 0;
	bool quoted = false;
	size_t i;

	for (i = 0; p[i]; i++) {
		if (p[i] == '"')
			quoted = !quoted;
		else if (!quoted && strchr("({[<", p[i]))
			depth++;
		else if (!quoted && strchr(")}]>", p[i]))
			depth--;
		else if (p[i] == ' ' && !quoted && depth == 0 && !strchr(":|,", p[i - 1]) &&
		         p[i + 1] != '|')
			break;
	}
	return i;
}

static const char *take_word(struct block *b, const char **p)
{
	size_t n = strcspn(*p, " ");
	const char *word = arena_str_n(b->arena, *p, n);

	*p += n + strspn(*p + n, " ");
	return word;
}

static void take_typed(struct block *b, const char *p, struct note_field *field)
{
	size_t n = *p ? type_length(p) : 0;

	field->type = arena_str_n(b->arena, p, n);
	field->text = arena_str(b->arena, p + n + strspn(p + n, " "));
}

/* NAME, NAME?, or ["NAME"] where it is a word of the annotations' own. */
static void take_named(struct block *b, const char *p, struct note_field *field)
{
	struct str name = str_of(take_word(b, &p));

	if (name.n && name.p[name.n - 1] == '?') {
		name.n--;
		field->optional = true;
	}
	if (name.n > 4 && name.p[0] == '[' && name.p[1] == '"') {
		name.p += 2;
		name.n -= 4;
	}
	field->name = arena_str_n(b->arena, name.p, name.n);
	take_typed(b, p, field);
}

static void take_class(struct block *b, const char *p)
{
	if (b->is_class)
		block_end(b);
	b->is_class = true;
	b->note.kind = NOTE_CLASS;
	b->note.name = take_word(b, &p);
	if (str_starts(p, ": ")) {
		p += 2;
		b->note.parent = take_word(b, &p);
	}
	if (*p)
		buf_fmt(&b->text, "%s\n", p);
}

static void take_annotation(struct block *b, const char *line)
{
	const char *p = line;
	const char *tag = take_word(b, &p);

	if (str_eq(tag, "@class")) {
		take_class(b, p);
	} else if (str_eq(tag, "@field") || str_eq(tag, "@param")) {
		take_named(b, p, array_add(&b->note.fields));
	} else if (str_eq(tag, "@return")) {
		take_typed(b, p, array_add(&b->note.returns));
	} else if (str_eq(tag, "@alias")) {
		b->note.kind = NOTE_ALIAS;
		b->note.name = take_word(b, &p);
		b->note.type = arena_str(b->arena, p);
		block_end(b);
	}
}

static void take_function(struct block *b, const char *p)
{
	size_t n = strcspn(p, "(");

	b->note.kind = NOTE_FUNCTION;
	b->note.name = arena_str_n(b->arena, p, n);
	p += n + (p[n] == '(');
	b->note.args = arena_str_n(b->arena, p, strcspn(p, ")"));
	block_end(b);
}

static void take_line(struct block *b, const char *line, bool after_rule)
{
	if (str_starts(line, "---@")) {
		take_annotation(b, line + 3);
	} else if (str_starts(line, "---") && !str_starts(line, "----")) {
		buf_fmt(&b->text, "%s\n", line + 3);
	} else if (str_starts(line, "-- ") && after_rule) {
		b->note.kind = NOTE_SECTION;
		b->note.name = arena_str(b->arena, line + 3);
		block_end(b);
	} else if (b->is_class) {
		block_end(b);
	} else if (str_starts(line, "function ")) {
		take_function(b, line + strlen("function "));
	} else {
		block_reset(b);
	}
}

void notes_parse(struct arena *arena, const char *text, struct notes *ret)
{
	struct block b = { .arena = arena, .notes = ret, .text = BUF_INIT(1 << 16) };
	struct str rest = str_of(text), line;
	bool rule = false;

	while (str_cut(&rest, '\n', &line)) {
		const char *s = arena_str_n(arena, line.p, line.n);
		bool is_rule = str_starts(s, "-- ---");

		if (!is_rule)
			take_line(&b, s, rule);
		rule = is_rule;
	}
	if (b.is_class)
		block_end(&b);
	block_reset(&b);
	buf_deinit(&b.text);
}

void notes_deinit(struct notes *notes)
{
	for (size_t i = 0; i < notes->list.n; i++) {
		array_deinit(&notes->list.v[i].fields);
		array_deinit(&notes->list.v[i].returns);
	}
	array_deinit(&notes->list);
}

const struct note *notes_class(const struct notes *notes, const char *name)
{
	for (size_t i = 0; i < notes->list.n; i++)
		if (notes->list.v[i].kind == NOTE_CLASS && str_eq(notes->list.v[i].name, name))
			return &notes->list.v[i];
	return NULL;
}
