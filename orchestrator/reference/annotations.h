#ifndef KILN_REFERENCE_ANNOTATIONS_H
#define KILN_REFERENCE_ANNOTATIONS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/array.h"

/*
 * What a LuaCATS file (recipes/lib/kiln.d.lua) documents, in its order. Only the annotations that
 * file uses are known: class, field, alias, param, return, generic. All lies in the arena.
 */
enum note_kind { NOTE_SECTION, NOTE_CLASS, NOTE_ALIAS, NOTE_FUNCTION };

struct note_field {
	const char *name, *type, *text; /* a returned value has no name */
	bool optional;
};

struct note {
	enum note_kind kind;
	const char *name;                /* of a section: its title */
	const char *parent;              /* of a class, or NULL */
	const char *type;                /* of an alias */
	const char *args;                /* of a function, without the parentheses */
	const char *text;                /* Markdown; lines ended by '\n' */
	ARRAY(struct note_field) fields; /* of a class, or what a function takes */
	ARRAY(struct note_field) returns;
};

struct notes {
	ARRAY(struct note) list;
};

void notes_parse(struct arena *arena, const char *text, struct notes *ret);
void notes_deinit(struct notes *notes);
/* The class of that name, or NULL. */
const struct note *notes_class(const struct notes *notes, const char *name);

#endif
