#ifndef KILN_MODEL_SCHEMA_H
#define KILN_MODEL_SCHEMA_H

#include <stdbool.h>

/*
 * What an object may hold, as data: one table serves the checker, the errors, the JSON Schemas and
 * the reference. A table ends with a field whose name is NULL.
 */
enum schema_type {
	SCHEMA_STRING,
	SCHEMA_INT,      /* a whole number ≥ 0 */
	SCHEMA_BOOL,
	SCHEMA_STRINGS,  /* list of strings; in argv-like lists a number is taken as its text */
	SCHEMA_INTS,     /* list of whole numbers */
	SCHEMA_MAP,      /* object of strings */
	SCHEMA_REF,      /* a stage output or a leaf: {"$stage":…,"path":…} or {"$leaf":…,"path":…} */
	SCHEMA_REFS,     /* list of those */
	SCHEMA_OBJECT,   /* by `fields` */
	SCHEMA_OBJECTS,  /* list of objects by `fields` */
	SCHEMA_OUTPUTS,  /* list of tree paths or of {path, exclude, non_empty} */
	SCHEMA_ANY,      /* JSON as it is */
};

struct schema_field {
	const char *name;
	enum schema_type type;
	bool required;
	const char *doc;
	const char *const *values;          /* allowed strings, NULL-ended; NULL: any */
	const struct schema_field *fields;  /* of SCHEMA_OBJECT and SCHEMA_OBJECTS */
};

#endif
