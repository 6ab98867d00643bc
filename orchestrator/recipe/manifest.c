/*
 * cargo.manifest. Nothing of cargo is run: a manifest is a table of facts, and finding the programs
 * of a package is Cargo's rule about file names. As everywhere here an inner half owns things and
 * never raises, an outer half owns nothing and raises last.
 */
#include "recipe/manifest.h"

#include <fcntl.h>
#include <lauxlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/toml.h"
#include "host/fs.h"
#include "model/spdx.h"
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

/* Before there were SPDX expressions, Cargo took "MIT/Apache-2.0" for a choice. */
static int add_license(struct manifest *m)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4096);
	const char *written, *file;

	if (take_text(m, "license", &written) < 0 || take_text(m, "license-file", &file) < 0)
		return -1;
	if (file)
		json_object_set_new(m->fact, "license_file", json_string(file));
	if (!written)
		return 0;
	for (const char *p = written; *p; p++)
		if (*p != '/')
			buf_add_char(&text, *p);
		else
			buf_add_str(&text, " OR ");
	if (!strchr(written, '/') || spdx_fault(buf_text(&text))) {
		json_object_set_new(m->fact, "license", json_string(written));
		return 0;
	}
	json_object_set_new(m->fact, "license", json_string(buf_text(&text)));
	m->note = str_fmt("cargo.manifest: %s: the license \"%s\" is read as \"%s\"", m->path,
	                  written, buf_text(&text));
	return 0;
}

/* ---- programs ----------------------------------------------------------------------------- */

static void add_bin(json_t *bins, const char *name)
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

	json_array_foreach (listed, i, bin)
		if (str_eq(json_str_or(bin, "name", ""), name) ||
		    str_eq(json_str_or(bin, "path", ""), path))
			return true;
	return false;
}

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
	return rc < 0 ? refuse(m->state, NULL, "%s", fault.cause) : rc;
}

/* src/bin/NAME.rs and src/bin/NAME/main.rs. */
static int find_in_folder(struct manifest *m, const json_t *listed, json_t *bins)
{
	struct fs_names names = { 0 };
	int rc = list_bin_folder(m, &names);

	for (size_t i = 0; rc == 0 && i < names.names.n; i++) {
		const char *entry = names.names.v[i];
		bool single = str_ends(entry, ".rs");
		_cleanup_free_ char *name = str_dup_n(entry, strlen(entry) - (single ? 3 : 0));
		_cleanup_free_ char *path =
			str_fmt("src/bin/%s%s", entry, single ? "" : "/main.rs");

		if (!name[0] || is_listed(listed, name, path) || !str_is_utf8(str_of(name)))
			continue;
		rc = has_file(m, path);
		if (rc > 0)
			add_bin(bins, name);
		rc = rc < 0 ? -1 : 0;
	}
	fs_names_deinit(&names);
	return rc < 0 ? -1 : 0;
}

/* Programs as Cargo finds them; those that need a feature are built on request alone. */
static int add_bins(struct manifest *m)
{
	const json_t *listed = json_object_get(m->toml, "bin");
	const char *name = json_str_or(m->fact, "name", "");
	json_t *bins = json_array(), *bin;
	size_t i;
	int rc;

	json_object_set_new(m->fact, "bins", bins);
	json_array_foreach (listed, i, bin) {
		if (!json_is_string(json_object_get(bin, "name")))
			return refuse(m->state, NULL, "%s: [[bin]] number %zu has no name", m->path,
			              i + 1);
		if (json_array_size(json_object_get(bin, "required-features")) == 0)
			add_bin(bins, json_str_or(bin, "name", ""));
	}
	if (json_is_false(json_object_get(m->package, "autobins")))
		return 0;
	if (!is_listed(listed, name, "src/main.rs")) {
		rc = has_file(m, "src/main.rs");
		if (rc < 0)
			return -1;
		if (rc > 0)
			add_bin(bins, name);
	}
	return find_in_folder(m, listed, bins);
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
