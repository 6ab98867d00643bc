#include "model/cargo.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "model/spdx.h"

static void add_program(json_t *bins, const char *name)
{
	size_t i;
	json_t *known;

	json_array_foreach (bins, i, known)
		if (str_eq(json_string_value(known), name))
			return;
	json_array_append_new(bins, json_string(name));
}

/* What a [[bin]] table names is not found a second time by its path. */
static bool is_listed(const json_t *listed, const char *name, const char *path)
{
	size_t i;
	json_t *bin;

	json_array_foreach ((json_t *)listed, i, bin)
		if (str_eq(json_str_or(bin, "name", ""), name) ||
		    str_eq(json_str_or(bin, "path", ""), path))
			return true;
	return false;
}

/* The program that a file makes by its place; NULL: none. In new memory. */
static char *program_of(const char *package, const char *file)
{
	static const char folder[] = "src/bin/", main_file[] = "/main.rs";
	const char *entry = file + strlen(folder);
	size_t n;

	if (str_eq(file, "src/main.rs"))
		return str_dup(package);
	if (!str_starts(file, folder))
		return NULL;
	n = strlen(entry);
	if (strchr(entry, '/'))
		n = str_ends(entry, main_file) ? n - strlen(main_file) : 0;
	else
		n = str_ends(entry, ".rs") ? n - strlen(".rs") : 0;
	return n > 0 && !memchr(entry, '/', n) ? str_dup_n(entry, n) : NULL;
}

int cargo_programs(const json_t *toml, const char *package, const char *const *files, json_t *bins,
                   struct err *err)
{
	const json_t *listed = json_object_get(toml, "bin");
	const json_t *named = json_object_get(toml, "package");
	json_t *bin;
	size_t i;

	json_array_foreach ((json_t *)listed, i, bin) {
		if (!json_is_string(json_object_get(bin, "name")))
			return err_set(err, ERR_INPUT, "[[bin]] number %zu has no name", i + 1);
		if (json_array_size(json_object_get(bin, "required-features")) == 0)
			add_program(bins, json_str_or(bin, "name", ""));
	}
	if (json_is_false(json_object_get(named, "autobins")))
		return 0;
	for (; *files; files++) {
		_cleanup_free_ char *name = program_of(package, *files);

		if (name && str_is_utf8(str_of(name)) && !is_listed(listed, name, *files))
			add_program(bins, name);
	}
	return 0;
}

char *cargo_license(const char *written)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4096);

	for (const char *p = written; *p; p++)
		if (*p != '/')
			buf_add_char(&text, *p);
		else
			buf_add_str(&text, " OR ");
	return str_dup(spdx_fault(buf_text(&text)) ? written : buf_text(&text));
}
