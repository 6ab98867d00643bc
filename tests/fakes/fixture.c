/* Recipes, facts and plans for tests, in as few words as they can be said. */
#include "fakes/fixture.h"

#include "base/str.h"
#include "external/crypto.h"

json_t *fixture_json(const char *text)
{
	struct err err = ERR_INIT;
	char *copy = str_dup(text);
	json_t *json = NULL;

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	if (json_parse(copy, strlen(copy), "fixture", &json, &err) < 0)
		fail_msg("%s in %s", err.cause, text);
	free(copy);
	return json;
}

struct digest fixture_digest(const char *seed)
{
	struct digest digest;

	digest_of(seed, strlen(seed), &digest);
	return digest;
}

static struct tree_node node_of(const char *seed, enum node_kind kind)
{
	return (struct tree_node){ .name = "",
		                   .kind = kind,
		                   .ref = { fixture_digest(seed), strlen(seed) } };
}

void fixture_init(struct fixture *f)
{
	*f = (struct fixture){ .arena = arena_new(), .documents = json_array(), .err = ERR_INIT };
	f->facts = (struct facts){
		.epoch = 1735689600,
		.arch = "amd64",
		.leaves = map_new(),
		.images = map_new(),
		.pins = map_new(),
		.verdicts = map_new(),
	};
	fixture_image(f, "trixie", "image trixie", "clang 19");
}

void fixture_deinit(struct fixture *f)
{
	map_free(f->facts.leaves);
	map_free(f->facts.images);
	map_free(f->facts.pins);
	map_free(f->facts.verdicts);
	json_decref(f->documents);
	arena_free(f->arena);
}

void fixture_load(struct fixture *f, const char *text)
{
	json_t *document = fixture_json(text);

	json_array_append_new(f->documents, document);
	f->err = ERR_INIT;
	if (recipe_read(f->arena, document, &f->recipe, &f->err) < 0)
		fail_msg("%s", f->err.cause);
}

void fixture_load_parts(struct fixture *f, const char *stages, const char *more)
{
	char *text = str_fmt("{'schema':'kiln.recipe/1','name':'demo','version':'1','leaves':{},"
	                     "'targets':[{'triple':'t','toolchain':'c','image':'trixie',"
	                     "'variants':['plain'],'ship':'plain'}],'stages':%s%s%s}",
	                     stages ? stages : "[]", more[0] ? "," : "", more);

	fixture_load(f, text);
	free(text);
}

#define STAGE(variant, name, kind, options)                                                        \
	"{'address':'t/" variant "/" name "','target':'t','variant':'" variant "','name':'" name   \
	"','kind':'" kind "','where':'demo.lua:1','options':{" options "}}"
#define REF(address, path) "{'$stage':'t/" address "','path':'" path "'}"
#define SOURCE "'inputs':[{'at':'src','from':{'$leaf':'source','path':''}}]"
#define RUN_OF(binary, more)                                                                       \
	"'binary':" binary ",'name':'app','inputs':[{'at':'data','from':{'$leaf':'work',"          \
	"'path':''}}]" more
#define PACK(variant, binary)                                                                           \
	STAGE(variant, "hold", "workload", RUN_OF(binary, ""))                                          \
	"," STAGE(                                                                                      \
		variant, "smoke", "smoke",                                                              \
		"'cases':['one'],'reference':[" REF("plain/hold", "@stdout") "],'candidate':[" REF(     \
			variant "/hold",                                                                \
			"@stdout") "]") "," STAGE(variant, "tar", "tar",                                \
	                                          "'root':'demo-1','files':[{'at':'app','from':" binary \
	                                          "}]") "," STAGE(variant, "pack", "compress",          \
	                                                          "'format':'xz','from':" REF(          \
									  variant "/tar",               \
									  "out.tar"))
#define ARTEFACT(variant)                                                                          \
	"{'target':'t','variant':'" variant "','kind':'archive','name':'demo-1-" variant           \
	".tar.xz','media_type':'application/x-xz','from':" REF(variant "/pack", "out.tar.xz") "}"
#define SMOKE(variant) "{'target':'t','variant':'" variant "','stage':'t/" variant "/smoke'}"

static const char pipeline[] =
	"{'schema':'kiln.recipe/1','name':'demo','version':'1','leaves':{},'targets':[{'triple':'t',"
	"'toolchain':'c','image':'trixie','variants':['plain','pgo','pgo+bolt'],'ship':'pgo+bolt',"
	"'reference':'plain'}],'stages':[" STAGE("plain", "build", "build", "'argv':['make'],'outputs':['app']," SOURCE) "," STAGE(
		"shared", "counted", "instrument",
		"'argv':['make','counted'],'outputs':['app']," SOURCE) "," STAGE("shared", "train",
                                                                                 "workload",
                                                                                 RUN_OF(REF("shared/counted",
                                                                                            "app"),
                                                                                        ",'collect':'profraw'")) "," STAGE("shared",
                                                                                                                           "merge",
                                                                                                                           "profdata-merge", "'tool':'profdata','profiles':[{'from':" REF("shared/train", "prof") "}]") "," STAGE("pgo", "build", "rebuild", "'argv':['make'],'outputs':['app']," SOURCE ",'profile':" REF("shared/merge", "merged.profdata")) "," STAGE("pgo+bolt", "counted", "bolt-instrument", "'tool':'bolt','binary':" REF("pgo/build", "app")) "," STAGE("pgo+bolt",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                "train",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                "bolt-workload",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                RUN_OF(
																																																											REF("pgo+bolt/counted",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                            "instrumented"),
																																																											"")) "," STAGE("pgo+bolt",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       "merge", "fdata-merge",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       "'tool':'merge','profiles':[{'from':" REF("pgo+bolt/train",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 "prof") "}]") "," STAGE("pgo+bolt", "sample", "perf-record",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                         RUN_OF(REF(
																																																																							"pgo/build", "app"),
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                ",'tool':'perf2bolt'")) "," STAGE("pgo+bolt",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "merge-sampled",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                  "fdata-merge", "'tool':'merge','profiles':[{'from':" REF("pgo+bolt/sample", "prof") "}]") "," STAGE("pgo+bolt",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "build",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "llvm-bolt",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                      "'tool':'bolt','binary':" REF("pgo/build", "app") ",'fdata':" REF("pgo+bolt/merge", "merged.fdata")) "," STAGE("plain", "hold",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                     "workload", RUN_OF(REF("plain/build", "app"), "")) "," PACK("pgo",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                 REF(
																																																																																																													 "pgo/build", "app")) "," PACK("pgo+bolt",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                       REF(
																																																																																																																	       "pgo+bolt/build",
																																																																																																																	       "bolted")) "],'profiles':[{'id':'t/pgo','target':'t','kind':'pgo','from':" REF("shared/merge",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              "merged.profdata") ",'flags':['-O2'],'sources':['source'],'after':null},"
																																																																																																																														 "{'id':'t/bolt','target':'t','kind':'bolt','from':" REF(
																																																																																																																															 "pgo+bolt/merge", "merged.fdata") ",'sampled':" REF("pgo+bolt/merge-sampled", "merged.fdata") ",'flags':[],'sources':['source'],'after':'t/pgo'}],"
																																																																																																																																										       "'smoke':[" SMOKE(
																																																																																																																																											       "pgo") "," SMOKE("pgo+bolt") "],"
																																																																																																																																															    "'artefacts':[" ARTEFACT("pgo") "," ARTEFACT(
																																																																																																																																																    "pgo+bolt") "]}";

void fixture_pipeline(struct fixture *f)
{
	fixture_load(f, pipeline);
	fixture_leaf(f, "source", "source 1");
	fixture_leaf(f, "work", "work 1");
}

void fixture_leaf(struct fixture *f, const char *id, const char *seed)
{
	struct fact_leaf *leaf = arena_alloc(f->arena, sizeof(*leaf));

	leaf->node = node_of(seed, NODE_DIR);
	map_set(f->facts.leaves, id, leaf);
}

void fixture_image(struct fixture *f, const char *name, const char *seed, const char *compiler)
{
	struct fact_image *image = arena_alloc(f->arena, sizeof(*image));

	*image = (struct fact_image){ fixture_digest(seed), arena_str(f->arena, compiler) };
	map_set(f->facts.images, name, image);
}

void fixture_pin(struct fixture *f, const char *profile, const char *seed,
                 const struct digest *identity)
{
	struct fact_pin *pin = arena_alloc(f->arena, sizeof(*pin));

	*pin = (struct fact_pin){ node_of(seed, NODE_FILE), *identity };
	map_set(f->facts.pins, profile, pin);
}

json_t *fixture_verdict(struct fixture *f, const char *triple)
{
	const struct digest printed = fixture_digest("printed");
	json_t *verdict = json_object();

	for (size_t i = 0; i < f->recipe.n_profiles; i++) {
		fixture_must_plan(f);
		fixture_pin(f, f->recipe.profiles[i].id, f->recipe.profiles[i].id,
		            &f->plan->profiles[i].identity);
	}
	json_object_set_new(verdict, "inputs", plan_verdict_inputs(&f->facts));
	json_object_set_new(verdict, "ship", json_string("pgo+bolt"));
	json_object_set_new(verdict, "smoke",
	                    json_pack("{s:{s:s}}", "pgo+bolt", "one", DIGEST_TEXT(&printed)));
	json_array_append_new(f->documents, verdict);
	map_set(f->facts.verdicts, triple, verdict);
	return verdict;
}

int fixture_plan(struct fixture *f, const struct plan_request *request)
{
	struct plan_request full = *request;

	full.recipe = &f->recipe;
	full.facts = &f->facts;
	f->err = ERR_INIT;
	f->plan = NULL;
	return plan_build(f->arena, &full, &f->plan, &f->err);
}

void fixture_must_plan(struct fixture *f)
{
	if (fixture_plan(f, &(struct plan_request){ .purpose = PLAN_BUILD }) < 0)
		fail_msg("%s", f->err.cause);
}

size_t fixture_node(const struct fixture *f, const char *address)
{
	for (size_t i = 0; i < f->plan->n_nodes; i++)
		if (str_eq(f->plan->nodes[i].stage->address, address))
			return i;
	fail_msg("there is no stage %s", address);
	return 0;
}

bool fixture_wants(const struct fixture *f, const char *address)
{
	return f->plan->nodes[fixture_node(f, address)].wanted;
}

const char *fixture_order(const struct fixture *f)
{
	struct buf text = BUF_INIT(1 << 20);
	const char *copy;

	for (size_t i = 0; i < f->plan->n_wanted; i++) {
		const struct plan_node *node = &f->plan->nodes[f->plan->order[i]];

		buf_fmt(&text, node->pinned ? "%s(%s)" : "%s%s", i ? " " : "",
		        node->stage->address);
	}
	copy = arena_str(f->arena, buf_text(&text));
	buf_deinit(&text);
	return copy;
}

static void show_ref(const struct ref *ref, struct buf *text)
{
	if (ref->kind == REF_TEXT)
		buf_fmt(text, "text %s", ref->id);
	else if (ref->kind == REF_SCRIPT)
		buf_fmt(text, "script %s", ref->id);
	else
		buf_fmt(text, "%s%s:%s", ref->kind == REF_LEAF ? "leaf " : "", ref->id, ref->path);
}

static void show_action(const struct action *a, struct buf *text)
{
	if (a->builtin)
		buf_fmt(text, "builtin %s\n", a->builtin);
	if (a->n_argv)
		buf_add_str(text, "argv");
	for (size_t i = 0; i < a->n_argv; i++)
		buf_fmt(text, " %s", strchr(a->argv[i], '\n') ? "{script}" : a->argv[i]);
	if (a->n_argv)
		buf_add_char(text, '\n');
	for (size_t i = 0; i < a->n_env; i++)
		buf_fmt(text, "env %s=%s\n", a->env[i].name, a->env[i].value);
	for (size_t i = 0; i < a->n_outputs; i++) {
		buf_fmt(text, "out %s%s", a->outputs[i].path,
		        a->outputs[i].non_empty ? " non-empty" : "");
		for (size_t j = 0; j < a->outputs[i].n_exclude; j++)
			buf_fmt(text, " -%s", a->outputs[i].exclude[j]);
		buf_add_char(text, '\n');
	}
	for (size_t i = 0; i < a->n_reject; i++)
		buf_fmt(text, "reject %s\n", a->reject[i]);
	for (size_t i = 0; i < a->n_exit_codes; i++)
		buf_fmt(text, "exit %d\n", a->exit_codes[i]);
	if (a->workdir[0])
		buf_fmt(text, "workdir %s\n", a->workdir);
	if (a->fixed_addresses)
		buf_add_str(text, "fixed-addresses\n");
}

void fixture_show(const struct stage_lowered *lowered, struct buf *text)
{
	show_action(&lowered->action, text);
	for (size_t i = 0; i < lowered->n_inputs; i++) {
		buf_fmt(text, "in %s <- ", lowered->inputs[i].at);
		show_ref(&lowered->inputs[i].from, text);
		buf_add_char(text, '\n');
	}
	if (lowered->image)
		buf_fmt(text, "image %s\n", lowered->image);
	if (lowered->needs->cpus || lowered->needs->memory || lowered->needs->timeout_ms)
		buf_fmt(text, "cpus %d memory %lld timeout %lld ms\n", lowered->needs->cpus,
		        (long long)lowered->needs->memory, (long long)lowered->needs->timeout_ms);
	if (lowered->needs->exclusive)
		buf_add_str(text, "exclusive\n");
	if (lowered->never_ships)
		buf_add_str(text, "never-ships\n");
	if (lowered->passes_on)
		buf_add_str(text, "passes-on\n");
}
