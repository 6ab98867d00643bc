#ifndef KILN_EXTERNAL_YAML_H
#define KILN_EXTERNAL_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"
#include "external/json.h"

/*
 * YAML by libyaml, as the JSON that it means, with the place of every part. Strict, so that a file
 * means one thing to everybody: one document, no anchors, aliases, tags or duplicate keys; plain
 * scalars are null, true, false, whole numbers or text, and what other readers take for something
 * else (1.10, 0644, yes) must be quoted. Size and depth are capped.
 */
struct yaml_doc;

struct yaml_place {
	size_t line, column; /* from 1; columns are characters */
};

/* `name` stands in errors. The text is copied. ERR_INPUT with file:line and the source line. */
int yaml_doc_parse(const char *text, size_t n, const char *name, struct yaml_doc **ret,
                   struct err *err);
struct yaml_doc *yaml_doc_free(struct yaml_doc *yaml); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct yaml_doc, yaml_doc)
#define _cleanup_yaml_ __attribute__((cleanup(yaml_doc_cleanup)))

json_t *yaml_doc_json(const struct yaml_doc *yaml); /* borrowed */
/*
 * Where a part begins, by JSON pointer ("/targets/x86_64-…/bolt", "" is the whole); with `key` the
 * place of the member's name. False when there is no such part.
 */
bool yaml_doc_where(const struct yaml_doc *yaml, const char *pointer, bool key,
                    struct yaml_place *ret);
/*
 * Fails with ERR_INPUT: "NAME:LINE: text", the source line, a caret, and `note` (may be NULL)
 * behind it. A pointer that is not there is looked for upwards.
 */
int yaml_doc_refuse(const struct yaml_doc *yaml, const char *pointer, bool key, const char *note,
                    struct err *err, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
