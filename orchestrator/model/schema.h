#ifndef KILN_MODEL_SCHEMA_H
#define KILN_MODEL_SCHEMA_H

#include <stdbool.h>

#include "external/json.h"

/*
 * What an object may hold, as data: one table serves the checker, the errors, the JSON Schemas and
 * the reference. A table ends with a field whose name is NULL.
 */
enum schema_type {
	SCHEMA_STRING,
	SCHEMA_INT, /* a whole number ≥ 0 */
	SCHEMA_BOOL,
	SCHEMA_STRINGS, /* list of strings; in argv-like lists a number is taken as its text */
	SCHEMA_INTS,    /* list of whole numbers */
	SCHEMA_MAP,     /* object of strings; a number is taken as its text */
	SCHEMA_REF,    /* a stage output or a leaf: {"$stage":…,"path":…} or {"$leaf":…,"path":…} */
	SCHEMA_REFS,   /* list of those */
	SCHEMA_OBJECT, /* by `fields` */
	SCHEMA_OBJECTS, /* list of objects by `fields` */
	SCHEMA_NAMED,   /* object of objects by `fields`, under names of the writer's choice */
	SCHEMA_OUTPUTS, /* list of tree paths or of {path, exclude, non_empty} */
	SCHEMA_ANY,     /* JSON as it is */
};

struct schema_field {
	const char *name;
	enum schema_type type;
	bool required;
	const char *doc;
	const char *const *values;         /* allowed strings, NULL-ended; NULL: any */
	const struct schema_field *fields; /* of SCHEMA_OBJECT, SCHEMA_OBJECTS and SCHEMA_NAMED */
};

/* Outcome: the object does not fit; the fault says why. */
enum { SCHEMA_REFUSED = 1, SCHEMA_POINTER_SIZE = 512 };

/* What does not fit, without a place: whoever read the object knows where its parts stand. */
struct schema_fault {
	char pointer
		[SCHEMA_POINTER_SIZE]; /* JSON pointer of the part, or of the nearest that is there */
	bool at_key;                   /* it is the member's name that is wrong */
	char text[512];                /* "unknown field \"targts\"" */
	char note[512];                /* "did you mean \"targets\"?", or empty */
};

/*
 * Checks an object against one or more tables (NULL-ended) and makes it regular in place: an empty
 * list where an object is wanted becomes one (Lua cannot tell them apart), numbers in lists of
 * strings become their text. Members that are null count as missing and are taken out.
 * Returns 0 or SCHEMA_REFUSED.
 */
int schema_check(json_t *object, const struct schema_field *const *tables,
                 struct schema_fault *ret_fault);
/* The field of that name, or NULL. */
const struct schema_field *schema_find(const struct schema_field *const *tables, const char *name);
/* The same tables as a JSON Schema (draft 2020-12) for editors; a new reference. */
json_t *schema_to_json_schema(const struct schema_field *fields, const char *title);

/* The name nearest to a word among the fields, or NULL. */
const char *schema_nearest(const struct schema_field *const *tables, const char *word);

#endif
