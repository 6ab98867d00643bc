/* Pinned profiles and verdicts: what they save, and when they no longer fit. */
#include "fakes/fixture.h"

#include "base/str.h"
#include "plan/identity.h"

/* Of the tests that look at everything else in an identity. */
static const struct digest maker = { { 1 } };

static int setup(void **state)
{
	static struct fixture f;

	fixture_init(&f);
	fixture_pipeline(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_deinit(*state);
	return 0;
}

static const struct plan_profile *profile(const struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->plan->n_profiles; i++)
		if (str_eq(f->plan->profiles[i].profile->id, id))
			return &f->plan->profiles[i];
	fail_msg("there is no profile %s", id);
	return NULL;
}

/* Pins a profile for what it is trained on now. */
static void pin(struct fixture *f, const char *id, const char *seed)
{
	fixture_must_plan(f);
	assert_true(profile(f, id)->identity_known);
	fixture_pin(f, id, seed, &profile(f, id)->identity);
}

static void unpinned_profiles_are_trained(void **state)
{
	struct fixture *f = *state;

	fixture_must_plan(f);
	assert_int_equal(profile(f, "t/pgo")->state, PROFILE_TRAINED);
	assert_int_equal(profile(f, "t/bolt")->state, PROFILE_TRAINED);
	assert_true(profile(f, "t/pgo")->identity_known);
	/* What it stands on is not there yet. */
	assert_false(profile(f, "t/bolt")->identity_known);
}

static void a_pin_saves_its_training(void **state)
{
	struct fixture *f = *state;
	const struct plan_node *node;
	struct digest content = fixture_digest("pgo profile");

	pin(f, "t/pgo", "pgo profile");
	fixture_must_plan(f);
	assert_int_equal(profile(f, "t/pgo")->state, PROFILE_PINNED);
	assert_false(fixture_wants(f, "t/shared/counted"));
	assert_false(fixture_wants(f, "t/shared/train"));
	node = &f->plan->nodes[fixture_node(f, "t/shared/merge")];
	assert_true(node->wanted && node->pinned);
	assert_int_equal(node->n_users, 1);
	assert_string_equal(node->pin_path, "merged.profdata");
	assert_true(digest_eq(&node->pin->ref.digest, &content));
	assert_true(fixture_wants(f, "t/pgo+bolt/train"));
}

static void a_bolt_pin_stands_on_a_pgo_pin(void **state)
{
	struct fixture *f = *state;
	struct digest before;

	pin(f, "t/pgo", "pgo profile");
	pin(f, "t/bolt", "bolt profile");
	fixture_must_plan(f);
	assert_string_equal(fixture_order(f),
	                    "(t/shared/merge) t/pgo/build (t/pgo+bolt/merge) t/pgo+bolt/build "
	                    "t/pgo+bolt/tar t/pgo+bolt/pack "
	                    "t/plain/build t/plain/hold t/pgo+bolt/hold t/pgo+bolt/smoke");
	assert_int_equal(profile(f, "t/bolt")->state, PROFILE_PINNED);
	before = profile(f, "t/bolt")->identity;

	/* Another profile below makes another binary, which the BOLT profile does not describe. */
	fixture_pin(f, "t/pgo", "another pgo profile", &profile(f, "t/pgo")->identity);
	fixture_must_plan(f);
	assert_int_equal(profile(f, "t/pgo")->state, PROFILE_PINNED);
	assert_int_equal(profile(f, "t/bolt")->state, PROFILE_MISMATCH);
	assert_true(profile(f, "t/bolt")->identity_known);
	assert_false(digest_eq(&profile(f, "t/bolt")->identity, &before));
	assert_true(fixture_wants(f, "t/pgo+bolt/train"));

	/* And one that is trained anew is not known before it is. */
	fixture_leaf(f, "source", "source 2");
	fixture_must_plan(f);
	assert_int_equal(profile(f, "t/pgo")->state, PROFILE_MISMATCH);
	assert_int_equal(profile(f, "t/bolt")->state, PROFILE_MISMATCH);
	assert_false(profile(f, "t/bolt")->identity_known);
	assert_true(fixture_wants(f, "t/shared/train"));
}

static void training_passes_over_pins(void **state)
{
	struct fixture *f = *state;

	pin(f, "t/pgo", "pgo profile");
	must(fixture_plan(f, &(struct plan_request){ .purpose = PLAN_TRAIN }), &f->err);
	assert_true(fixture_wants(f, "t/shared/train"));
	assert_false(f->plan->nodes[fixture_node(f, "t/shared/merge")].pinned);
	assert_int_equal(profile(f, "t/pgo")->state, PROFILE_TRAINED);
}

static void assert_identity_differs(struct fixture *f, const struct recipe_profile *p,
                                    const struct digest *base, bool differs)
{
	struct digest now;

	must(profile_identity(&f->recipe, p, &f->facts, &maker, NULL, &now, &f->err), &f->err);
	assert_int_equal(digest_eq(base, &now), !differs);
}

static void identity_follows_what_it_fits(void **state)
{
	struct fixture *f = *state;
	const struct digest after = fixture_digest("below");
	const struct recipe_profile p = f->recipe.profiles[0];
	struct recipe_profile changed;
	struct digest base, other;
	json_t *flags = fixture_json("['-O3']"), *sources = fixture_json("['source','work']");

	must(profile_identity(&f->recipe, &p, &f->facts, &maker, NULL, &base, &f->err), &f->err);
	assert_identity_differs(f, &p, &base, false);

	fixture_leaf(f, "source", "source 2");
	assert_identity_differs(f, &p, &base, true);
	fixture_leaf(f, "source", "source 1");
	fixture_image(f, "trixie", "image trixie", "clang 20");
	assert_identity_differs(f, &p, &base, true);
	fixture_image(f, "trixie", "image trixie", "clang 19");
	assert_identity_differs(f, &p, &base, false);

	changed = p;
	changed.flags = flags;
	assert_identity_differs(f, &changed, &base, true);
	changed = p;
	changed.kind = "bolt";
	assert_identity_differs(f, &changed, &base, true);
	changed = p;
	changed.sources = sources;
	assert_identity_differs(f, &changed, &base, true);
	must(profile_identity(&f->recipe, &p, &f->facts, &maker, &after, &other, &f->err), &f->err);
	assert_false(digest_eq(&base, &other));
	json_decref(flags);
	json_decref(sources);
}

/* A profile may be older than its workload, and an image be made anew with the same compiler. */
static void identity_leaves_out_what_it_does_not_fit(void **state)
{
	struct fixture *f = *state;
	const struct recipe_profile p = f->recipe.profiles[0];
	struct digest base;

	must(profile_identity(&f->recipe, &p, &f->facts, &maker, NULL, &base, &f->err), &f->err);
	fixture_leaf(f, "work", "work 2");
	fixture_image(f, "trixie", "image trixie of today", "clang 19");
	f->facts.epoch++;
	assert_identity_differs(f, &p, &base, false);
}

static void identity_follows_the_target(void **state)
{
	struct fixture *f = *state;
	struct recipe_profile p = f->recipe.profiles[0];
	struct recipe_target targets[] = { f->recipe.targets[0], f->recipe.targets[0] };
	struct recipe recipe = f->recipe;
	struct digest a, b;

	targets[1].triple = "u";
	recipe.targets = targets;
	recipe.n_targets = 2;
	must(profile_identity(&recipe, &p, &f->facts, &maker, NULL, &a, &f->err), &f->err);
	p.target = "u";
	must(profile_identity(&recipe, &p, &f->facts, &maker, NULL, &b, &f->err), &f->err);
	assert_false(digest_eq(&a, &b));
}

/* Whatever changes the program that is profiled makes another profile of it. */
static void identity_follows_how_the_program_is_made(void **state)
{
	static const struct {
		const char *address, *option, *value;
		bool differs;
	} changes[] = {
		{ "t/shared/counted", "argv", "['make','counted','CFLAGS=-DFOO']", true },
		{ "t/shared/counted", "env", "{'FOO':'1'}", true },
		{ "t/shared/train", "argv", "['a','--longer']", false },
		{ "t/plain/build", "argv", "['make','-O1']", false },
		{ "t/pgo/build", "argv", "['make','-O1']", false },
	};
	struct fixture *f = *state;
	struct digest base;

	fixture_must_plan(f);
	base = profile(f, "t/pgo")->identity;
	f->facts.epoch++;
	fixture_must_plan(f);
	assert_true(digest_eq(&base, &profile(f, "t/pgo")->identity));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const struct stage *stage;
		json_t *value = fixture_json(changes[i].value);

		fixture_pipeline(f);
		fixture_must_plan(f);
		stage = f->plan->nodes[fixture_node(f, changes[i].address)].stage;
		json_object_set_new((json_t *)stage->options, changes[i].option, value);
		fixture_must_plan(f);
		if (digest_eq(&base, &profile(f, "t/pgo")->identity) == changes[i].differs)
			fail_msg("%s %s", changes[i].address, changes[i].option);
	}
}

/* A BOLT profile describes what the rebuild made, with the same profile below. */
static void bolt_identity_follows_the_rebuild(void **state)
{
	struct fixture *f = *state;
	struct digest before;
	const struct stage *stage;

	pin(f, "t/pgo", "pgo profile");
	fixture_must_plan(f);
	before = profile(f, "t/bolt")->identity;
	stage = f->plan->nodes[fixture_node(f, "t/pgo/build")].stage;
	json_object_set_new((json_t *)stage->options, "argv", fixture_json("['make','-O1']"));
	fixture_must_plan(f);
	assert_int_equal(profile(f, "t/pgo")->state, PROFILE_PINNED);
	assert_true(profile(f, "t/bolt")->identity_known);
	assert_false(digest_eq(&before, &profile(f, "t/bolt")->identity));
}

static void two_programs_have_two_profiles(void **state)
{
	struct fixture *f = *state;
	struct recipe_profile a = { .id = "t/bolt-a", .target = "t", .kind = "bolt" };
	struct recipe_profile b = { .id = "t/bolt-b", .target = "t", .kind = "bolt" };
	struct recipe_profile own = { .id = "mine/x", .target = "t", .kind = "pgo" };
	const struct recipe_profile *pgo = &f->recipe.profiles[0];
	struct digest of_a, of_b;

	a.sources = b.sources = pgo->sources;
	must(profile_identity(&f->recipe, &a, &f->facts, &maker, NULL, &of_a, &f->err), &f->err);
	must(profile_identity(&f->recipe, &b, &f->facts, &maker, NULL, &of_b, &f->err), &f->err);
	assert_false(digest_eq(&of_a, &of_b));
	assert_string_equal(recipe_profile_slot(pgo), "pgo");
	assert_string_equal(recipe_profile_slot(&a), "bolt-a");
	assert_string_equal(recipe_profile_slot(&own), "mine/x");
	assert_string_equal(recipe_profile_end(f->arena, pgo), ".profdata");
	assert_string_equal(recipe_profile_end(f->arena, &a), "-a.fdata");
	assert_string_equal(recipe_profile_end(f->arena, &own), "-mine-x.profdata");
}

static void identity_refuses(void **state)
{
	struct fixture *f = *state;
	struct recipe_profile p = f->recipe.profiles[0];
	json_t *sources = fixture_json("['nothing']");
	struct digest d;

	p.sources = sources;
	assert_int_equal(profile_identity(&f->recipe, &p, &f->facts, &maker, NULL, &d, &f->err),
	                 -1);
	assert_int_equal(f->err.code, ERR_INPUT);
	assert_contains(f->err.cause, "\"nothing\", which is no source");
	f->err = ERR_INIT;
	p = f->recipe.profiles[0];
	p.target = "nowhere";
	assert_int_equal(profile_identity(&f->recipe, &p, &f->facts, &maker, NULL, &d, &f->err),
	                 -1);
	assert_contains(f->err.cause, "no target with an image");
	json_decref(sources);
}

/* Long flags count to their last byte. */
static void identity_of_long_flags(void **state)
{
	struct fixture *f = *state;
	struct recipe_profile p = f->recipe.profiles[0];
	char *flag = malloc((3 << 20) + 1);
	struct digest a;
	json_t *flags;

	memset(flag, 'x', 3 << 20);
	flag[3 << 20] = '\0';
	flags = json_pack("[s]", flag);
	p.flags = flags;
	must(profile_identity(&f->recipe, &p, &f->facts, &maker, NULL, &a, &f->err), &f->err);
	flag[(3 << 20) - 1] = 'y';
	json_array_set_new(flags, 0, json_string(flag));
	assert_identity_differs(f, &p, &a, true);
	json_decref(flags);
	free(flag);
}

static void branch_stacks_choose_samples(void **state)
{
	struct fixture *f = *state;
	const struct plan_profile *p;

	f->facts.branch_stacks = true;
	fixture_must_plan(f);
	assert_true(fixture_wants(f, "t/pgo+bolt/sample"));
	assert_true(fixture_wants(f, "t/pgo+bolt/merge-sampled"));
	assert_false(fixture_wants(f, "t/pgo+bolt/merge"));
	assert_false(fixture_wants(f, "t/pgo+bolt/counted"));
	p = profile(f, "t/bolt");
	assert_string_equal(p->from.id, "t/pgo+bolt/merge-sampled");
	assert_int_equal(p->node, fixture_node(f, "t/pgo+bolt/merge-sampled"));
	/* Only profiles that can be sampled are. */
	assert_true(fixture_wants(f, "t/shared/train"));
}

/* The path of the only output may be left out on either side, and means the same profile. */
static void samples_are_chosen_without_paths(void **state)
{
#define RUN(name, inputs)                                                                          \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','options':{'argv':['a'],'outputs':['o'],'inputs':[" inputs "]}}"
	struct fixture *f = *state;
	const char *const until[] = { "t/plain/use*", NULL };

	fixture_load_parts(
		f,
		"[" RUN("m", "") "," RUN("s", "") "," RUN("use-1", "{'at':'x','from':{'$stage':'t/plain/m','path':''}}") "," RUN(
			"use-2", "{'at':'x','from':{'$stage':'t/plain/m','path':'o'}}") "]",
		"'profiles':[{'id':'b','target':'t','kind':'bolt','from':{'$stage':'t/plain/m',"
		"'path':'o'},'sampled':{'$stage':'t/plain/s','path':''},'flags':[],'sources':[]}]");
	f->facts.branch_stacks = true;
	must(fixture_plan(f, &(struct plan_request){ .until = until }), &f->err);
	assert_string_equal(fixture_order(f), "t/plain/s t/plain/use-1 t/plain/use-2");
	assert_string_equal(f->plan->nodes[2].inputs[0].from.path, "o");
}

/* What takes another output than the profile cannot be made out of a pin. */
static void a_pin_has_one_file(void **state)
{
	static const char more[] =
		"'profiles':[{'id':'t/pgo','target':'t','kind':'pgo','from':{'$stage':'t/plain/m',"
		"'path':'merged.profdata'},'flags':[],'sources':[]}]";
	static const char stages[] =
		"[{'address':'t/plain/m','target':'t','variant':'plain','name':'m','kind':"
		"'profdata-merge','options':{'tool':'p','profiles':[{'from':{'$leaf':'work',"
		"'path':''}}]}},{'address':'t/plain/a','target':'t','variant':'plain','name':'a',"
		"'where':'demo.lua:9','kind':'run','options':{'argv':['a'],'outputs':['o'],'inputs':["
		"{'at':'x','from':{'$stage':'t/plain/m','path':'summary.txt'}}]}}]";
	const char *const until[] = { "t/plain/a", NULL };
	const struct plan_request request = { .until = until };
	struct fixture *f = *state;

	fixture_load_parts(f, stages, more);
	must(fixture_plan(f, &request), &f->err);
	fixture_pin(f, "t/pgo", "profile", &profile(f, "t/pgo")->identity);
	assert_int_equal(fixture_plan(f, &request), -1);
	assert_int_equal(f->err.code, ERR_INPUT);
	assert_contains(f->err.cause, "demo.lua:9: t/plain/a takes \"t/plain/m:summary.txt\"");
	assert_contains(f->err.cause, "the lock pins");
}

static void profiles_are_checked(void **state)
{
	static const struct {
		const char *profiles, *says;
	} cases[] = {
		{ "{'id':'p','target':'t','kind':'pgo','from':{'$stage':'t/z','path':'x'}}",
		  "the profile p comes from \"t/z\", which is no stage" },
		{ "{'id':'p','target':'t','kind':'pgo','from':{'$stage':'t/plain/a','path':'x'}}",
		  "\"t/plain/a:x\"" },
		{ "{'id':'p','target':'t','kind':'pgo','from':{'$leaf':'work','path':'x'}}",
		  "which is no stage" },
		{ "{'id':'b','target':'t','kind':'bolt','from':{'$stage':'t/plain/a','path':'o'},"
		  "'after':'p'},"
		  "{'id':'p','target':'t','kind':'pgo','from':{'$stage':'t/plain/a','path':'o'}}",
		  "the profile b stands on \"p\", which is no profile before it" },
		{ "{'id':'b','target':'t','kind':'bolt','from':{'$stage':'t/plain/a','path':'o'},"
		  "'after':'b'}",
		  "the profile b stands on \"b\"" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *more = str_fmt("'profiles':[%s]", cases[i].profiles);

		fixture_load_parts(f,
		                   "[{'address':'t/plain/a','target':'t','variant':'plain',"
		                   "'name':'a','kind':'run','options':{'argv':['a'],"
		                   "'outputs':['o']}}]",
		                   more);
		free(more);
		assert_int_equal(fixture_plan(f, &(struct plan_request){ 0 }), -1);
		assert_int_equal(f->err.code, ERR_INPUT);
		assert_contains(f->err.cause, cases[i].says);
	}
}

static const char *parameters_of(const struct fixture *f, const char *address)
{
	const struct plan_node *node = &f->plan->nodes[fixture_node(f, address)];

	for (size_t i = 0; i < node->n_inputs; i++)
		if (node->inputs[i].from.kind == REF_TEXT)
			return node->inputs[i].from.id;
	fail_msg("%s has no parameters", address);
	return NULL;
}

/* With a verdict in the lock what ships is compared with the digests in it, and nothing else. */
static void a_verdict_saves_the_reference(void **state)
{
	struct fixture *f = *state;
	const struct digest printed = fixture_digest("printed");
	const struct plan_node *smoke;

	fixture_verdict(f, "t");
	fixture_must_plan(f);
	assert_false(fixture_wants(f, "t/plain/build"));
	assert_false(fixture_wants(f, "t/plain/hold"));
	smoke = &f->plan->nodes[fixture_node(f, "t/pgo+bolt/smoke")];
	assert_int_equal(smoke->n_deps, 1);
	assert_contains(parameters_of(f, "t/pgo+bolt/smoke"), "\"expected\":");
	assert_contains(parameters_of(f, "t/pgo+bolt/smoke"), DIGEST_TEXT(&printed));
	/* Variants that the verdict has no digests of keep their reference. */
	assert_contains(parameters_of(f, "t/pgo/smoke"), "\"reference\":");
}

/* A verdict that never tested what ships, or not all of it, saves nothing. */
static void an_empty_verdict_does_not_hold(void **state)
{
	struct fixture *f = *state;
	json_t *verdict = fixture_verdict(f, "t");

	json_object_set_new(verdict, "smoke", json_pack("{s:{s:s}}", "plain", "one", "0"));
	fixture_must_plan(f);
	assert_true(fixture_wants(f, "t/plain/build"));
	assert_null(plan_verdict(f->plan, &f->facts, "t"));
	json_object_set_new(verdict, "smoke", json_pack("{s:{}}", "pgo+bolt"));
	fixture_must_plan(f);
	assert_true(fixture_wants(f, "t/plain/build"));
	json_object_set_new(verdict, "smoke", json_pack("{s:{s:s}}", "pgo+bolt", "another", "0"));
	fixture_must_plan(f);
	assert_true(fixture_wants(f, "t/plain/build"));
	assert_contains(parameters_of(f, "t/pgo+bolt/smoke"), "\"reference\":");
}

/* A smoke stage that stands for no variant compares what it says, whatever the lock says. */
static void a_verdict_leaves_other_smoke_stages_alone(void **state)
{
	struct fixture *f = *state;

	fixture_pipeline(f);
	f->recipe.n_smokes = 1; /* of pgo */
	fixture_verdict(f, "t");
	fixture_must_plan(f);
	assert_contains(parameters_of(f, "t/pgo+bolt/smoke"), "\"reference\":");
}

/* Another source, or a profile that no longer fits: every candidate is judged anew. */
static void a_verdict_on_another_source_does_not_hold(void **state)
{
	struct fixture *f = *state;

	fixture_verdict(f, "t");
	fixture_leaf(f, "work", "work 2");
	fixture_must_plan(f);
	assert_true(fixture_wants(f, "t/plain/build"));
	fixture_leaf(f, "work", "work 1");
	fixture_must_plan(f);
	assert_false(fixture_wants(f, "t/plain/build"));
	fixture_image(f, "trixie", "image 2", "clang 20");
	fixture_must_plan(f);
	assert_true(fixture_wants(f, "t/plain/build"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(unpinned_profiles_are_trained),
		TEST(a_pin_saves_its_training),
		TEST(a_bolt_pin_stands_on_a_pgo_pin),
		TEST(training_passes_over_pins),
		TEST(identity_follows_what_it_fits),
		TEST(identity_leaves_out_what_it_does_not_fit),
		TEST(identity_follows_the_target),
		TEST(identity_follows_how_the_program_is_made),
		TEST(bolt_identity_follows_the_rebuild),
		TEST(two_programs_have_two_profiles),
		TEST(identity_refuses),
		TEST(identity_of_long_flags),
		TEST(branch_stacks_choose_samples),
		TEST(samples_are_chosen_without_paths),
		TEST(a_pin_has_one_file),
		TEST(profiles_are_checked),
		TEST(a_verdict_saves_the_reference),
		TEST(an_empty_verdict_does_not_hold),
		TEST(a_verdict_leaves_other_smoke_stages_alone),
		TEST(a_verdict_on_another_source_does_not_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
