/* Reading the recipe document into structs: one function per list, no judgement here. */
#include "model/recipe_doc.h"

#include "base/path.h"
#include "base/str.h"

enum { PATH_MOST = 4096 }; /* of a target, all folders */

static const char what[] = "the recipe document";

static int read_ref(struct arena *arena, const json_t *json, struct ref *ret, struct err *err)
{
	if (ref_from_json(arena, json, ret) < 0)
		return err_set(err, ERR_INPUT, "%s: a reference names neither a stage nor a leaf",
		               what);
	return 0;
}

static int read_value(struct arena *arena, const json_t *document, const char *key,
                      struct recipe_value *ret, struct err *err)
{
	json_t *v = json_object_get(document, key);

	*ret = (struct recipe_value){ 0 };
	if (json_is_string(v))
		ret->text = json_string_value(v);
	else if (json_is_integer(v))
		ret->text = arena_fmt(arena, "%lld", (long long)json_integer_value(v));
	else if (json_is_object(v)) {
		if (json_get_str(v, "$fact", what, &ret->leaf, err) < 0 ||
		    json_get_str(v, "field", what, &ret->field, err) < 0)
			return -1;
	} else if (v)
		return err_set(err, ERR_INPUT, "%s: \"%s\" is no text", what, key);
	return 0;
}

/* The member list, and an arena array of its length. */
static int begin_list(struct arena *arena, const json_t *document, const char *key, size_t size,
                      json_t **ret_list, void *ret_array, size_t *ret_n, struct err *err)
{
	json_t *list = json_object_get(document, key);
	void *array;

	if (list && !json_is_array(list))
		return err_set(err, ERR_INPUT, "%s: \"%s\" is no list", what, key);
	*ret_list = list;
	*ret_n = json_array_size(list);
	array = arena_array(arena, *ret_n, size);
	memcpy(ret_array, &array, sizeof(array));
	return 0;
}

/* A member that is a list where it is there. */
static int optional_list(const json_t *object, const char *key, const json_t **ret, struct err *err)
{
	json_t *v = json_object_get(object, key);

	if (v && !json_is_null(v) && !json_is_array(v))
		return err_set(err, ERR_INPUT, "%s: \"%s\" is no list", what, key);
	*ret = json_is_array(v) ? v : NULL;
	return 0;
}

static int read_variants(struct arena *arena, const json_t *list, struct recipe_target *t,
                         struct err *err)
{
	t->n_variants = json_array_size(list);
	t->variants = arena_array(arena, t->n_variants, sizeof(*t->variants));
	for (size_t i = 0; i < t->n_variants; i++) {
		t->variants[i] = json_string_value(json_array_get(list, i));
		if (!t->variants[i])
			return err_set(err, ERR_INPUT, "%s: \"variants\" of %s holds no texts",
			               what, t->triple);
	}
	return 0;
}

static int read_path(struct arena *arena, const json_t *folders, struct recipe_target *t,
                     struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(PATH_MOST);
	const json_t *folder;
	size_t i;

	json_array_foreach (folders, i, folder) {
		if (!json_is_string(folder))
			return err_set(err, ERR_INPUT, "%s: \"path\" of %s holds no texts", what,
			               t->triple);
		buf_fmt(&text, "%s%s", i ? ":" : "", json_string_value(folder));
	}
	if (text.overflow)
		return err_set(err, ERR_INPUT, "%s: \"path\" of %s is longer than %d bytes", what,
		               t->triple, PATH_MOST);
	t->path = text.n ? arena_str(arena, buf_text(&text)) : "/usr/bin:/bin";
	return 0;
}

static int read_targets(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *list;

	if (begin_list(arena, r->document, "targets", sizeof(*r->targets), &list, &r->targets,
	               &r->n_targets, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_targets; i++) {
		struct recipe_target *t = &r->targets[i];
		json_t *v = json_array_get(list, i), *variants;
		const json_t *path;

		if (json_get_str(v, "triple", what, &t->triple, err) < 0 ||
		    json_get_str(v, "toolchain", what, &t->toolchain, err) < 0 ||
		    json_get_str(v, "image", what, &t->image, err) < 0 ||
		    json_get_array(v, "variants", what, &variants, err) < 0)
			return -1;
		t->ship = json_str_or(v, "ship", NULL);
		t->reference = json_str_or(v, "reference", "plain");
		t->where = json_str_or(v, "where", "?");
		if (optional_list(v, "path", &path, err) < 0 ||
		    read_path(arena, path, t, err) < 0 ||
		    read_variants(arena, variants, t, err) < 0)
			return -1;
		if (recipe_find_target(r, t->triple) != t)
			return err_set(err, ERR_INPUT, "%s: the target %s stands there twice", what,
			               t->triple);
	}
	return 0;
}

static int read_stages(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *list;

	if (begin_list(arena, r->document, "stages", sizeof(*r->stages), &list, &r->stages,
	               &r->n_stages, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_stages; i++) {
		struct stage *s = &r->stages[i];
		json_t *v = json_array_get(list, i), *options;

		if (json_get_str(v, "address", what, &s->address, err) < 0 ||
		    json_get_str(v, "target", what, &s->target, err) < 0 ||
		    json_get_str(v, "variant", what, &s->variant, err) < 0 ||
		    json_get_str(v, "name", what, &s->name, err) < 0 ||
		    json_get_str(v, "kind", what, &s->kind, err) < 0 ||
		    json_get_object(v, "options", what, &options, err) < 0)
			return -1;
		s->where = json_str_or(v, "where", "?");
		s->options = options;
	}
	return 0;
}

static int read_profiles(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *list;

	if (begin_list(arena, r->document, "profiles", sizeof(*r->profiles), &list, &r->profiles,
	               &r->n_profiles, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_profiles; i++) {
		struct recipe_profile *p = &r->profiles[i];
		json_t *v = json_array_get(list, i);

		if (json_get_str(v, "id", what, &p->id, err) < 0 ||
		    json_get_str(v, "target", what, &p->target, err) < 0 ||
		    json_get_str(v, "kind", what, &p->kind, err) < 0 ||
		    read_ref(arena, json_object_get(v, "from"), &p->from, err) < 0)
			return -1;
		if (json_object_get(v, "sampled") &&
		    read_ref(arena, json_object_get(v, "sampled"), &p->sampled, err) < 0)
			return -1;
		if (json_object_get(v, "unseen") &&
		    read_ref(arena, json_object_get(v, "unseen"), &p->unseen, err) < 0)
			return -1;
		if (optional_list(v, "flags", &p->flags, err) < 0 ||
		    optional_list(v, "sources", &p->sources, err) < 0)
			return -1;
		p->after = json_str_or(v, "after", NULL);
	}
	return 0;
}

/* Target, variant and stage of a smoke or a test. */
static int read_check(const json_t *v, const char **ret_target, const char **ret_variant,
                      const char **ret_stage, struct err *err)
{
	json_t *stage = json_object_get(v, "stage");

	if (json_get_str(v, "target", what, ret_target, err) < 0 ||
	    json_get_str(v, "variant", what, ret_variant, err) < 0)
		return -1;
	if (!json_is_string(stage))
		return json_get_str(stage, "$stage", what, ret_stage, err);
	*ret_stage = json_string_value(stage);
	return 0;
}

static int read_smokes(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *list;

	if (begin_list(arena, r->document, "smoke", sizeof(*r->smokes), &list, &r->smokes,
	               &r->n_smokes, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_smokes; i++) {
		struct recipe_smoke *s = &r->smokes[i];

		if (read_check(json_array_get(list, i), &s->target, &s->variant, &s->stage, err) <
		    0)
			return -1;
	}
	return 0;
}

static int read_tests(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *list;

	if (begin_list(arena, r->document, "tests", sizeof(*r->tests), &list, &r->tests,
	               &r->n_tests, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_tests; i++) {
		struct recipe_test *t = &r->tests[i];

		if (read_check(json_array_get(list, i), &t->target, &t->variant, &t->stage, err) <
		    0)
			return -1;
	}
	return 0;
}

static int read_images(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *list;

	if (begin_list(arena, r->document, "images", sizeof(*r->images), &list, &r->images,
	               &r->n_images, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_images; i++) {
		struct recipe_image *image = &r->images[i];
		json_t *v = json_array_get(list, i), *packages;

		if (json_get_str(v, "name", what, &image->name, err) < 0 ||
		    json_get_str(v, "base", what, &image->base, err) < 0 ||
		    json_get_array(v, "packages", what, &packages, err) < 0)
			return -1;
		image->where = json_str_or(v, "where", "?");
		image->packages = packages;
	}
	return 0;
}

static int read_data(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *list;

	if (begin_list(arena, r->document, "workload_data", sizeof(*r->data), &list, &r->data,
	               &r->n_data, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_data; i++) {
		struct recipe_data *d = &r->data[i];
		json_t *v = json_array_get(list, i);
		const char *of;

		if (json_get_str(v, "list", what, &of, err) < 0 ||
		    json_get_str(v, "path", what, &d->path, err) < 0 ||
		    read_ref(arena, json_object_get(v, "from"), &d->from, err) < 0)
			return -1;
		if (d->from.kind != REF_LEAF)
			return err_set(err, ERR_INPUT, "%s: workload data comes of a stage", what);
		d->held = str_eq(of, "holdout");
		d->shared = json_is_true(json_object_get(v, "shared"));
		d->where = json_str_or(v, "where", "?");
	}
	return 0;
}

static int read_artefacts(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *list;

	if (begin_list(arena, r->document, "artefacts", sizeof(*r->artefacts), &list, &r->artefacts,
	               &r->n_artefacts, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n_artefacts; i++) {
		struct recipe_artefact *a = &r->artefacts[i];
		json_t *v = json_array_get(list, i);

		if (json_get_str(v, "target", what, &a->target, err) < 0 ||
		    json_get_str(v, "variant", what, &a->variant, err) < 0 ||
		    json_get_str(v, "kind", what, &a->kind, err) < 0 ||
		    json_get_str(v, "name", what, &a->name, err) < 0 ||
		    json_get_str(v, "media_type", what, &a->media_type, err) < 0 ||
		    read_ref(arena, json_object_get(v, "from"), &a->from, err) < 0)
			return -1;
		/* It becomes a file of the release folder. */
		if (a->name[0] == '\0' || strchr(a->name, '/') || !path_is_tree(a->name))
			return err_set(err, ERR_INPUT,
			               "%s: the artefact's name \"%s\" is no file "
			               "name",
			               what, a->name);
	}
	return 0;
}

static int read_leaves(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *leaves, *spec;
	const char *id;
	size_t i = 0;

	if (json_get_object(r->document, "leaves", what, &leaves, err) < 0)
		return -1;
	r->n_leaves = json_object_size(leaves);
	r->leaves = arena_array(arena, r->n_leaves, sizeof(*r->leaves));
	json_object_foreach (leaves, id, spec)
		r->leaves[i++] = (struct recipe_leaf){ id, spec };
	return 0;
}

static int read_pools(struct arena *arena, struct recipe *r, struct err *err)
{
	json_t *pools = json_object_get(r->document, "pools"), *places;
	const char *name;

	r->pools = arena_array(arena, json_object_size(pools), sizeof(*r->pools));
	json_object_foreach (pools, name, places) {
		if (!json_is_integer(places) || json_integer_value(places) < 1)
			return err_set(err, ERR_INPUT,
			               "%s: the pool \"%s\" has no number of places", what, name);
		r->pools[r->n_pools++] =
			(struct recipe_pool){ name, (size_t)json_integer_value(places) };
	}
	return 0;
}

int recipe_read(struct arena *arena, const json_t *document, struct recipe *ret, struct err *err)
{
	struct recipe r = { .document = document };
	const char *schema;

	if (json_get_str(document, "schema", what, &schema, err) < 0)
		return -1;
	if (!str_eq(schema, "kiln.recipe/1"))
		return err_set(err, ERR_INPUT,
		               "%s has the schema \"%s\", this Kiln reads "
		               "kiln.recipe/1",
		               what, schema);
	if (json_get_str(document, "name", what, &r.name, err) < 0 ||
	    read_value(arena, document, "version", &r.version, err) < 0 ||
	    read_value(arena, document, "license", &r.license, err) < 0 ||
	    read_value(arena, document, "date", &r.date, err) < 0 ||
	    read_leaves(arena, &r, err) < 0 || read_targets(arena, &r, err) < 0 ||
	    read_stages(arena, &r, err) < 0 || read_profiles(arena, &r, err) < 0 ||
	    read_images(arena, &r, err) < 0 || read_smokes(arena, &r, err) < 0 ||
	    read_tests(arena, &r, err) < 0 || read_data(arena, &r, err) < 0 ||
	    read_artefacts(arena, &r, err) < 0 || read_pools(arena, &r, err) < 0)
		return -1;
	r.summary = json_str_or(document, "summary", "");
	r.homepage = json_str_or(document, "homepage", "");
	*ret = r;
	return 0;
}

int recipe_value_fill(struct recipe_value *value, const char *name, const json_t *leaf_facts,
                      struct arena *arena, struct err *err)
{
	json_t *fact, *v;

	if (value->text || !value->leaf)
		return 0;
	fact = json_object_get(leaf_facts, value->leaf);
	v = json_object_get(fact, value->field);
	if (json_is_integer(v))
		value->text = arena_fmt(arena, "%lld", (long long)json_integer_value(v));
	else if (json_is_string(v))
		value->text = arena_str(arena, json_string_value(v));
	else
		return err_set(err, ERR_INPUT,
		               "the recipe takes its %s from \"%s\" of the source \"%s\", which "
		               "does not say it",
		               name, value->field, value->leaf);
	return 0;
}

const struct recipe_target *recipe_find_target(const struct recipe *recipe, const char *triple)
{
	for (size_t i = 0; i < recipe->n_targets; i++)
		if (str_eq(recipe->targets[i].triple, triple))
			return &recipe->targets[i];
	return NULL;
}

const char *recipe_profile_slot(const struct recipe_profile *profile)
{
	size_t n = strlen(profile->target);

	return str_starts(profile->id, profile->target) && profile->id[n] == '/' ?
	               profile->id + n + 1 :
	               profile->id;
}

const char *recipe_profile_end(struct arena *arena, const struct recipe_profile *profile)
{
	const char *slot = recipe_profile_slot(profile);
	const char *type = str_eq(profile->kind, "bolt") ? "fdata" : "profdata";
	size_t n = strlen(profile->kind);
	char *end;

	if (str_eq(slot, profile->kind))
		return arena_fmt(arena, ".%s", type);
	if (str_starts(slot, profile->kind) && slot[n] == '-')
		slot += n + 1;
	end = arena_fmt(arena, "-%s.%s", slot, type);
	for (char *c = end; *c; c++)
		if (*c == '/')
			*c = '-';
	return end;
}
