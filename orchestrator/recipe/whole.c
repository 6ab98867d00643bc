/* Names that items of a document have for each other, once all of them are declared. */
#include "recipe/whole.h"

#include "base/alloc.h"
#include "base/array.h"
#include "base/str.h"
#include "recipe/declare.h"

struct names {
	ARRAY(const char *) list; /* ends with NULL */
};

/* The texts of a list, or of a member of each object in it. */
static void collect(const json_t *list, const char *key, struct names *ret)
{
	size_t i;
	json_t *v;

	*ret = (struct names){ 0 };
	json_array_foreach ((json_t *)list, i, v) {
		const char *name = json_string_value(key ? json_object_get(v, key) : v);

		if (name)
			array_push(&ret->list, name);
	}
	array_push(&ret->list, NULL);
}

/* An item's field must be one of the texts in a list. */
static int must_name(struct recipe_state *state, const json_t *item, const char *what,
                     const char *field, const json_t *list, const char *key, struct err *err)
{
	const char *name = json_str_or(item, field, ""), *near;
	_cleanup_free_ char *note = NULL;
	struct names names;
	bool there = false;
	int rc = 0;

	collect(list, key, &names);
	for (size_t i = 0; i + 1 < names.list.n; i++)
		there |= str_eq(names.list.v[i], name);
	if (!there) {
		near = str_nearest(name, names.list.v);
		note = near ? str_fmt("did you mean \"%s\"?", near) : NULL;
		rc = declare_refuse(state, item, field, note, err,
		                    "%s: %s: there is no %s \"%.80s\"", what, field,
		                    key ? "target" : "variant", name);
	}
	array_deinit(&names.list);
	return rc;
}

static const json_t *variants_of(const json_t *targets, const char *triple)
{
	size_t i;
	json_t *target;

	json_array_foreach ((json_t *)targets, i, target)
		if (str_eq(json_str_or(target, "triple", ""), triple))
			return json_object_get(target, "variants");
	return NULL;
}

/* Every item's target and variant, where it has them; of a target what it ships and compares. */
static int check_items(struct recipe_state *state, const char *what, const json_t *list,
                       struct err *err)
{
	const json_t *targets = json_object_get(state->document, "targets"), *variants;
	size_t i;
	json_t *item;

	json_array_foreach ((json_t *)list, i, item) {
		if (str_eq(what, "target")) {
			variants = json_object_get(item, "variants");
			if (must_name(state, item, what, "ship", variants, NULL, err) < 0 ||
			    must_name(state, item, what, "reference", variants, NULL, err) < 0)
				return -1;
			continue;
		}
		if (json_object_get(item, "target") &&
		    must_name(state, item, what, "target", targets, "triple", err) < 0)
			return -1;
		variants = variants_of(targets, json_str_or(item, "target", ""));
		if (json_object_get(item, "variant") &&
		    must_name(state, item, what, "variant", variants, NULL, err) < 0)
			return -1;
	}
	return 0;
}

int whole_check(struct recipe_state *state, struct err *err)
{
	static const char *const lists[][2] = { { "target", "targets" },
		                                { "profile", "profiles" },
		                                { "smoke", "smoke" },
		                                { "test", "tests" },
		                                { "artefact", "artefacts" } };
	json_t *targets = json_object_get(state->document, "targets");
	size_t i;

	if (!state->declared)
		return err_set(err, ERR_INPUT,
		               "%s: the recipe declares no release; end it with "
		               "`return release { … }`",
		               state->request->recipe);
	for (i = 0; i < map_count(state->targets); i++) {
		const char *triple = map_at(state->targets, i)->key;
		const json_t *stage = map_at(state->targets, i)->value;

		if (!variants_of(targets, triple))
			return declare_refuse(state, stage, NULL, NULL, err,
			                      "stage %s: no target \"%s\" is declared",
			                      json_str_or(stage, "address", ""), triple);
	}
	for (i = 0; i < ARRAY_LEN(lists); i++)
		if (check_items(state, lists[i][0], json_object_get(state->document, lists[i][1]),
		                err) < 0)
			return -1;
	return 0;
}
