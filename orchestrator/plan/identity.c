/* Profile identity: a digest over what a profile fits to, so that a match is a comparison. */
#include "plan/identity.h"

#include "base/str.h"
#include "external/crypto.h"

enum { IDENTITY_MOST = 64 << 20 };

static int add_sources(json_t *into, const struct recipe_profile *profile,
                       const struct facts *facts, struct err *err)
{
	size_t i;
	json_t *v;

	json_array_foreach ((json_t *)profile->sources, i, v) {
		const char *id = json_string_value(v);
		const struct fact_leaf *leaf = id ? map_get(facts->leaves, id) : NULL;

		if (!leaf)
			return err_set(err, ERR_INPUT,
			               "the profile %s depends on \"%s\", which is no source of "
			               "the recipe",
			               profile->id, id ? id : "?");
		json_object_set_new(into, id, json_string(DIGEST_TEXT(&leaf->node.ref.digest)));
	}
	return 0;
}

int profile_identity(const struct recipe *recipe, const struct recipe_profile *profile,
                     const struct facts *facts, const struct digest *maker,
                     const struct digest *after, struct digest *ret, struct err *err)
{
	const struct recipe_target *target = recipe_find_target(recipe, profile->target);
	const struct fact_image *image = target ? map_get(facts->images, target->image) : NULL;
	_cleanup_json_ json_t *identity = json_object();
	_cleanup_buf_ struct buf text = BUF_INIT(IDENTITY_MOST);
	json_t *sources = json_object();

	json_object_set_new(identity, "sources", sources);
	if (!image)
		return err_set(err, ERR_INPUT, "the profile %s has no target with an image",
		               profile->id);
	if (add_sources(sources, profile, facts, err) < 0)
		return -1;
	json_object_set_new(identity, "id", json_string(profile->id));
	json_object_set_new(identity, "kind", json_string(profile->kind));
	json_object_set_new(identity, "maker", json_string(DIGEST_TEXT(maker)));
	json_object_set_new(identity, "target", json_string(profile->target));
	json_object_set_new(identity, "compiler", json_string(image->compiler));
	json_object_set_new(identity, "flags",
	                    profile->flags ? json_deep_copy(profile->flags) : json_array());
	json_object_set_new(identity, "after",
	                    after ? json_string(DIGEST_TEXT(after)) : json_null());
	json_write_canonical(identity, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT, "the flags of the profile %s are too long",
		               profile->id);
	digest_of(buf_text(&text), text.n, ret);
	return 0;
}
