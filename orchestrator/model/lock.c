/* The lock as a JSON object with paths of keys; callers name sections, not members. */
#include "model/lock.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "external/crypto.h"
#include "host/fs.h"

static const char schema[] = "kiln.lock/1";

json_t *lock_new(void)
{
	return json_pack("{s:s}", "schema", schema);
}

int lock_read(const char *path, json_t **ret, struct digest *ret_digest, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(JSON_FILE_MOST);
	_cleanup_json_ json_t *lock = NULL;
	const char *got;
	int rc = fs_read(AT_FDCWD, path, &text, err);

	if (rc)
		return rc;
	if (json_parse(buf_text(&text), text.n, path, &lock, err) < 0)
		return err_hint(
			err, "%s",
			strstr(buf_text(&text), "<<<<<<<") ?
				"it has the marks of a merge: take one side of it, then pin "
				"anew: kiln lock" :
				"take it back from version control; or remove it and pin anew: "
				"kiln lock");
	got = json_str_or(lock, "schema", NULL);
	if (!got || !str_starts(got, "kiln.lock/"))
		return err_set(err, ERR_INPUT, "%s is no lock of Kiln (schema \"%s\" is missing)",
		               path, schema);
	if (!str_eq(got, schema)) {
		err_set(err, ERR_INPUT, "%s has the schema \"%s\"; this Kiln reads \"%s\"", path,
		        got, schema);
		return err_hint(err, "a newer Kiln wrote it: use that one, or lock anew with "
		                     "`kiln lock`");
	}
	if (ret_digest)
		digest_of(text.p, text.n, ret_digest);
	*ret = steal(lock);
	return 0;
}

int lock_write(const char *path, const json_t *lock, struct err *err)
{
	return json_write_file(AT_FDCWD, path, lock, err);
}

/* The member at a path of keys (NULL-ended), or NULL. */
static json_t *at(const json_t *lock, ...)
{
	const json_t *v = lock;
	const char *key;
	va_list ap;

	va_start(ap, lock);
	while (v && (key = va_arg(ap, const char *)))
		v = json_object_get(v, key);
	va_end(ap);
	return (json_t *)v;
}

/* Sets the member at a path, making objects on the way; takes `value` over. */
static void set(json_t *lock, json_t *value, ...)
{
	const char *key, *next;
	json_t *v = lock;
	va_list ap;

	va_start(ap, value);
	key = va_arg(ap, const char *);
	while ((next = va_arg(ap, const char *))) {
		json_t *child = json_object_get(v, key);

		if (!json_is_object(child)) {
			child = json_object();
			json_object_set_new(v, key, child);
		}
		v = child;
		key = next;
	}
	va_end(ap);
	json_object_set_new(v, key, value);
}

const json_t *lock_image(const json_t *lock, const char *name, const char *arch)
{
	return at(lock, "images", name, arch, NULL);
}

const json_t *lock_source(const json_t *lock, const char *recipe, const char *id)
{
	_cleanup_free_ char *key = str_fmt("%s@%s", id, recipe);

	return at(lock, "sources", key, NULL);
}

const json_t *lock_profile(const json_t *lock, const char *recipe, const char *triple,
                           const char *slot)
{
	return at(lock, "recipes", recipe, triple, "profiles", slot, NULL);
}

const json_t *lock_verdict(const json_t *lock, const char *recipe, const char *triple)
{
	return at(lock, "recipes", recipe, triple, "verdict", NULL);
}

const char *lock_toolchain(const json_t *lock, const char *name)
{
	return json_string_value(at(lock, "toolchains", name, NULL));
}

const char *lock_library(const json_t *lock)
{
	return json_string_value(at(lock, "library", NULL));
}

void lock_set_image(json_t *lock, const char *name, const char *arch, json_t *value)
{
	set(lock, value, "images", name, arch, NULL);
}

void lock_set_source(json_t *lock, const char *recipe, const char *id, json_t *value)
{
	_cleanup_free_ char *key = str_fmt("%s@%s", id, recipe);

	set(lock, value, "sources", key, NULL);
}

void lock_set_profile(json_t *lock, const char *recipe, const char *triple, const char *slot,
                      json_t *value)
{
	set(lock, value, "recipes", recipe, triple, "profiles", slot, NULL);
}

void lock_set_verdict(json_t *lock, const char *recipe, const char *triple, json_t *value)
{
	set(lock, value, "recipes", recipe, triple, "verdict", NULL);
}

void lock_set_toolchain(json_t *lock, const char *name, const char *digest)
{
	set(lock, json_string(digest), "toolchains", name, NULL);
}

void lock_set_library(json_t *lock, const char *digest)
{
	set(lock, json_string(digest), "library", NULL);
}
