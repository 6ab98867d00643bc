/* One document of all that recipes read besides sources. */
#include "cli/premises.h"

#include "base/path.h"
#include "model/embedded.h"
#include "model/toolchain.h"

enum { PREMISES_MOST = 256 << 20 };

/* The toolchains that the recipe read, whole. */
static int add_toolchains(struct session *s, json_t *toolchains, struct err *err)
{
	json_t *file;
	size_t i;

	json_array_foreach (json_object_get(s->document, "files"), i, file) {
		const char *path = json_str_or(file, "path", "");
		struct definition definition = { 0 };
		_cleanup_free_ char *name = NULL;

		if (!strstr(path, "toolchains/") || !str_ends(path, ".yaml"))
			continue;
		name = str_dup_n(path_base(path), strlen(path_base(path)) - strlen(".yaml"));
		if (toolchain_load(s->project, name, &definition, err) < 0)
			return -1;
		if (definition.yaml)
			json_object_set_new(toolchains, name,
			                    json_deep_copy(yaml_doc_json(definition.yaml)));
		definition_deinit(&definition);
	}
	return 0;
}

/* "git.version"; where several are of one kind each but the first has its number. */
static void add_facts(const struct session *s, json_t *facts)
{
	json_t *fact;
	size_t i;

	json_array_foreach (json_object_get(s->document, "facts"), i, fact) {
		const char *kind = json_str_or(fact, "kind", "fact");
		_cleanup_free_ char *name = str_dup(kind);

		for (size_t n = 2; json_object_get(facts, name); n++) {
			free(name);
			name = str_fmt("%s %zu", kind, n);
		}
		json_object_set(facts, name, fact);
	}
}

static void set_text(json_t *object, const char *name, const char *text)
{
	if (text)
		json_object_set_new(object, name, json_any_text(text));
}

int premises_keep(struct session *s, struct digest *ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(PREMISES_MOST);
	json_t *toolchains = json_object(), *facts = json_object(), *recipe = json_object();
	_cleanup_json_ json_t *json = json_pack(
		"{s:o,s:o,s:o,s:O*,s:O}", "toolchain", toolchains, "fact", facts, "recipe", recipe,
		"option", json_object_get(s->document, "options"), "source", s->leaf_facts);
	struct blob_ref ref;
	struct digest library;

	embedded_digest(&library);
	json_object_set_new(json, "library", json_string(DIGEST_TEXT(&library)));
	set_text(recipe, "name", s->recipe.name);
	set_text(recipe, "version", s->recipe.version.text);
	set_text(recipe, "license", s->recipe.license.text);
	set_text(recipe, "date", s->recipe.date.text);
	add_facts(s, facts);
	if (add_toolchains(s, toolchains, err) < 0)
		return -1;
	json_write_canonical(json, &text);
	*ret = (struct digest){ 0 };
	if (text.overflow)
		return 0; /* then it is not told */
	if (blobs_put(store_blobs(s->store), buf_text(&text), text.n, &ref, err) < 0)
		return -1;
	*ret = ref.digest;
	return 0;
}
