/* Container files: the table of their fields, and what a table cannot say. */
#include "model/container.h"

#include "base/path.h"
#include "base/str.h"

static const char *const distributions[] = { "debian", NULL };
static const char *const architectures[] = { "amd64",   "arm64",   "armhf", "i386",
	                                     "ppc64el", "riscv64", "s390x", NULL };

static const struct schema_field file_fields[] = {
	{ "deb", SCHEMA_STRING, true, "the package it is taken from, NAME:ARCH", NULL, NULL },
	{ "path", SCHEMA_STRING, true, "its path in the package", NULL, NULL },
	{ "to", SCHEMA_STRING, true, "its path in the image", NULL, NULL },
	{ 0 },
};

const struct schema_field container_fields[] = {
	{ "api", SCHEMA_INT, true, "1", NULL, NULL },
	{ "distribution", SCHEMA_STRING, true, "whose packages", distributions, NULL },
	{ "suite", SCHEMA_STRING, true, "the release's code name", NULL, NULL },
	{ "architectures", SCHEMA_STRINGS, true, "the build architecture first, then foreign ones",
	  architectures, NULL },
	{ "packages", SCHEMA_STRINGS, true, "NAME, NAME:ARCH, or either with =VERSION", NULL,
	  NULL },
	{ "files", SCHEMA_OBJECTS, false, "single files out of other packages", NULL, file_fields },
	{ "snapshot", SCHEMA_STRING, false, "time of the archive, like 20260102T030405Z", NULL,
	  NULL },
	{ 0 },
};

static bool is_package(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

	if (n < 2)
		return false;
	if (s[n] == ':') {
		size_t arch = strspn(s + n + 1, "abcdefghijklmnopqrstuvwxyz0123456789");

		if (!arch)
			return false;
		n += 1 + arch;
	}
	if (s[n] == '=')
		return s[n + 1] && !strpbrk(s + n + 1, " \t\n/,");
	return s[n] == '\0';
}

/* Paths count from the root, with or without the slash in front. */
static bool is_path(const char *path)
{
	path += path[0] == '/';
	return path[0] && path_is_tree(path);
}

static int check_packages(const struct definition *c, struct err *err)
{
	json_t *packages = json_object_get(yaml_doc_json(c->yaml), "packages");
	size_t i;
	json_t *v;

	json_array_foreach (packages, i, v) {
		_cleanup_free_ char *pointer = str_fmt("/packages/%zu", i);

		if (!is_package(json_string_value(v)))
			return yaml_doc_refuse(c->yaml, pointer, false,
			                       "write NAME, NAME:ARCH, or either with =VERSION",
			                       err, "packages: \"%.80s\" names no package",
			                       json_string_value(v));
	}
	return 0;
}

static int check_files(const struct definition *c, struct err *err)
{
	json_t *files = json_object_get(yaml_doc_json(c->yaml), "files");
	size_t i;
	json_t *v;

	json_array_foreach (files, i, v) {
		_cleanup_free_ char *pointer = str_fmt("/files/%zu", i);

		if (!is_package(json_str_or(v, "deb", "")))
			return yaml_doc_refuse(c->yaml, pointer, false, "write NAME:ARCH", err,
			                       "files: deb: \"%.80s\" names no package",
			                       json_str_or(v, "deb", ""));
		if (!is_path(json_str_or(v, "path", "")) || !is_path(json_str_or(v, "to", "")))
			return yaml_doc_refuse(
				c->yaml, pointer, false, NULL, err,
				"files: path and to must be paths from the root, without . and ..");
	}
	return 0;
}

static int check(const struct definition *c, struct err *err)
{
	json_t *all = yaml_doc_json(c->yaml);

	if (json_array_size(json_object_get(all, "architectures")) == 0)
		return yaml_doc_refuse(c->yaml, "/architectures", false, NULL, err,
		                       "architectures: name at least one");
	if (check_packages(c, err) < 0)
		return -1;
	return check_files(c, err);
}

int container_load(const char *project, const char *name, struct definition *ret, struct err *err)
{
	struct definition def = { 0 };
	int rc = definition_load(project, "containers", name, container_fields, &def, err);

	if (rc != 0)
		return rc;
	if (check(&def, err) < 0) {
		definition_deinit(&def);
		return -1;
	}
	*ret = def;
	return 0;
}
