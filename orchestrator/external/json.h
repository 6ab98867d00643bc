#ifndef KILN_EXTERNAL_JSON_H
#define KILN_EXTERNAL_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * JSON by jansson, strict: duplicate keys, NUL in strings, bad UTF-8, trailing text and numbers
 * out of range are refused. Documents that are hashed or signed hold no floats.
 * `json_t *` is the tree everywhere; own references are dropped with _cleanup_json_.
 */
void json_cleanup(json_t **json);
#define _cleanup_json_ __attribute__((cleanup(json_cleanup)))

/* Parses text of n bytes; `what` names it in errors (ERR_INPUT with line and column). */
int json_parse(const char *text, size_t n, const char *what, json_t **ret, struct err *err);
enum { JSON_FILE_MOST = 64 << 20 }; /* bytes of a file that is read or written */

/* Reads a file. Returns 0 or FS_MISSING. */
int json_read_file(int dirfd, const char *path, json_t **ret, struct err *err);
/* Writes it for people, durably and whole or not at all; what json_read_file could not read back
 * for its size is ERR_INPUT. */
int json_write_file(int dirfd, const char *path, const json_t *json, struct err *err);
/* Canonical: keys sorted, no white space, no newline at the end. */
void json_write_canonical(const json_t *json, struct buf *buf);
/* For people: keys sorted, two spaces, newline at the end. */
void json_write_pretty(const json_t *json, struct buf *buf);

/*
 * Members of an object whose shape is fixed. `what` names the document. A missing or mistyped
 * member is ERR_INPUT naming it. Strings point into the document.
 */
int json_get_str(const json_t *object, const char *key, const char *what, const char **ret,
                 struct err *err);
int json_get_int(const json_t *object, const char *key, const char *what, json_int_t *ret,
                 struct err *err);
int json_get_object(const json_t *object, const char *key, const char *what, json_t **ret,
                    struct err *err);
int json_get_array(const json_t *object, const char *key, const char *what, json_t **ret,
                   struct err *err);
/* A string of any bytes, a path for one: as it is where it is UTF-8, else as str_escape shows it. */
json_t *json_any_text(const char *text);
/* The member as text, or `fallback` where it is missing or null. */
const char *json_str_or(const json_t *object, const char *key, const char *fallback);
/* Refuses members that are not in the NULL-ended list, naming the nearest. */
int json_only_members(const json_t *object, const char *const *names, const char *what,
                      struct err *err);

#endif
