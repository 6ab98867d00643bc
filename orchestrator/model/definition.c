/*
 * Toolchains and containers are looked up by name in one way: what the project brings overrides
 * what travels inside the program.
 */
#include "model/definition.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/crypto.h"
#include "model/embedded.h"

enum { DEFINITION_MOST = 1 << 20 };

void definition_deinit(struct definition *definition)
{
	free(definition->path);
	yaml_doc_free(definition->yaml);
	*definition = (struct definition){ 0 };
}

static bool is_name(const char *name)
{
	if (!isalnum((unsigned char)name[0]) || strlen(name) > 100)
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._+-", *p))
			return false;
	return true;
}

/* Reads the project's file. Returns 0 or FS_MISSING. */
static int read_own(const char *project, const char *path, struct buf *text, struct err *err)
{
	_cleanup_free_ char *full = path_join(project, path);

	return fs_read(AT_FDCWD, full, text, err);
}

static int find(const char *project, const char *folder, const char *name, struct definition *def,
                struct buf *text, struct err *err)
{
	_cleanup_free_ char *embedded = str_fmt("%s/%s.yaml", folder, name);
	const struct embedded_file *file;

	if (project) {
		_cleanup_free_ char *own = str_fmt(".kiln/%s/%s.yaml", folder, name);
		int rc = read_own(project, own, text, err);

		if (rc == 0)
			def->path = steal(own);
		if (rc != FS_MISSING)
			return rc;
	}
	file = embedded_find(embedded);
	if (!file)
		return DEFINITION_UNKNOWN;
	buf_add(text, file->data, file->size);
	def->path = steal(embedded);
	def->embedded = true;
	return 0;
}

static int check(struct definition *def, const struct schema_field *fields, struct err *err)
{
	const struct schema_field *const tables[] = { fields, NULL };
	struct schema_fault fault;
	json_t *json = yaml_doc_json(def->yaml);
	json_t *api;

	if (schema_check(json, tables, &fault))
		return yaml_doc_refuse(def->yaml, fault.pointer, fault.at_key, fault.note, err,
		                       "%s", fault.text);
	api = json_object_get(json, "api");
	if (json_integer_value(api) != 1)
		return yaml_doc_refuse(def->yaml, "/api", false, "this Kiln knows api: 1", err,
		                       "api: %lld is unknown", (long long)json_integer_value(api));
	return 0;
}

int definition_load(const char *project, const char *folder, const char *name,
                    const struct schema_field *fields, struct definition *ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(DEFINITION_MOST);
	struct definition def = { 0 };
	int rc;

	if (!is_name(name))
		return DEFINITION_UNKNOWN;
	rc = find(project, folder, name, &def, &text, err);
	if (rc == 0) {
		digest_of(buf_text(&text), text.n, &def.digest);
		rc = yaml_doc_parse(buf_text(&text), text.n, def.path, &def.yaml, err);
	}
	if (rc == 0)
		rc = check(&def, fields, err);
	if (rc != 0) {
		definition_deinit(&def);
		return rc;
	}
	*ret = def;
	return 0;
}

/* Adds the NAME of "NAME.yaml", once. */
static void add_name(struct fs_names *names, const char *file)
{
	size_t n = strlen(file);

	if (n <= 5 || !str_ends(file, ".yaml"))
		return;
	for (size_t i = 0; i < names->names.n; i++)
		if (strlen(names->names.v[i]) == n - 5 &&
		    strncmp(names->names.v[i], file, n - 5) == 0)
			return;
	fs_names_add(names, file, n - 5);
}

int definition_names(const char *project, const char *folder, struct fs_names *ret, struct err *err)
{
	_cleanup_free_ char *prefix = str_fmt("%s/", folder);
	struct fs_names names = { 0 };

	for (size_t i = 0; i < kiln_embedded_count; i++)
		if (str_starts(kiln_embedded[i].path, prefix))
			add_name(&names, kiln_embedded[i].path + strlen(prefix));
	if (project) {
		_cleanup_free_ char *own = str_fmt("%s/.kiln/%s", project, folder);
		struct fs_names files = { 0 };
		int rc = fs_list(AT_FDCWD, own, &files, err);

		for (size_t i = 0; rc == 0 && i < files.names.n; i++)
			add_name(&names, files.names.v[i]);
		fs_names_deinit(&files);
		if (rc < 0) {
			fs_names_deinit(&names);
			return -1;
		}
	}
	array_sort(&names.names, str_cmp_ptr);
	*ret = names;
	return 0;
}

int definition_refuse(const char *project, const char *folder, const char *what, const char *name,
                      struct err *err)
{
	_cleanup_buf_ struct buf all = BUF_INIT(ERR_HINT_MAX / 2);
	struct fs_names names = { 0 };
	const char *near;

	if (definition_names(project, folder, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.names.n; i++)
		buf_fmt(&all, "%s%s", i ? ", " : "", names.names.v[i]);
	array_push(&names.names, NULL);
	near = str_nearest(name, (const char *const *)names.names.v);
	err_set(err, ERR_INPUT, "unknown %s \"%.80s\"", what, name);
	if (near)
		err_hint(err,
		         "did you mean \"%s\"? (there are: %s; a project adds its own as "
		         ".kiln/%s/NAME.yaml)",
		         near, buf_text(&all), folder);
	else
		err_hint(err, "there are: %s; a project adds its own as .kiln/%s/NAME.yaml",
		         buf_text(&all), folder);
	names.names.n--;
	fs_names_deinit(&names);
	return -1;
}
