/*
 * Parts of the document. Each is a Lua table that a schema judges; what a schema cannot say
 * (addresses, what is there twice) is judged here.
 */
#include "recipe/declare.h"

#include <ctype.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "model/spdx.h"
#include "model/version.h"
#include "recipe/diagnose.h"
#include "recipe/values.h"

enum { POOL_MOST = 4096 };

static const struct schema_field place_fields[] = {
	{ "where", SCHEMA_STRING, false, "the recipe's line, FILE:LINE", NULL, NULL },
	{ 0 },
};

static const struct schema_field address_fields[] = {
	{ "address", SCHEMA_STRING, true, "TARGET/VARIANT/NAME", NULL, NULL },
	{ 0 },
};

static const struct schema_field target_fields[] = {
	{ "triple", SCHEMA_STRING, true, "the target", NULL, NULL },
	{ "toolchain", SCHEMA_STRING, true, "what compiles for it", NULL, NULL },
	{ "image", SCHEMA_STRING, true, "the container its stages run in", NULL, NULL },
	{ "path", SCHEMA_STRINGS, false, "its folders with programs; default: /usr/bin, /bin", NULL,
	  NULL },
	{ "variants", SCHEMA_STRINGS, true, "from the simplest on", NULL, NULL },
	{ "ship", SCHEMA_STRING, true, "the variant that is released", NULL, NULL },
	{ "reference", SCHEMA_STRING, true, "the variant others are compared with", NULL, NULL },
	{ 0 },
};

static const char *const profile_kinds[] = { "pgo", "bolt", NULL };
static const struct schema_field profile_fields[] = {
	{ "id", SCHEMA_STRING, true, "TARGET/NAME", NULL, NULL },
	{ "target", SCHEMA_STRING, true, "the target", NULL, NULL },
	{ "kind", SCHEMA_STRING, true, "pgo or bolt", profile_kinds, NULL },
	{ "from", SCHEMA_REF, true, "the merged profile", NULL, NULL },
	{ "flags", SCHEMA_STRINGS, false, "flags that change what it fits to", NULL, NULL },
	{ "sources", SCHEMA_STRINGS, true, "ids of the leaves it was trained on", NULL, NULL },
	{ "sampled", SCHEMA_REF, false, "the same where the machine can sample branch stacks", NULL,
	  NULL },
	{ "after", SCHEMA_STRING, false, "id of the profile it stands on", NULL, NULL },
	{ "unseen", SCHEMA_REF, false, "what the held-out runs do that it never saw", NULL, NULL },
	{ 0 },
};

static const struct schema_field smoke_fields[] = {
	{ "target", SCHEMA_STRING, true, "the target", NULL, NULL },
	{ "variant", SCHEMA_STRING, true, "the variant", NULL, NULL },
	{ "stage", SCHEMA_REF, true, "the smoke stage", NULL, NULL },
	{ 0 },
};

static const struct schema_field test_fields[] = {
	{ "target", SCHEMA_STRING, true, "the target", NULL, NULL },
	{ "variant", SCHEMA_STRING, true, "the variant", NULL, NULL },
	{ "stage", SCHEMA_REF, true, "the stage that runs the project's own tests", NULL, NULL },
	{ 0 },
};

static const struct schema_field image_fields[] = {
	{ "name", SCHEMA_STRING, true, "what targets and stages call it", NULL, NULL },
	{ "base", SCHEMA_STRING, true, "the container it begins with", NULL, NULL },
	{ "packages", SCHEMA_STRINGS, true, "what is added: NAME, NAME:ARCH", NULL, NULL },
	{ 0 },
};

static const char *const data_lists[] = { "train", "holdout", NULL };
static const struct schema_field workload_data_fields[] = {
	{ "list", SCHEMA_STRING, true, "train or holdout", data_lists, NULL },
	{ "path", SCHEMA_STRING, true, "what the run calls it", NULL, NULL },
	{ "shared", SCHEMA_BOOL, false, "both lists may have it", NULL, NULL },
	{ "from", SCHEMA_REF, true, "a source, or a path in one", NULL, NULL },
	{ 0 },
};

static const struct schema_field artefact_fields[] = {
	{ "target", SCHEMA_STRING, true, "the target", NULL, NULL },
	{ "variant", SCHEMA_STRING, true, "the variant", NULL, NULL },
	{ "kind", SCHEMA_STRING, true, "archive, deb, …", NULL, NULL },
	{ "name", SCHEMA_STRING, true, "file name in dist/", NULL, NULL },
	{ "media_type", SCHEMA_STRING, true, "its media type", NULL, NULL },
	{ "from", SCHEMA_REF, true, "what a stage makes", NULL, NULL },
	{ 0 },
};

static const struct schema_field recipe_fields[] = {
	{ "name", SCHEMA_STRING, true, "the release's name", NULL, NULL },
	{ "version", SCHEMA_ANY, true, "its version, or a fact of a leaf", NULL, NULL },
	{ "license", SCHEMA_ANY, true, "SPDX expression, or a fact of a leaf", NULL, NULL },
	{ "summary", SCHEMA_STRING, false, "one line", NULL, NULL },
	{ "homepage", SCHEMA_STRING, false, "its address", NULL, NULL },
	{ "date", SCHEMA_ANY, true, "seconds since 1970, or a fact of a leaf", NULL, NULL },
	{ "pools", SCHEMA_ANY, false, "how many stages of each pool run at once", NULL, NULL },
	{ 0 },
};

static const struct {
	const char *what, *list;
	const struct schema_field *fields;
} items[] = {
	{ "target", "targets", target_fields },
	{ "profile", "profiles", profile_fields },
	{ "smoke", "smoke", smoke_fields },
	{ "test", "tests", test_fields },
	{ "image", "images", image_fields },
	{ "workload_data", "workload_data", workload_data_fields },
	{ "artefact", "artefacts", artefact_fields },
};

/* The place an object gives itself, else the line that is being run. */
static struct place place_of(struct recipe_state *state, const json_t *object)
{
	const char *where = json_str_or(object, "where", NULL);
	struct place place = { 0 };

	if (where)
		place = diagnose_where(state, where);
	return place.file ? place : state_place(state->L);
}

/* Converts a table; what cannot be is refused with its place. */
static int convert(struct recipe_state *state, const char *what, int index, json_t **ret,
                   struct err *err)
{
	struct values_fault fault = { 0 };
	struct schema_fault as_schema = { 0 };
	char *end = as_schema.pointer + sizeof(as_schema.pointer) - 2, *p = as_schema.pointer;

	if (values_to_json(state->L, index, ret, &fault) == 0)
		return 0;
	/* "inputs[2].from" as a pointer; positions count from 0 there. */
	for (const char *part = fault.part; *part && p < end;) {
		size_t n = strcspn(part, ".[]");

		if (n) {
			*p++ = '/';
			if (isdigit((unsigned char)part[0]))
				p += snprintf(p, (size_t)(end - p), "%ld",
				              strtol(part, NULL, 10) - 1);
			else
				p += snprintf(p, (size_t)(end - p), "%.*s", (int)n, part);
		}
		part += n + (part[n] != '\0');
	}
	snprintf(as_schema.text, sizeof(as_schema.text), "%s%s%s", fault.part,
	         fault.part[0] ? ": " : "", fault.text);
	return diagnose_fault(state, state_place(state->L), what, &as_schema, err);
}

/* Reads and checks a table, and gives it a "where". */
static int take(struct recipe_state *state, const char *what, int index,
                const struct schema_field *const *tables, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *object = NULL;
	struct schema_fault fault;
	struct place place;

	if (convert(state, what, index, &object, err) < 0)
		return -1;
	place = place_of(state, object);
	if (schema_check(object, tables, &fault))
		return diagnose_fault(state, place, what, &fault, err);
	if (!json_object_get(object, "where"))
		json_object_set_new(
			object, "where",
			json_sprintf("%s:%d",
		                     place.file ? place.file->path : state->request->recipe,
		                     place.line));
	*ret = steal(object);
	return 0;
}

int declare_refuse(struct recipe_state *state, const json_t *object, const char *field,
                   const char *note, struct err *err, const char *fmt, ...)
{
	const char *const path[] = { field, NULL };
	struct fault_at at = { .place = place_of(state, object), .path = field ? path : NULL };
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return diagnose(state, &at, note, err, "%s", text);
}

static bool is_part(struct str part)
{
	if (part.n == 0 || part.p[0] == '.')
		return false;
	for (size_t i = 0; i < part.n; i++)
		if ((unsigned char)part.p[i] <= ' ' || strchr("*?[]\\\"'`$", part.p[i]) ||
		    part.p[i] == 0x7f)
			return false;
	return true;
}

/* An address is TARGET/VARIANT/NAME. */
static int check_address(struct recipe_state *state, const json_t *options, const char *address,
                         struct err *err)
{
	struct str rest = str_of(address), part = { 0 };
	bool fits = true;
	size_t n = 0;

	for (; fits && str_cut(&rest, '/', &part); n++)
		fits = is_part(part);
	if (fits && n == 3)
		return 0;
	return declare_refuse(state, options, NULL, NULL, err,
	                      "stage: the address \"%.100s\" is not TARGET/VARIANT/NAME", address);
}

static const struct recipe_kind *find_kind(const struct recipe_state *state, const char *name)
{
	for (const struct recipe_kind *k = state->request->kinds; k->name; k++)
		if (str_eq(k->name, name))
			return k;
	return NULL;
}

/* The text of a place, kept once: most stages are declared at few. */
static const char *keep_where(struct recipe_state *state, const char *where)
{
	char *known = map_get(state->wheres, where);

	if (!known) {
		known = str_dup(where);
		map_set(state->wheres, where, known);
	}
	return known;
}

/* Notes the first stage of each target: whole_check asks for the targets once all is declared. */
static void note_target(struct recipe_state *state, const char *address, const char *where)
{
	size_t n = strcspn(address, "/");

	if (!map_get_n(state->targets, address, n))
		map_set_n(state->targets, address, n,
		          json_pack("{s:s,s:s}", "address", address, "where", where));
}

/* A stage is handed on as it is declared; its address alone is kept. */
static int hand_on(struct recipe_state *state, const char *kind, json_t *options,
                   const char **ret_address, struct err *err)
{
	const char *address = json_str_or(options, "address", "");
	const char *where = keep_where(state, json_str_or(options, "where", "?"));
	const char *first = map_get(state->addresses, address);

	if (check_address(state, options, address, err) < 0)
		return -1;
	if (first)
		return declare_refuse(state, options, NULL, NULL, err,
		                      "stage %s is declared twice (first at %s)", address, first);
	map_set(state->addresses, address, (void *)where);
	*ret_address = address = map_at(state->addresses, map_count(state->addresses) - 1)->key;
	note_target(state, address, where);
	json_object_del(options, "address");
	json_object_del(options, "where");
	if (state->stage)
		state->stage(state->stage_data, kind, address, where, options);
	return 0;
}

int declare_stage(struct recipe_state *state, const char *kind, int index, const char **ret_address,
                  struct err *err)
{
	const struct schema_field *const tables[] = { find_kind(state, kind)->fields,
		                                      state->request->common, address_fields,
		                                      place_fields, NULL };
	_cleanup_free_ char *what = str_fmt("stage.%s", kind);
	_cleanup_json_ json_t *options = NULL;
	const size_t nodes = state->nodes;
	int rc = take(state, what, index, tables, &options, err);
	size_t used = nodes - state->nodes;

	/* Its values are not held for longer than this. */
	state->nodes = nodes;
	state->passing -= used < state->passing ? used : state->passing;
	if (rc < 0)
		return -1;
	if (state->passing == 0)
		return declare_refuse(state, options, NULL, NULL, err,
		                      "%s: the recipe's stages hold too many values", what);
	return hand_on(state, kind, options, ret_address, err);
}

int declare_leaf(struct recipe_state *state, const char *id, int index, struct err *err)
{
	json_t *leaves = json_object_get(state->document, "leaves");
	_cleanup_json_ json_t *leaf = NULL;
	_cleanup_free_ char *what = str_fmt("source %.80s", id);
	struct fault_at at = { 0 };

	at.place = state_place(state->L);
	if (!is_part(str_of(id)) || strchr(id, '/'))
		return diagnose(state, &at, NULL, err, "source: \"%.80s\" is no name for one", id);
	if (convert(state, what, index, &leaf, err) < 0)
		return -1;
	if (!json_is_object(leaf) || !json_is_string(json_object_get(leaf, "kind")))
		return diagnose(state, &at, NULL, err, "source %s: it has no kind", id);
	if (json_object_get(leaves, id))
		return declare_refuse(state, leaf, NULL, NULL, err,
		                      "source \"%s\" is declared twice (first at %s)", id,
		                      json_str_or(json_object_get(leaves, id), "where", "?"));
	if (!json_object_get(leaf, "where")) {
		at.place = place_of(state, leaf);
		json_object_set_new(
			leaf, "where",
			json_sprintf("%s:%d",
		                     at.place.file ? at.place.file->path : state->request->recipe,
		                     at.place.line));
	}
	json_object_set(leaves, id, leaf);
	return 0;
}

/* What an item must not have in common with another; NULL: nothing. */
static const char *key_of(const char *what)
{
	return str_eq(what, "target")  ? "triple" :
	       str_eq(what, "profile") ? "id" :
	       str_eq(what, "image")   ? "name" :
	                                 NULL;
}

/* A target, profile or image that is there twice. */
static const json_t *twin(const json_t *list, const json_t *item, const char *what)
{
	const char *key = key_of(what);
	size_t i;
	json_t *v;

	if (!key)
		return NULL;
	json_array_foreach ((json_t *)list, i, v)
		if (json_equal(json_object_get(v, key), json_object_get(item, key)))
			return v;
	return NULL;
}

int declare_item(struct recipe_state *state, const char *what, int index, struct err *err)
{
	_cleanup_json_ json_t *item = NULL;
	json_t *list;
	size_t i = 0;

	while (!str_eq(items[i].what, what))
		i++;
	const struct schema_field *const tables[] = { items[i].fields, place_fields, NULL };
	const json_t *other;

	if (take(state, what, index, tables, &item, err) < 0)
		return -1;
	list = json_object_get(state->document, items[i].list);
	other = twin(list, item, what);
	if (other)
		return declare_refuse(state, item, NULL, NULL, err,
		                      "%s \"%s\" is declared twice (first at %s)", what,
		                      json_str_or(item, key_of(what), ""),
		                      json_str_or(other, "where", "?"));
	if (json_object_get(item, "stage")) {
		json_t *stage = json_object_get(json_object_get(item, "stage"), "$stage");

		if (!stage)
			return declare_refuse(state, item, NULL, NULL, err,
			                      "%s: stage must be a stage", what);
		json_object_set(item, "stage", stage);
	}
	if (str_eq(what, "workload_data") &&
	    !json_object_get(json_object_get(item, "from"), "$leaf"))
		return declare_refuse(state, item, NULL, NULL, err,
		                      "workload_data: from must be a source");
	json_array_append(list, item);
	return 0;
}

/* A value that may wait for a leaf: {"$fact": LEAF, "field": NAME}. */
static bool is_fact(const struct recipe_state *state, const json_t *v)
{
	const char *leaf = json_str_or(v, "$fact", NULL);

	return leaf && json_str_or(v, "field", NULL) && json_object_size(v) == 2 &&
	       json_object_get(json_object_get(state->document, "leaves"), leaf);
}

static bool is_file_name(const char *s)
{
	return is_part(str_of(s)) && s[0] != '-' && !strchr(s, '/') && strlen(s) <= 100;
}

/* Every format of packages has an order of versions, and each follows from this grammar. */
static int check_version(struct recipe_state *state, const json_t *header, const json_t *version,
                         struct err *err)
{
	const char *text = json_string_value(version);
	const char *fault = text ? version_fault(text) : "it is no text";

	if (!fault)
		return 0;
	return declare_refuse(state, header, "version",
	                      "as in \"1.2.0\", \"1.2.0-rc.1\" or \"2026.11\"", err,
	                      "version: \"%.80s\" is no version: %s", text ? text : "", fault);
}

static int check_license(struct recipe_state *state, const json_t *header, const json_t *license,
                         struct err *err)
{
	const char *text = json_string_value(license);
	const char *fault = text ? spdx_fault(text) : NULL;

	if (!text)
		return declare_refuse(state, header, "license", NULL, err,
		                      "license: expected an SPDX expression");
	if (fault)
		return declare_refuse(
			state, header, "license",
			"as in \"Apache-2.0 OR MIT\"; of your own: \"LicenseRef-NAME\"", err,
			"license: \"%.200s\" is no SPDX expression: %s", text, fault);
	return 0;
}

static int check_pools(struct recipe_state *state, const json_t *header, struct err *err)
{
	json_t *pools = json_object_get(header, "pools"), *places;
	const char *name;

	if (json_is_array(pools) && json_array_size(pools) == 0)
		return 0; /* Lua's empty table */
	if (pools && !json_is_object(pools))
		return declare_refuse(state, header, "pools", "as in { link = 1 }", err,
		                      "pools: expected a table of names and numbers");
	json_object_foreach (pools, name, places)
		if (!json_is_integer(places) || json_integer_value(places) < 1 ||
		    json_integer_value(places) > POOL_MOST)
			return declare_refuse(state, header, "pools", "as in { link = 1 }", err,
			                      "pools: \"%.80s\" must be a number from 1 to %d: how "
			                      "many of its stages run at once",
			                      name, POOL_MOST);
	return 0;
}

int declare_recipe(struct recipe_state *state, int index, struct err *err)
{
	const struct schema_field *const tables[] = { recipe_fields, place_fields, NULL };
	_cleanup_json_ json_t *header = NULL;
	const json_t *version, *license, *date;

	if (take(state, "release", index, tables, &header, err) < 0)
		return -1;
	if (state->declared)
		return declare_refuse(state, header, NULL, NULL, err,
		                      "a recipe declares one release, this is a second");
	version = json_object_get(header, "version");
	license = json_object_get(header, "license");
	date = json_object_get(header, "date");
	if (!is_file_name(json_str_or(header, "name", "")))
		return declare_refuse(state, header, "name", NULL, err,
		                      "name: \"%.80s\" cannot be part of a file name",
		                      json_str_or(header, "name", ""));
	if (!is_fact(state, version) && check_version(state, header, version, err) < 0)
		return -1;
	if (!is_fact(state, license) && check_license(state, header, license, err) < 0)
		return -1;
	if (!is_fact(state, date) && !(json_is_integer(date) && json_integer_value(date) >= 0))
		return declare_refuse(state, header, "date", NULL, err,
		                      "date: expected seconds since 1970");
	if (check_pools(state, header, err) < 0)
		return -1;
	json_object_del(header, "where");
	json_object_update(state->document, header);
	state->declared = true;
	return 0;
}
