/* The recipe document: read whole, or refused by the member that is wrong. */
#include "fakes/fixture.h"

#include "base/str.h"

static void reads_everything(void **state)
{
	struct fixture f;
	const struct recipe *r = &f.recipe;

	(void)state;
	fixture_init(&f);
	fixture_load(
		&f, "{'schema':'kiln.recipe/1','name':'gawk','version':{'$fact':'source','field':"
		    "'version'},'license':'GPL-3.0-or-later','summary':'s','homepage':'h','date':7,"
		    "'leaves':{'source':{'kind':'debian','name':'gawk'},'work':{'kind':'folder'}},"
		    "'targets':[{'triple':'t','toolchain':'llvm-19','image':'trixie','where':'g:2',"
		    "'variants':['plain','lto'],'ship':'lto','reference':'plain'},"
		    "{'triple':'u','toolchain':'llvm-19','image':'trixie','variants':[]}],"
		    "'stages':[{'address':'t/plain/b','target':'t','variant':'plain','name':'b',"
		    "'kind':'build','where':'g:3','options':{'argv':['a']}}],"
		    "'profiles':[{'id':'t/pgo','target':'t','kind':'pgo','from':{'$stage':'t/s/m',"
		    "'path':'p'},'flags':['-O2'],'sources':['source'],'after':null},"
		    "{'id':'t/bolt','target':'t','kind':'bolt','from':{'$stage':'t/s/f'},"
		    "'sampled':{'$stage':'t/s/g','path':'q'},'after':'t/pgo'}],"
		    "'smoke':[{'target':'t','variant':'lto','stage':'t/lto/smoke'}],"
		    "'artefacts':[{'target':'t','variant':'lto','kind':'archive','name':'x.tar',"
		    "'media_type':'application/x-tar','from':{'$stage':'t/lto/tar','path':'o'}}],"
		    "'files':[]}");
	assert_string_equal(r->name, "gawk");
	assert_null(r->version.text);
	assert_string_equal(r->version.leaf, "source");
	assert_string_equal(r->version.field, "version");
	assert_string_equal(r->license.text, "GPL-3.0-or-later");
	assert_string_equal(r->date.text, "7");
	assert_string_equal(r->summary, "s");
	assert_string_equal(r->homepage, "h");
	assert_int_equal(r->n_leaves, 2);
	assert_string_equal(r->leaves[0].id, "source");
	assert_string_equal(json_str_or(r->leaves[0].spec, "kind", ""), "debian");
	assert_int_equal(r->n_targets, 2);
	assert_string_equal(r->targets[0].ship, "lto");
	assert_int_equal(r->targets[0].n_variants, 2);
	assert_string_equal(r->targets[0].variants[1], "lto");
	assert_null(r->targets[1].ship);
	assert_string_equal(r->targets[1].reference, "plain");
	assert_string_equal(r->targets[1].where, "?");
	assert_ptr_equal(recipe_find_target(r, "u"), &r->targets[1]);
	assert_null(recipe_find_target(r, "v"));
	assert_int_equal(r->n_stages, 1);
	assert_string_equal(r->stages[0].where, "g:3");
	assert_int_equal(r->n_profiles, 2);
	assert_null(r->profiles[0].after);
	assert_null(r->profiles[0].sampled.id);
	assert_string_equal(r->profiles[1].after, "t/pgo");
	assert_string_equal(r->profiles[1].sampled.id, "t/s/g");
	assert_string_equal(r->profiles[1].from.path, "");
	assert_string_equal(r->smokes[0].stage, "t/lto/smoke");
	assert_string_equal(r->artefacts[0].media_type, "application/x-tar");
	fixture_deinit(&f);
}

static void the_least_document(void **state)
{
	struct fixture f;

	(void)state;
	fixture_init(&f);
	fixture_load(&f, "{'schema':'kiln.recipe/1','name':'x','leaves':{}}");
	assert_int_equal(f.recipe.n_stages + f.recipe.n_targets + f.recipe.n_profiles, 0);
	assert_null(f.recipe.version.text);
	assert_string_equal(f.recipe.summary, "");
	must(fixture_plan(&f, &(struct plan_request){ 0 }), &f.err);
	assert_int_equal(f.plan->n_wanted, 0);
	fixture_deinit(&f);
}

#define HEAD "'schema':'kiln.recipe/1','name':'x','leaves':{}"
#define TARGET "'triple':'t','toolchain':'c','image':'i'"
#define STAGE "'address':'a','target':'t','variant':'v','name':'n'"

static const struct {
	const char *text, *says;
} broken[] = {
	{ "[]", "schema" },
	{ "{}", "schema" },
	{ "{'schema':'kiln.recipe/2'}", "has the schema \"kiln.recipe/2\"" },
	{ "{'schema':'kiln.recipe/1'}", "\"name\" is missing (expected a string)" },
	{ "{'schema':'kiln.recipe/1','name':7}", "\"name\" is not a string" },
	{ "{'schema':'kiln.recipe/1','name':'x'}", "\"leaves\" is missing" },
	{ "{" HEAD ",'version':[]}", "\"version\" is no text" },
	{ "{" HEAD ",'version':{'field':'x'}}", "\"$fact\" is missing" },
	{ "{" HEAD ",'date':{'$fact':'x'}}", "\"field\" is missing" },
	{ "{" HEAD ",'targets':{}}", "\"targets\" is no list" },
	{ "{" HEAD ",'targets':[{" TARGET ",'variants':[],'path':[7]}]}",
	  "\"path\" of t holds no texts" },
	{ "{" HEAD ",'workload_data':[{'list':'train','path':'p','from':{'$stage':'a'}}]}",
	  "workload data comes of a stage" },
	{ "{" HEAD ",'targets':[7]}", "\"triple\" is missing" },
	{ "{" HEAD ",'targets':[{" TARGET "}]}", "\"variants\" is missing" },
	{ "{" HEAD ",'targets':[{" TARGET ",'variants':[7]}]}", "\"variants\"" },
	{ "{" HEAD ",'targets':[{" TARGET ",'variants':[]},{" TARGET ",'variants':[]}]}",
	  "the target t stands there twice" },
	{ "{" HEAD ",'stages':7}", "\"stages\" is no list" },
	{ "{" HEAD ",'stages':[null]}", "\"address\" is missing" },
	{ "{" HEAD ",'stages':[{" STAGE "}]}", "\"kind\" is missing" },
	{ "{" HEAD ",'stages':[{" STAGE ",'kind':'run','options':[]}]}",
	  "\"options\" is not an object" },
	{ "{" HEAD ",'profiles':[{}]}", "\"id\" is missing" },
	{ "{" HEAD ",'profiles':[{'id':'p','target':'t','kind':'pgo'}]}",
	  "a reference names neither a stage nor a leaf" },
	{ "{" HEAD ",'profiles':[{'id':'p','target':'t','kind':'pgo','from':{'$stage':'a',"
	  "'$leaf':'b'}}]}",
	  "a reference names neither a stage nor a leaf" },
	{ "{" HEAD ",'profiles':[{'id':'p','target':'t','kind':'pgo','from':{'$stage':'a'},"
	  "'sampled':7}]}",
	  "a reference names neither a stage nor a leaf" },
	{ "{" HEAD ",'profiles':[{'id':'p','target':'t','kind':'pgo','from':{'$stage':'a'},"
	  "'flags':'-O2'}]}",
	  "\"flags\" is no list" },
	{ "{" HEAD ",'profiles':[{'id':'p','target':'t','kind':'pgo','from':{'$stage':'a'},"
	  "'sources':{}}]}",
	  "\"sources\" is no list" },
	{ "{" HEAD ",'smoke':[{'target':'t','variant':'v'}]}", "stage\" is missing" },
	{ "{" HEAD ",'smoke':[{'target':'t','variant':'v','stage':{}}]}", "stage\" is missing" },
	{ "{" HEAD ",'artefacts':[{'target':'t','variant':'v','kind':'k','name':'n'}]}",
	  "\"media_type\" is missing" },
	{ "{" HEAD ",'artefacts':[{'target':'t','variant':'v','kind':'k','name':'n',"
	  "'media_type':'m'}]}",
	  "a reference names neither a stage nor a leaf" },
	{ "{" HEAD ",'artefacts':[{'target':'t','variant':'v','kind':'k','name':'../n',"
	  "'media_type':'m','from':{'$stage':'a'}}]}",
	  "\"../n\" is no file name" },
	{ "{" HEAD ",'pools':{'p':'many'}}", "the pool \"p\" has no number of places" },
};

static void broken_documents(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct arena *arena = arena_new();
		json_t *document = fixture_json(broken[i].text);
		struct recipe recipe = { .name = "untouched" };
		struct err err = ERR_INIT;

		if (recipe_read(arena, document, &recipe, &err) == 0)
			fail_msg("taken: %s", broken[i].text);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, "the recipe document");
		assert_contains(err.cause, broken[i].says);
		assert_string_equal(recipe.name, "untouched");
		json_decref(document);
		arena_free(arena);
	}
}

static void values_wait_for_facts(void **state)
{
	struct arena *arena = arena_new();
	json_t *facts = fixture_json("{'source':{'version':'5.2.1','date':1735689600,'odd':[]}}");
	struct recipe_value value = { .leaf = "source", .field = "version" };
	struct err err = ERR_INIT;

	(void)state;
	must(recipe_value_fill(&value, "version", facts, arena, &err), &err);
	assert_string_equal(value.text, "5.2.1");
	value = (struct recipe_value){ .leaf = "source", .field = "date" };
	must(recipe_value_fill(&value, "date", facts, arena, &err), &err);
	assert_string_equal(value.text, "1735689600");
	/* What is there already stays; what is not asked for stays away. */
	value = (struct recipe_value){ .text = "mine", .leaf = "source", .field = "version" };
	must(recipe_value_fill(&value, "version", facts, arena, &err), &err);
	assert_string_equal(value.text, "mine");
	value = (struct recipe_value){ 0 };
	must(recipe_value_fill(&value, "version", facts, arena, &err), &err);
	assert_null(value.text);
	for (int i = 0; i < 3; i++) {
		static const char *const leaf[] = { "source", "source", "other" };
		static const char *const field[] = { "missing", "odd", "version" };

		value = (struct recipe_value){ .leaf = leaf[i], .field = field[i] };
		err = ERR_INIT;
		assert_int_equal(recipe_value_fill(&value, "version", facts, arena, &err), -1);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, "takes its version from");
		assert_contains(err.cause, leaf[i]);
		assert_contains(err.cause, field[i]);
		assert_null(value.text);
	}
	json_decref(facts);
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_everything),
		cmocka_unit_test(the_least_document),
		cmocka_unit_test(broken_documents),
		cmocka_unit_test(values_wait_for_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
