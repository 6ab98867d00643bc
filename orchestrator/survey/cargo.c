/* Cargo: the manifest at the root, and those of the workspace's members. */
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/toml.h"
#include "model/cargo.h"
#include "model/version.h"
#include "survey/surveyor.h"

/* A package with programs. */
struct member {
	const char *name, *dir; /* dir: "" is the root */
	struct survey_words bins;
};

struct cargo {
	struct survey *s;
	json_t *root;
	ARRAY(struct member) members;
	ARRAY(json_t *) manifests; /* what members' names are borrowed from */
};

/* ---- what crates need of the system -------------------------------------------------------- */

/* Crates that look for something that Cargo does not bring. Those that carry the C sources along
 * (libz-sys, zstd-sys, libgit2-sys…) are not among them. */
static const struct {
	const char *crate;
	const char *package; /* Debian's */
} needs[] = {
	{ "alsa-sys", "libasound2-dev" },
	{ "bindgen", "libclang-dev" },
	{ "cmake", "cmake" },
	{ "curl-sys", "libcurl4-openssl-dev" },
	{ "fontconfig", "libfontconfig-dev" },
	{ "freetype-sys", "libfreetype-dev" },
	{ "libdbus-sys", "libdbus-1-dev" },
	{ "libsqlite3-sys", "libsqlite3-dev" },
	{ "libudev-sys", "libudev-dev" },
	{ "nasm-rs", "nasm" },
	{ "openssl-sys", "libssl-dev" },
	{ "pkg-config", "pkgconf" },
	{ "prost-build", "protobuf-compiler" },
};

static void find_needs(struct cargo *c)
{
	const char *text = survey_text(c->s, "Cargo.lock");
	json_t *lock = NULL, *package;
	struct err ignored = ERR_INIT;
	size_t i;

	if (!text) {
		survey_note(c->s,
		            "Cargo.lock is not tracked, and a build needs it: the crates that "
		            "it names are fetched by their digests");
		c->s->first = "cargo generate-lockfile; git add -f Cargo.lock; ";
		return;
	}
	if (toml_read(str_of(text), "Cargo.lock", &lock, &ignored) < 0)
		return;
	json_array_foreach (json_object_get(lock, "package"), i, package)
		for (size_t k = 0; k < ARRAY_LEN(needs); k++)
			if (str_eq(json_str_or(package, "name", ""), needs[k].crate))
				survey_add(&c->s->packages, needs[k].package);
	json_decref(lock);
}

/* ---- packages ----------------------------------------------------------------------------- */

static const char *below(struct cargo *c, const char *dir, const char *path)
{
	return dir[0] ? arena_fmt(c->s->arena, "%s/%s", dir, path) : path;
}

/* The manifest of a folder; NULL where it is none. The root's faults are the user's to see. */
static json_t *read_manifest(struct cargo *c, const char *dir, struct err *err)
{
	const char *path = below(c, dir, "Cargo.toml"), *text = survey_text(c->s, path);
	json_t *toml = NULL;

	if (text)
		(void)toml_read(str_of(text), path, &toml, err);
	return toml;
}

/* A text of [package], or what the workspace says where it is inherited; NULL: none. */
static const char *field(const struct cargo *c, const json_t *toml, const char *name)
{
	const json_t *value = json_object_get(json_object_get(toml, "package"), name);
	const json_t *shared = json_object_get(json_object_get(c->root, "workspace"), "package");

	if (json_is_object(value))
		value = json_object_get(shared, name);
	return json_string_value(value);
}

/* Which of the places that make a program a package has. */
static struct survey_words program_files(struct cargo *c, const char *dir)
{
	static const char *const globs[] = { "src/main.rs", "src/bin/*.rs", "src/bin/*/main.rs" };
	struct survey_words files = { 0 };
	size_t skip = dir[0] ? strlen(dir) + 1 : 0;

	for (size_t i = 0; i < ARRAY_LEN(globs); i++) {
		struct survey_words found = survey_glob(c->s, below(c, dir, globs[i]));

		for (size_t k = 0; k < found.n; k++)
			survey_add(&files, found.v[k] + skip);
		array_deinit(&found);
	}
	array_push(&files, NULL);
	return files;
}

static void add_member(struct cargo *c, const char *dir, json_t *toml)
{
	struct member member = { .name = field(c, toml, "name"), .dir = dir };
	struct survey_words files = program_files(c, dir);
	json_t *bins = json_array(), *bin;
	struct err ignored = ERR_INIT;
	size_t i;

	if (member.name)
		(void)cargo_programs(toml, member.name, files.v, bins, &ignored);
	json_array_foreach (bins, i, bin)
		survey_add(&member.bins, arena_str(c->s->arena, json_string_value(bin)));
	if (member.bins.n > 0)
		array_push(&c->members, member);
	json_decref(bins);
	array_deinit(&files);
}

static bool is_left_out(const struct cargo *c, const char *dir)
{
	const json_t *workspace = json_object_get(c->root, "workspace");
	const json_t *excluded = json_object_get(workspace, "exclude");
	json_t *one;
	size_t i;

	json_array_foreach ((json_t *)excluded, i, one)
		if (path_is_below(dir, json_string_value(one) ? json_string_value(one) : "") ||
		    str_eq(dir, json_string_value(one)))
			return true;
	return false;
}

/* Packages below a workspace's root. Which of them are members is a matter of globs and of paths in
 * dependencies; nearly always it is all that are not left out. */
static void find_members(struct cargo *c)
{
	struct survey_words found = survey_glob(c->s, "**/Cargo.toml");

	for (size_t i = 0; i < found.n; i++) {
		const char *path = found.v[i];
		size_t n = strlen(path) - strlen("Cargo.toml");
		const char *dir = n ? arena_str_n(c->s->arena, path, n - 1) : "";
		struct err ignored = ERR_INIT;
		json_t *toml;

		if (!dir[0] || survey_is_aside(path) || is_left_out(c, dir))
			continue;
		toml = read_manifest(c, dir, &ignored);
		if (!toml)
			continue;
		array_push(&c->manifests, toml);
		add_member(c, dir, toml);
	}
	array_deinit(&found);
}

/* The root's package, or that member which is called like the project, or all of them. */
static void choose(struct cargo *c)
{
	const struct member *chosen = NULL;
	struct survey *s = c->s;

	for (size_t i = 0; i < c->members.n; i++) {
		const struct member *m = &c->members.v[i];

		if (!m->dir[0] || (!chosen && (c->members.n == 1 || str_eq(m->name, s->name) ||
		                               survey_knows(&m->bins, s->name))))
			chosen = m;
	}
	for (size_t i = 0; i < c->members.n; i++)
		for (size_t k = 0; k < c->members.v[i].bins.n; k++)
			if (!chosen || chosen == &c->members.v[i])
				survey_add(&s->bins, c->members.v[i].bins.v[k]);
	if (chosen && chosen->dir[0])
		survey_set(s, "package", "of the workspace", "%s", survey_quote(s, chosen->name));
	if (chosen && c->members.n > 1)
		survey_note(s,
		            "other packages of the workspace have programs too; the recipe takes "
		            "%s alone",
		            chosen->name);
}

/* ---- the project -------------------------------------------------------------------------- */

static void read_about(struct cargo *c)
{
	struct survey *s = c->s;
	const json_t *toml = c->root;
	const char *version, *license;

	if (!json_object_get(toml, "package") && c->manifests.n > 0)
		toml = c->manifests.v[0];
	version = field(c, toml, "version");
	license = field(c, toml, "license");
	if (json_object_get(c->root, "package"))
		s->name = arena_str(
			s->arena, field(c, c->root, "name") ? field(c, c->root, "name") : s->name);
	if (version && !version_fault(version))
		s->version = arena_str(s->arena, version);
	if (license) {
		_cleanup_free_ char *read = cargo_license(license);

		s->license = arena_str(s->arena, read);
		s->license_from = "Cargo.toml";
	}
}

static const char *recognise(const struct survey *s)
{
	return survey_has(s, "Cargo.toml") ? "Cargo.toml" : NULL;
}

static void cargo_deinit(struct cargo *c)
{
	for (size_t i = 0; i < c->members.n; i++)
		array_deinit(&c->members.v[i].bins);
	for (size_t i = 0; i < c->manifests.n; i++)
		json_decref(c->manifests.v[i]);
	array_deinit(&c->members);
	array_deinit(&c->manifests);
	json_decref(c->root);
}

static int look(struct survey *s, struct err *err)
{
	_cleanup_(cargo_deinit) struct cargo c = { .s = s };

	c.root = read_manifest(&c, "", err);
	if (!c.root)
		return err->cause[0] ? -1 : err_set(err, ERR_INPUT, "Cargo.toml is no text");
	add_member(&c, "", c.root);
	if (json_object_get(c.root, "workspace"))
		find_members(&c);
	read_about(&c);
	choose(&c);
	if (s->bins.n == 0) {
		err_set(err, ERR_INPUT, "Cargo.toml describes a library: it makes no program");
		return err_hint(err, "Kiln releases programs; one that needs a feature is written "
		                     "by hand: cargo.build { bins = { \"NAME\" }, features = "
		                     "{ … } }");
	}
	survey_set(s, "bins", "as in Cargo.toml", "%s", survey_list(s, &s->bins));
	survey_propose_test(s, "cargo test", "{}", "runs the project's own tests before a release");
	find_needs(&c);
	return 0;
}

const struct surveyor surveyor_cargo = { "cargo", "Cargo", recognise, look };
