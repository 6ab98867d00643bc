/* The recipe reference: each function with the fields of the table it takes below it. */
#include "reference/recipe.h"

#include <string.h>

#include "base/str.h"
#include "reference/annotations.h"

/* Markdown as annotations use it: paragraphs, and fenced examples. */
static void add_markdown(const struct paper *paper, const char *text, struct buf *out)
{
	_cleanup_buf_ struct buf part = BUF_INIT(1 << 16);
	struct str rest = str_of(text), line;
	bool fenced = false;

	while (str_cut(&rest, '\n', &line)) {
		bool fence = line.n >= 3 && memcmp(line.p, "```", 3) == 0;

		if (!fence && (line.n || fenced)) {
			buf_add(&part, line.p, line.n);
			buf_add_char(&part, '\n');
			continue;
		}
		if (part.n)
			(fenced ? paper->code : paper->text)(out, buf_text(&part));
		buf_clear(&part);
		fenced ^= fence;
	}
	if (part.n)
		paper->text(out, buf_text(&part));
}

static void add_fields(const struct paper *paper, const struct note *note, struct buf *out)
{
	for (size_t i = 0; i < note->fields.n; i++) {
		const struct note_field *f = &note->fields.v[i];
		_cleanup_free_ char *term =
			str_fmt("%s%s: %s", f->name, f->optional ? "?" : "", f->type);

		paper->item(out, term, f->text);
	}
	if (note->parent) {
		_cleanup_free_ char *also = str_fmt("And the fields of `%s`.", note->parent);

		paper->text(out, also);
	}
}

/* The class of the one table that a function takes, NULL where it takes something else. */
static const struct note *fields_class(const struct notes *notes, const struct note *function)
{
	size_t n;
	_cleanup_free_ char *name = NULL;

	if (function->kind != NOTE_FUNCTION || function->fields.n != 1)
		return NULL;
	n = strcspn(function->fields.v[0].type, "?");
	name = str_dup_n(function->fields.v[0].type, n);
	return notes_class(notes, name);
}

/* Whether a class stands below the function that takes it. */
static bool is_taken(const struct notes *notes, const struct note *class)
{
	for (size_t i = 0; i < notes->list.n; i++)
		if (fields_class(notes, &notes->list.v[i]) == class)
			return true;
	return false;
}

static void add_function(const struct paper *paper, const struct notes *notes,
                         const struct note *note, struct buf *out)
{
	const struct note *class = fields_class(notes, note);
	_cleanup_free_ char *head =
		class ? str_fmt("%s { … }", note->name) : str_fmt("%s(%s)", note->name, note->args);

	paper->heading(out, 2, head);
	add_markdown(paper, note->text, out);
	if (class)
		add_markdown(paper, class->text, out);
	add_fields(paper, class ? class : note, out);
	for (size_t i = 0; i < note->returns.n; i++) {
		const struct note_field *r = &note->returns.v[i];
		_cleanup_free_ char *text =
			str_fmt("Gives `%s`%s%s", r->type, r->text[0] ? ": " : ".", r->text);

		paper->text(out, text);
	}
}

/* A class without fields is a value that is only handed on. */
static void add_class(const struct paper *paper, const struct note *note, struct buf *out)
{
	if (note->fields.n == 0 && !note->parent) {
		paper->item(out, note->name, note->text);
		return;
	}
	paper->heading(out, 2, note->name);
	add_markdown(paper, note->text, out);
	add_fields(paper, note, out);
}

static void add_note(const struct paper *paper, const struct notes *notes, const struct note *note,
                     struct buf *out)
{
	switch (note->kind) {
	case NOTE_SECTION:
		paper->heading(out, 1, note->name);
		break;
	case NOTE_FUNCTION:
		add_function(paper, notes, note, out);
		break;
	case NOTE_CLASS:
		if (!is_taken(notes, note))
			add_class(paper, note, out);
		break;
	case NOTE_ALIAS:
		paper->heading(out, 2, note->name);
		{
			_cleanup_free_ char *text = str_fmt("One of `%s`.", note->type);

			paper->text(out, text);
		}
		break;
	}
}

void reference_recipe(const struct paper *paper, const char *annotations, struct buf *out)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct notes notes = { 0 };

	notes_parse(arena, annotations, &notes);
	for (size_t i = 0; i < notes.list.n; i++)
		add_note(paper, &notes, &notes.list.v[i], out);
	notes_deinit(&notes);
}
