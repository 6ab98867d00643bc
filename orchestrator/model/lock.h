#ifndef KILN_MODEL_LOCK_H
#define KILN_MODEL_LOCK_H

#include "base/digest.h"
#include "external/json.h"

/*
 * kiln.lock: the only file that pins, at the project's root, JSON with sorted keys, schema
 * "kiln.lock/1":
 *   library                                   digest of the embedded library
 *   images.NAME.ARCH                          as image/ defines it
 *   toolchains.NAME                           digest of the YAML file
 *   sources.ID@RECIPE                         what a source resolved to (digest, date, version)
 *   recipes.NAME.TRIPLE.profiles.SLOT         {sha256, size, identity, path or url}
 *   recipes.NAME.TRIPLE.verdict               the verdict of what ships
 * A lock is a json_t object; sections that are not there are NULL.
 */
#define RECIPE_FILE "kiln.lua"
#define LOCK_FILE "kiln.lock"
#define LOCK_PROFILES "kiln.profiles"

/* An empty lock. */
json_t *lock_new(void);
/*
 * Reads a lock. Returns 0 or FS_MISSING. Another schema, a broken file: ERR_INPUT saying whether a
 * newer Kiln wrote it. *ret_digest (may be NULL) is that of the file's bytes: sha256sum agrees.
 */
int lock_read(const char *path, json_t **ret, struct digest *ret_digest, struct err *err);
/* Writes it durably, by rename. */
int lock_write(const char *path, const json_t *lock, struct err *err);

const json_t *lock_image(const json_t *lock, const char *name, const char *arch);
const json_t *lock_source(const json_t *lock, const char *recipe, const char *id);
const json_t *lock_profile(const json_t *lock, const char *recipe, const char *triple,
                           const char *slot);
const json_t *lock_verdict(const json_t *lock, const char *recipe, const char *triple);
const char *lock_toolchain(const json_t *lock, const char *name);
const char *lock_library(const json_t *lock);

/* Setting replaces; `value` is taken over (its reference is stolen). */
void lock_set_image(json_t *lock, const char *name, const char *arch, json_t *value);
void lock_set_source(json_t *lock, const char *recipe, const char *id, json_t *value);
void lock_set_profile(json_t *lock, const char *recipe, const char *triple, const char *slot,
                      json_t *value);
void lock_set_verdict(json_t *lock, const char *recipe, const char *triple, json_t *value);
void lock_set_toolchain(json_t *lock, const char *name, const char *digest);
void lock_set_library(json_t *lock, const char *digest);

#endif
