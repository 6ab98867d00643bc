/*
 * cargo.manifest. Nothing of cargo is run: a manifest is a table of facts, and finding the programs
 * of a package is Cargo's rule about file names. As everywhere here an inner half owns things and
 * never raises, an outer half owns nothing and raises last.
 */
#include "recipe/manifest.h"

#include <fcntl.h>
#include <lauxlib.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "external/toml.h"
#include "host/fs.h"
#include "model/cargo.h"
#include "recipe/diagnose.h"
#include "recipe/values.h"

struct manifest {
	struct recipe_state *state;
	char *dir;           /* the package's folder, a tree path in the project; "" is its root */
	char *path;          /* of its Cargo.toml */
	json_t *toml, *root; /* root: of the workspace, read when something is inherited; or NULL */
	const json_t *package;
	json_t *fact;
	char *note; /* what the user should know about the answer, or NULL */
};

static void manifest_deinit(struct manifest *m)
{
	free(m->dir);
	free(m->path);
	free(m->note);
	json_decref(m->toml);
	json_decref(m->root);
	json_decref(m->fact);
}
#define _cleanup_manifest_ _cleanup_(manifest_deinit)

__attribute__((format(printf, 3, 4))) static int refuse(struct recipe_state *state,
                                                        const char *note, const char *fmt, ...)
{
	const struct fault_at at = { .place = state_place(state->L), .callee = "manifest" };
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	return diagnose(state, &at, note, state_err(state), "cargo.manifest: %s", text);
}

static char *below(const char *dir, const char *path)
{
	return dir[0] ? path_join(dir, path) : str_dup(path);
}

/* Reads DIR/Cargo.toml. Returns 0, or FS_MISSING. */
static int read_toml(struct recipe_state *state, const char *path, json_t **ret)
{
	const struct recipe_file *file;
	struct err fault = ERR_INIT;
	int rc = state_read(state, path, &file, &fault);

	if (rc < 0)
		return refuse(state, NULL, "%s", fault.cause);
	if (rc > 0)
		return rc;
	return toml_read((struct str){ file->text, file->n }, path, ret, state_err(state));
}

/* The nearest Cargo.toml above with a [workspace], the package's own first. */
static int find_root(struct manifest *m)
{
	_cleanup_free_ char *dir = str_dup(m->dir);

	for (;;) {
		_cleanup_free_ char *path = below(dir, "Cargo.toml");
		_cleanup_json_ json_t *toml = NULL;
		char *slash = strrchr(dir, '/');
		int rc = read_toml(m->state, path, &toml);

		if (rc < 0)
			return -1;
		if (rc == 0 && json_object_get(toml, "workspace")) {
			m->root = steal(toml);
			return 0;
		}
		if (!dir[0])
			return refuse(m->state, NULL,
			              "%s inherits from its workspace, and no Cargo.toml above it "
			              "has a [workspace]",
			              m->path);
		*(slash ? slash : dir) = '\0';
	}
}

/* A text of [package], inherited where it says so; *ret NULL: there is none. */
static int take_text(struct manifest *m, const char *name, const char **ret)
{
	const json_t *value = json_object_get(m->package, name), *shared;

	*ret = NULL;
	if (json_is_object(value) && json_is_true(json_object_get(value, "workspace"))) {
		if (!m->root && find_root(m) < 0)
			return -1;
		shared = json_object_get(json_object_get(m->root, "workspace"), "package");
		value = json_object_get(shared, name);
		if (!value)
			return refuse(m->state, NULL,
			              "%s inherits %s, and [workspace.package] has none", m->path,
			              name);
	}
	if (value && !json_is_string(value))
		return refuse(m->state, NULL, "%s: %s of [package] is no text", m->path, name);
	*ret = json_string_value(value);
	return 0;
}

static int add_text(struct manifest *m, const char *name)
{
	const char *text;

	if (take_text(m, name, &text) < 0)
		return -1;
	if (text)
		json_object_set_new(m->fact, name, json_string(text));
	return 0;
}

static int add_license(struct manifest *m)
{
	const char *written, *file;
	_cleanup_free_ char *read = NULL;

	if (take_text(m, "license", &written) < 0 || take_text(m, "license-file", &file) < 0)
		return -1;
	if (file)
		json_object_set_new(m->fact, "license_file", json_string(file));
	if (!written)
		return 0;
	read = cargo_license(written);
	json_object_set_new(m->fact, "license", json_string(read));
	if (!str_eq(read, written))
		m->note = str_fmt("cargo.manifest: %s: the license \"%s\" is read as \"%s\"",
		                  m->path, written, read);
	return 0;
}

/* ---- programs ----------------------------------------------------------------------------- */

/* Returns 1 where the package has a regular file there. */
static int has_file(struct manifest *m, const char *path)
{
	_cleanup_free_ char *full = below(m->dir, path);
	struct err fault = ERR_INIT;
	struct stat st;
	int rc = state_look(m->state, full, NULL, &st, &fault);

	if (rc < 0)
		return refuse(m->state, NULL, "%s", fault.cause);
	return rc == 0 && S_ISREG(st.st_mode);
}

/* Returns 0, or FS_MISSING. */
static int list_bin_folder(struct manifest *m, struct fs_names *ret)
{
	_cleanup_free_ char *full = below(m->dir, "src/bin");
	_cleanup_fd_ int project = -1, fd = -1;
	struct err fault = ERR_INIT;
	struct stat st;
	int rc = state_look(m->state, full, NULL, &st, &fault);

	if (rc == 0 && !S_ISDIR(st.st_mode))
		return FS_MISSING;
	if (rc == 0)
		rc = fs_open_dir(AT_FDCWD, m->state->request->project, &project, &fault);
	if (rc == 0)
		rc = fs_open_beneath(project, full, O_RDONLY | O_DIRECTORY, 0, false, &fd, &fault);
	if (rc == 0)
		rc = fs_list(fd, ".", ret, &fault);
	if (rc == 0)
		state_note_listing(m->state, full, ret);
	return rc < 0 ? refuse(m->state, NULL, "%s", fault.cause) : rc;
}

struct files {
	ARRAY(char *) list;
};

static void files_deinit(struct files *files)
{
	for (size_t i = 0; i < files->list.n; i++)
		free(files->list.v[i]);
	array_deinit(&files->list);
}
#define _cleanup_files_ _cleanup_(files_deinit)

static int add_file(struct manifest *m, char *path, struct files *files)
{
	int rc = has_file(m, path);

	if (rc > 0)
		array_push(&files->list, path);
	else
		free(path);
	return rc < 0 ? -1 : 0;
}

/* src/main.rs, src/bin/NAME.rs and src/bin/NAME/main.rs. */
static int find_files(struct manifest *m, struct files *files)
{
	struct fs_names names = { 0 };
	int rc = add_file(m, str_dup("src/main.rs"), files);

	if (rc == 0)
		rc = list_bin_folder(m, &names);
	for (size_t i = 0; rc == 0 && i < names.names.n; i++) {
		const char *entry = names.names.v[i];

		rc = add_file(
			m, str_fmt("src/bin/%s%s", entry, str_ends(entry, ".rs") ? "" : "/main.rs"),
			files);
	}
	fs_names_deinit(&names);
	return rc < 0 ? -1 : 0;
}

static int add_bins(struct manifest *m)
{
	_cleanup_files_ struct files files = { 0 };
	json_t *bins = json_array();
	struct err fault = ERR_INIT;

	json_object_set_new(m->fact, "bins", bins);
	if (find_files(m, &files) < 0)
		return -1;
	array_push(&files.list, NULL);
	if (cargo_programs(m->toml, json_str_or(m->fact, "name", ""),
	                   (const char *const *)files.list.v, bins, &fault) < 0)
		return refuse(m->state, NULL, "%s: %s", m->path, fault.cause);
	return 0;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static int read_manifest(struct manifest *m, const char *dir)
{
	struct recipe_state *state = m->state;
	int rc;

	if (!str_eq(dir, ".") && !path_is_tree(dir))
		return refuse(state, NULL, "the folder \"%s\" %s", dir, path_tree_fault(dir));
	m->dir = str_eq(dir, ".") ? str_dup(state->folder) : below(state->folder, dir);
	m->path = below(m->dir, "Cargo.toml");
	rc = read_toml(state, m->path, &m->toml);
	if (rc < 0)
		return -1;
	if (rc > 0)
		return refuse(state, "name the package's folder, relative to the recipe",
		              "there is no file %s", m->path);
	m->package = json_object_get(m->toml, "package");
	if (json_is_object(m->package))
		return 0;
	return refuse(state,
	              json_object_get(m->toml, "workspace") ?
	                      "name the folder of one of its members, as in cargo.manifest "
	                      "\"crates/cli\"" :
	                      NULL,
	              "%s has no [package]", m->path);
}

/* The answer, borrowed: it stands in the document's facts once, and is spoken of once. */
static const json_t *note_fact(struct manifest *m)
{
	json_t *facts = json_object_get(m->state->document, "facts"), *fact;
	size_t i;

	json_array_foreach (facts, i, fact)
		if (json_equal(fact, m->fact))
			return fact;
	json_array_append(facts, m->fact);
	if (m->note && m->state->print)
		m->state->print(m->state->print_data, m->note);
	return m->fact;
}

static int manifest(struct recipe_state *state, const char *dir, const json_t **ret)
{
	_cleanup_manifest_ struct manifest m = { .state = state };

	if (read_manifest(&m, dir) < 0)
		return -1;
	m.fact = json_pack("{s:s}", "kind", "cargo.manifest");
	json_object_set_new(m.fact, "path", json_any_text(m.path));
	if (add_text(&m, "name") < 0 || add_text(&m, "version") < 0 || add_license(&m) < 0 ||
	    add_bins(&m) < 0)
		return -1;
	if (!json_object_get(m.fact, "name"))
		return refuse(state, NULL, "%s: [package] has no name", m.path);
	*ret = note_fact(&m);
	return 0;
}

static int api_cargo_manifest(lua_State *L)
{
	const json_t *fact = NULL;

	if (manifest(state_of(L), luaL_checkstring(L, 1), &fact) < 0)
		return state_raise(L);
	values_push(L, fact);
	return 1;
}

void manifest_open(lua_State *L)
{
	lua_pushcfunction(L, api_cargo_manifest);
	lua_setfield(L, -2, "cargo_manifest");
}
