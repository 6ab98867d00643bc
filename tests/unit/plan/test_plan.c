/* Plans of small recipes: what is wanted in which order, and what is refused. */
#include "fakes/fixture.h"

#include "base/str.h"

#define STAGE(address, options)                                                                    \
	"{'address':'" address "','target':'t','variant':'plain','name':'n','kind':'run',"         \
	"'where':'demo.lua:3','options':{'argv':['a'],'outputs':['o']" options "}}"
#define TAKES(address, path)                                                                       \
	",'inputs':[{'at':'in','from':{'$stage':'" address "','path':'" path "'}}]"
#define ARTEFACT(name, address, path)                                                              \
	"{'target':'t','variant':'plain','kind':'archive','name':'" name "','media_type':'m',"     \
	"'from':{'$stage':'" address "','path':'" path "'}}"

static int setup(void **state)
{
	static struct fixture f;

	fixture_init(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_deinit(*state);
	return 0;
}

static int build(struct fixture *f)
{
	return fixture_plan(f, &(struct plan_request){ .purpose = PLAN_BUILD });
}

static void assert_refused(struct fixture *f, enum err_code code, const char *part)
{
	assert_int_equal(f->err.code, code);
	assert_contains(f->err.cause, part);
}

/* ---- the pipeline ------------------------------------------------------------------------- */

static void pipeline_in_order(void **state)
{
	struct fixture *f = *state;

	fixture_pipeline(f);
	fixture_must_plan(f);
	assert_string_equal(fixture_order(f),
	                    "t/shared/counted t/shared/train t/shared/merge t/pgo/build "
	                    "t/pgo+bolt/counted t/pgo+bolt/train t/pgo+bolt/merge t/pgo+bolt/build "
	                    "t/pgo+bolt/tar t/pgo+bolt/pack "
	                    "t/plain/build t/plain/hold t/pgo+bolt/hold t/pgo+bolt/smoke");
	assert_int_equal(f->plan->n_goals, 2);
	assert_string_equal(f->plan->goals[0].artefact->name, "demo-1-pgo+bolt.tar.xz");
	assert_string_equal(f->plan->goals[0].path, "out.tar.xz");
	assert_string_equal(f->plan->goals[1].smoke->variant, "pgo+bolt");
	assert_string_equal(f->plan->goals[1].path, "smoke.json");
}

/* Each wanted node stands behind what it takes; users are the reverse of deps. */
static void order_and_users_agree(void **state)
{
	struct fixture *f = *state;
	size_t at[64], n_deps = 0, n_users = 0;

	fixture_pipeline(f);
	fixture_must_plan(f);
	for (size_t i = 0; i < f->plan->n_wanted; i++)
		at[f->plan->order[i]] = i;
	for (size_t i = 0; i < f->plan->n_wanted; i++) {
		const struct plan_node *node = &f->plan->nodes[f->plan->order[i]];

		assert_true(node->wanted);
		n_deps += node->n_deps;
		n_users += node->n_users;
		for (size_t d = 0; d < node->n_deps; d++)
			assert_true(at[node->deps[d]] < i);
		for (size_t u = 0; u < node->n_users; u++)
			assert_true(at[node->users[u]] > i);
	}
	assert_int_equal(n_deps, n_users);
	assert_int_equal(f->plan->nodes[fixture_node(f, "t/pgo+bolt/sample")].n_users, 0);
}

static void release_wants_all_candidates(void **state)
{
	struct fixture *f = *state;
	const struct plan_request release = { .purpose = PLAN_RELEASE };

	fixture_pipeline(f);
	must(fixture_plan(f, &release), &f->err);
	assert_true(fixture_wants(f, "t/pgo/smoke"));
	assert_false(fixture_wants(f, "t/pgo/pack"));
	/* With a verdict there is nothing left to choose, and no reference to build. */
	fixture_verdict(f, "t");
	must(fixture_plan(f, &release), &f->err);
	assert_false(fixture_wants(f, "t/pgo/smoke"));
	assert_false(fixture_wants(f, "t/plain/hold"));
	assert_false(fixture_wants(f, "t/plain/build"));
	assert_true(fixture_wants(f, "t/pgo+bolt/smoke"));
}

static void training_wants_profiles_only(void **state)
{
	struct fixture *f = *state;

	fixture_pipeline(f);
	must(fixture_plan(f, &(struct plan_request){ .purpose = PLAN_TRAIN }), &f->err);
	assert_string_equal(fixture_order(f),
	                    "t/shared/counted t/shared/train t/shared/merge t/pgo/build "
	                    "t/pgo+bolt/counted t/pgo+bolt/train t/pgo+bolt/merge");
	assert_string_equal(f->plan->goals[0].profile->id, "t/pgo");
	assert_string_equal(f->plan->goals[1].profile->id, "t/bolt");
}

static void variant_and_until(void **state)
{
	struct fixture *f = *state;
	const char *const until[] = { "pgo+bolt/counted", "plain/*", NULL };
	const char *const none[] = { "pgo/nothing", NULL };

	fixture_pipeline(f);
	must(fixture_plan(f, &(struct plan_request){ .variant = "pgo" }), &f->err);
	assert_true(fixture_wants(f, "t/pgo/pack"));
	assert_true(fixture_wants(f, "t/pgo/smoke"));
	assert_false(fixture_wants(f, "t/pgo+bolt/build"));
	assert_int_equal(fixture_plan(f, &(struct plan_request){ .variant = "fast" }), -1);
	assert_refused(f, ERR_USAGE,
	               "no variant matches \"fast\"; there are: plain, pgo, pgo+bolt");

	must(fixture_plan(f, &(struct plan_request){ .until = until }), &f->err);
	assert_int_equal(f->plan->n_goals, 3);
	assert_true(fixture_wants(f, "t/plain/hold"));
	assert_true(fixture_wants(f, "t/pgo+bolt/counted"));
	assert_false(fixture_wants(f, "t/pgo+bolt/train"));
	assert_int_equal(fixture_plan(f, &(struct plan_request){ .until = none }), -1);
	assert_refused(f, ERR_USAGE, "no stage matches \"pgo/nothing\"");
}

static void two_targets(struct fixture *f)
{
	fixture_load(
		f, "{'schema':'kiln.recipe/1','name':'d','leaves':{},'targets':["
		   "{'triple':'x86_64-linux','toolchain':'c','image':'trixie','variants':['plain'],"
		   "'ship':'plain'},{'triple':'aarch64-linux','toolchain':'c','image':'trixie',"
		   "'variants':['plain'],'ship':'plain'}],'stages':["
		   "{'address':'x86_64-linux/plain/b','target':'x86_64-linux','variant':'plain',"
		   "'name':'b','kind':'run','options':{'argv':['a'],'outputs':['o']}},"
		   "{'address':'aarch64-linux/plain/b','target':'aarch64-linux','variant':'plain',"
		   "'name':'b','kind':'run','options':{'argv':['a'],'outputs':['o']}}],"
		   "'artefacts':[{'target':'x86_64-linux','variant':'plain','kind':'k','name':'x',"
		   "'media_type':'m','from':{'$stage':'x86_64-linux/plain/b','path':''}},"
		   "{'target':'aarch64-linux','variant':'plain','kind':'k','name':'a',"
		   "'media_type':'m','from':{'$stage':'aarch64-linux/plain/b','path':'o'}}]}");
}

static void target_globs(void **state)
{
	struct fixture *f = *state;
	const char *const arm[] = { "aarch64*", NULL }, *const both[] = { "*", NULL };
	const char *const wrong[] = { "x86_64*", "riscv*", NULL };
	const char *const until[] = { "b", NULL };

	two_targets(f);
	must(fixture_plan(f, &(struct plan_request){ .targets = arm }), &f->err);
	assert_string_equal(fixture_order(f), "aarch64-linux/plain/b");
	must(fixture_plan(f, &(struct plan_request){ .targets = both }), &f->err);
	assert_string_equal(fixture_order(f), "x86_64-linux/plain/b aarch64-linux/plain/b");
	/* A path that is left out means the only output. */
	assert_string_equal(f->plan->goals[0].path, "o");
	must(fixture_plan(f, &(struct plan_request){ .targets = arm, .until = until }), &f->err);
	assert_string_equal(fixture_order(f), "aarch64-linux/plain/b");
	assert_int_equal(fixture_plan(f, &(struct plan_request){ .targets = wrong }), -1);
	assert_refused(f, ERR_USAGE,
	               "no target matches \"riscv*\"; there are: x86_64-linux, aarch64-linux");
}

/* ---- what every action gets --------------------------------------------------------------- */

static const char *env_of(const struct plan_node *node, const char *name)
{
	const char *value = NULL;

	for (size_t i = 0; i < node->n_env; i++)
		if (str_eq(node->env[i].name, name)) {
			assert_null(value);
			value = node->env[i].value;
		}
	assert_non_null(value);
	return value;
}

static void fixed_environment(void **state)
{
	struct fixture *f = *state;
	const char *const until[] = { "t/plain/*", NULL };
	const struct plan_node *a, *b;
	struct digest image = fixture_digest("image other");

	fixture_image(f, "other", "image other", "gcc");
	fixture_load_parts(
		f,
		"[" STAGE("t/plain/a", "") "," STAGE(
			"t/plain/b", ",'env':{'HOME':'/build','X':'1'},'image':'other'") "]",
		"");
	must(fixture_plan(f, &(struct plan_request){ .until = until }), &f->err);
	a = &f->plan->nodes[0];
	b = &f->plan->nodes[1];
	assert_string_equal(env_of(a, "SOURCE_DATE_EPOCH"), "1735689600");
	assert_string_equal(env_of(a, "HOME"), "/tmp");
	assert_string_equal(env_of(a, "TZ"), "UTC");
	assert_string_equal(env_of(a, "LC_ALL"), "C.UTF-8");
	assert_string_equal(env_of(a, "PATH"), "/usr/bin:/bin");
	assert_string_equal(env_of(b, "HOME"), "/build");
	assert_string_equal(env_of(b, "X"), "1");
	assert_string_equal(f->plan->arch, "amd64");
	assert_true(digest_eq(b->image, &image));
	assert_false(digest_eq(a->image, &image));
}

/* Where programs are looked for is the toolchain's to say. */
static void the_target_has_its_path(void **state)
{
	struct fixture *f = *state;
	const char *const until[] = { "t/plain/*", NULL };

	fixture_load_parts(f, "[" STAGE("t/plain/a", "") "]", "");
	f->recipe.targets[0].path = "/opt/llvm/bin:/bin";
	must(fixture_plan(f, &(struct plan_request){ .until = until }), &f->err);
	assert_string_equal(env_of(&f->plan->nodes[0], "PATH"), "/opt/llvm/bin:/bin");
}

/* ---- refusals ----------------------------------------------------------------------------- */

static void unknown_things(void **state)
{
	static const struct {
		const char *stages, *says;
	} cases[] = {
		{ "[" STAGE("t/plain/a", TAKES("t/plain/z", "o")) "]",
		  "demo.lua:3: t/plain/a takes \"t/plain/z:o\", which is no stage of the recipe" },
		{ "[" STAGE("t/plain/a", TAKES("t/plain/b", "p")) "," STAGE("t/plain/b", "") "]",
		  "t/plain/a takes \"t/plain/b:p\", which that stage does not declare as output" },
		{ "[" STAGE("t/plain/a", TAKES("t/plain/b", "ox")) "," STAGE("t/plain/b", "") "]",
		  "does not declare as output" },
		{ "[" STAGE("t/plain/a",
		            ",'inputs':[{'at':'x','from':{'$leaf':'src','path':'y'}}]") "]",
		  "t/plain/a takes \"src:y\", which is no source of the recipe" },
		{ "[" STAGE("t/plain/a", "") "," STAGE("t/plain/a", "") "]",
		  "the stage t/plain/a is declared twice" },
		{ "[" STAGE("t/plain/a", ",'env':{'SOURCE_DATE_EPOCH':'1'}") "]",
		  "demo.lua:3: t/plain/a sets SOURCE_DATE_EPOCH, which Kiln itself sets" },
		{ "[" STAGE("t/plain/a", ",'env':{'KILN_JOBS':'1'}") "]",
		  "demo.lua:3: t/plain/a sets KILN_JOBS, which Kiln itself sets" },
		{ "[" STAGE("t/plain/a",
		            ",'inputs':[{'at':'x','from':{'$leaf':'source','path':'y'}},"
		            "{'at':'x','from':{'$leaf':'source','path':'z'}}]") "]",
		  "demo.lua:3: t/plain/a has two inputs at \"x\"" },
		{ "[" STAGE("t/plain/a", ",'image':'sid'") "]",
		  "demo.lua:3: t/plain/a needs the image \"sid\"" },
		{ "[{'address':'q/plain/a','target':'q','variant':'plain','name':'a','kind':'run',"
		  "'options':{'argv':['a'],'outputs':[]}}]",
		  "needs the image \"?\"" },
		{ "[{'address':'t/plain/a','target':'t','variant':'plain','name':'a','kind':'biuld',"
		  "'options':{}}]",
		  "did you mean \"build\"?" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_load_parts(f, cases[i].stages, "");
		assert_int_equal(build(f), -1);
		assert_refused(f, ERR_INPUT, cases[i].says);
	}
}

static void below_an_output_is_fine(void **state)
{
	struct fixture *f = *state;
	const char *const until[] = { "t/plain/a", NULL };

	fixture_load_parts(
		f,
		"[" STAGE("t/plain/a", TAKES("t/plain/b", "o/below/it")) "," STAGE(
			"t/plain/b",
			TAKES("t/plain/c", "@log")) "," STAGE("t/plain/c",
	                                                      TAKES("t/plain/d",
	                                                            "")) "," STAGE("t/plain/d",
	                                                                           "") "]",
		"");
	must(fixture_plan(f, &(struct plan_request){ .until = until }), &f->err);
	assert_string_equal(fixture_order(f), "t/plain/d t/plain/c t/plain/b t/plain/a");
	assert_string_equal(f->plan->nodes[2].inputs[0].from.path, "o");
}

static void cycles_are_printed(void **state)
{
	struct fixture *f = *state;
	const char *const until[] = { "t/plain/a", NULL };
	const struct plan_request request = { .until = until };

	fixture_load_parts(
		f,
		"[" STAGE("t/plain/a", TAKES("t/plain/b", "o")) "," STAGE(
			"t/plain/b",
			",'inputs':[{'at':'x','from':{'$stage':'t/plain/e',"
			"'path':'o'}},{'at':'y','from':{'$stage':"
			"'t/plain/c','path':'o'}}]") "," STAGE("t/plain/c",
	                                                       TAKES("t/plain/d",
	                                                             "o")) "," STAGE("t/plain/d",
	                                                                             TAKES("t/plain/b",
	                                                                                   "o")) "," STAGE("t/plain/e",
	                                                                                                   "") "]",
		"");
	assert_int_equal(fixture_plan(f, &request), -1);
	assert_refused(f, ERR_INPUT,
	               "demo.lua:3: these stages need each other: t/plain/b -> t/plain/c -> "
	               "t/plain/d -> t/plain/b");
	fixture_load_parts(f, "[" STAGE("t/plain/a", TAKES("t/plain/a", "o")) "]", "");
	assert_int_equal(fixture_plan(f, &request), -1);
	assert_refused(f, ERR_INPUT, "t/plain/a -> t/plain/a");
}

static void load_cycle(struct fixture *f, int n)
{
	struct buf text = BUF_INIT(64 << 20);

	buf_add_char(&text, '[');
	for (int i = 0; i < n; i++)
		buf_fmt(&text, "%s" STAGE("t/plain/%05d", TAKES("t/plain/%05d", "o")), i ? "," : "",
		        i, (i + 1) % n);
	buf_add_char(&text, ']');
	fixture_load_parts(f, buf_text(&text),
	                   "'artefacts':[" ARTEFACT("x", "t/plain/00000", "o") "]");
	buf_deinit(&text);
}

/* Of a cycle that is longer than any message both ends are named. */
static void long_cycles(void **state)
{
	static const int sizes[] = { 500, 100000 };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		const int n = sizes[i];
		_cleanup_free_ char *says = str_fmt(
			"these stages need each other: t/plain/00000 -> t/plain/00001 -> t/plain/00002 -> "
			"t/plain/00003 -> t/plain/00004 -> … %d more … -> t/plain/%05d -> "
			"t/plain/%05d -> t/plain/%05d -> t/plain/%05d -> t/plain/%05d -> t/plain/00000",
			n - 10, n - 5, n - 4, n - 3, n - 2, n - 1);

		load_cycle(f, n);
		assert_int_equal(build(f), -1);
		assert_refused(f, ERR_INPUT, says);
	}
}

static void artefacts_are_checked(void **state)
{
	static const struct {
		const char *artefacts, *says;
	} cases[] = {
		{ ARTEFACT("x", "t/plain/z", "o"),
		  "x comes from \"t/plain/z\", which is no stage" },
		{ ARTEFACT("x", "t/plain/a", "nope"), "\"t/plain/a:nope\"" },
		{ ARTEFACT("x", "t/plain/a", "o") "," ARTEFACT("x", "t/plain/b", "o"),
		  "two artefacts would be named x (t/plain/a and t/plain/b)" },
		{ ARTEFACT("x", "t/plain/a", "p"),
		  "\"t/plain/a:p\" is asked for, which that stage does not declare as output" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *more = str_fmt("'artefacts':[%s]", cases[i].artefacts);

		fixture_load_parts(f, "[" STAGE("t/plain/a", "") "," STAGE("t/plain/b", "") "]",
		                   more);
		free(more);
		assert_int_equal(build(f), -1);
		assert_refused(f, ERR_INPUT, cases[i].says);
	}
	fixture_load_parts(f, "[" STAGE("t/plain/a", "") "]",
	                   "'smoke':[{'target':'t','variant':'plain','stage':'t/plain/a'}]");
	assert_int_equal(build(f), -1);
	assert_refused(f, ERR_INPUT, "smoke.json");
}

#define KIND(name, kind, options)                                                                  \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'" kind "','where':'demo.lua:4','options':{" options "}}"
#define FROM(name, path) "{'$stage':'t/plain/" name "','path':'" path "'}"

/* However often it is packed, what counts its calls must not get out. */
static void instrumented_never_ships(void **state)
{
	struct fixture *f = *state;

	fixture_load_parts(f, "[" KIND("i", "instrument", "'argv':['a'],'outputs':['o']") "]",
	                   "'artefacts':[" ARTEFACT("x", "t/plain/i", "o") "]");
	assert_int_equal(build(f), -1);
	assert_refused(f, ERR_INPUT, "the artefact x would");
	assert_refused(f, ERR_INPUT, "t/plain/i");
	fixture_load_parts(
		f,
		"[" KIND("i", "instrument", "'argv':['a'],'outputs':['o']") "," KIND(
			"s", "strip",
			"'tool':'s','binary':" FROM(
				"i",
				"o")) "," KIND("t", "tar",
	                                       "'root':'r','files':[{'at':'x','from':" FROM(
						       "s",
						       "stripped") "}]") "," KIND("c", "compress",
	                                                                          "'format':'gz','from':" FROM(
											  "t",
											  "out.tar")) "]",
		"'artefacts':[" ARTEFACT("x", "t/plain/c", "out.tar.gz") "]");
	assert_int_equal(build(f), -1);
	assert_refused(f, ERR_INPUT, "the artefact x would");
	assert_refused(f, ERR_INPUT, "t/plain/i");
}

/* ---- purity ------------------------------------------------------------------------------- */

static void plan_bytes(const struct plan *plan, struct buf *text)
{
	for (size_t i = 0; i < plan->n_wanted; i++) {
		struct plan_node *node = &plan->nodes[plan->order[i]];
		struct action action = plan_action(plan, node);

		buf_fmt(text, "%s wanted %d pinned %d deps %u users %u image %s\n",
		        node->stage->address, node->wanted, node->pinned, node->n_deps,
		        node->n_users, action.image ? DIGEST_TEXT(action.image) : "-");
		fixture_show(node->lowered, text);
		action_encode(&action, text);
	}
	for (size_t i = 0; i < plan->n_profiles; i++)
		buf_fmt(text, "%s %d %s\n", plan->profiles[i].profile->id, plan->profiles[i].state,
		        DIGEST_TEXT(&plan->profiles[i].identity));
}

static void equal_facts_equal_plans(void **state)
{
	struct fixture *f = *state;
	struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);

	fixture_pipeline(f);
	fixture_must_plan(f);
	plan_bytes(f->plan, &a);
	fixture_pipeline(f);
	fixture_must_plan(f);
	plan_bytes(f->plan, &b);
	assert_true(a.n > 1000 && !a.overflow);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(buf_text(&a), buf_text(&b), a.n);
	buf_deinit(&a);
	buf_deinit(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(pipeline_in_order),
		TEST(order_and_users_agree),
		TEST(release_wants_all_candidates),
		TEST(training_wants_profiles_only),
		TEST(variant_and_until),
		TEST(target_globs),
		TEST(fixed_environment),
		TEST(the_target_has_its_path),
		TEST(unknown_things),
		TEST(below_an_output_is_fine),
		TEST(cycles_are_printed),
		TEST(long_cycles),
		TEST(artefacts_are_checked),
		TEST(instrumented_never_ships),
		TEST(equal_facts_equal_plans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
