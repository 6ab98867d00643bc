/* What the ledger compares is all that a key is made of: whatever changes a key, it sees. */
#include "fakes/world.h"

#include "engine/inputs.h"
#include "store/place.h"

static struct buf key = BUF_INIT(100);

static const char *exclude[] = { "*.o" }, *more_exclude[] = { "*.x" };
static const char *reject[] = { "warning" }, *more_reject[] = { "error" };
static int codes[] = { 3 }, more_codes[] = { 4 };

/* A change of an action; the second time it is called, back again. */
typedef void (*change_fn)(struct plan *plan, struct plan_node *node, struct action *action);

#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) swap_was = (a);                                                      \
		(a) = (b);                                                                         \
		(b) = swap_was;                                                                    \
	} while (0)
#define CHANGE(name, type, member, value)                                                          \
	static void name(struct plan *plan, struct plan_node *node, struct action *action)         \
	{                                                                                          \
		static type other = value;                                                         \
		(void)plan, (void)node, (void)action;                                              \
		SWAP(member, other);                                                               \
	}

static const char *other_argv[] = { "make", "other" };
static struct action_env other_env[] = { { "A", "2" } };

CHANGE(argv, const char **, action->argv, other_argv)
CHANGE(fewer_words, size_t, action->n_argv, 1)
CHANGE(workdir, const char *, action->workdir, "sub")
CHANGE(output, const char *, action->outputs[0].path, "other")
CHANGE(non_empty, bool, action->outputs[0].non_empty, true)
CHANGE(excludes, const char **, action->outputs[0].exclude, more_exclude)
CHANGE(no_excludes, size_t, action->outputs[0].n_exclude, 0)
CHANGE(no_outputs, size_t, action->n_outputs, 0)
CHANGE(builtin, const char *, action->builtin, "archive@9")
CHANGE(fixed, bool, action->fixed_addresses, true)
CHANGE(exit_codes, int *, action->exit_codes, more_codes)
CHANGE(no_exit_codes, size_t, action->n_exit_codes, 0)
CHANGE(rejects, const char **, action->reject, more_reject)
CHANGE(no_rejects, size_t, action->n_reject, 0)
CHANGE(arch, const char *, plan->arch, "riscv64")

static void image(struct plan *plan, struct plan_node *node, struct action *action)
{
	static struct digest digest = { { 1 } };
	static const struct digest *other = &digest;

	(void)plan, (void)action;
	SWAP(node->image, other);
}

static void env(struct plan *plan, struct plan_node *node, struct action *action)
{
	static struct action_env *other = other_env;
	static uint32_t n = 1;

	(void)plan, (void)action;
	SWAP(node->env, other);
	SWAP(node->n_env, n);
}

static const struct {
	const char *name;
	change_fn change;
} changes[] = {
	{ "argv", argv },
	{ "fewer words", fewer_words },
	{ "workdir", workdir },
	{ "output", output },
	{ "non-empty", non_empty },
	{ "excludes", excludes },
	{ "no excludes", no_excludes },
	{ "no outputs", no_outputs },
	{ "builtin", builtin },
	{ "fixed addresses", fixed },
	{ "exit codes", exit_codes },
	{ "no exit codes", no_exit_codes },
	{ "rejects", rejects },
	{ "no rejects", no_rejects },
	{ "arch", arch },
	{ "image", image },
	{ "env", env },
};

static struct ledger *begin_ledger(struct world *w)
{
	struct ledger *ledger = ledger_new(w->store, &key);
	struct engine_node *nodes = arena_array(w->f.arena, w->f.plan->n_nodes, sizeof(*nodes));

	ledger_begin(ledger, w->f.plan, nodes);
	return ledger;
}

/* One stage of one input, in the middle of what can be said of it. */
static size_t load_one(struct world *w)
{
	struct plan_node *node;
	struct action *action;
	size_t at;

	fixture_load_parts(&w->f,
	                   "[{'address':'t/plain/a','target':'t','variant':'plain','name':'a',"
	                   "'kind':'run','where':'demo.lua:2','options':{'argv':['make','a'],"
	                   "'outputs':['o'],'inputs':[{'at':'in',"
	                   "'from':{'$leaf':'source','path':''}}]}}]",
	                   "");
	world_leaf(w, "source", "text\n");
	world_plan(w, "t/plain/a");
	at = fixture_node(&w->f, "t/plain/a");
	node = &w->f.plan->nodes[at];
	action = (struct action *)&node->lowered->action;
	action->outputs[0].exclude = exclude;
	action->outputs[0].n_exclude = 1;
	action->exit_codes = codes;
	action->n_exit_codes = 1;
	action->reject = reject;
	action->n_reject = 1;
	w->request.ledger = ledger_new(w->store, &key);
	world_must_run(w);
	w->request.ledger = ledger_free(w->request.ledger);
	return at;
}

static struct placement placement_of(struct world *w, size_t at)
{
	struct placement placement;

	must(inputs_find(store_blobs(w->store), w->f.arena, w->f.plan, &w->f.facts, w->result.nodes,
	                 &w->f.plan->nodes[at], 0, &placement, &w->err),
	     &w->err);
	return placement;
}

static bool is_known(struct ledger *ledger, size_t at, const struct placement *placement)
{
	struct blob_ref action;

	return ledger_key(ledger, at, placement, &action);
}

/* By a ledger that is read anew. */
static bool knows_it(struct world *w, size_t at)
{
	struct ledger *ledger = begin_ledger(w);
	const struct placement placement = placement_of(w, at);
	bool known = is_known(ledger, at, &placement);

	ledger_free(ledger);
	return known;
}

static struct blob_ref key_of(struct world *w, size_t at)
{
	struct blob_ref made;

	must(inputs_key(store_blobs(w->store), w->f.plan, &w->f.facts, w->result.nodes, at, NULL,
	                &made, &w->err),
	     &w->err);
	return made;
}

static void any_change_of_an_action_is_seen(void **state)
{
	struct world *w = *state;
	const size_t at = load_one(w);
	struct plan_node *node = &w->f.plan->nodes[at];
	struct action *action = (struct action *)&node->lowered->action;
	const struct blob_ref before = key_of(w, at);

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct blob_ref now;

		assert_true(knows_it(w, at));
		changes[i].change(w->f.plan, node, action);
		now = key_of(w, at);
		if (digest_eq(&now.digest, &before.digest))
			fail_msg("%s is not part of the key", changes[i].name);
		if (knows_it(w, at))
			fail_msg("%s is not seen", changes[i].name);
		changes[i].change(w->f.plan, node, action);
	}
	assert_true(knows_it(w, at));
}

static void any_change_of_an_input_is_seen(void **state)
{
	struct world *w = *state;
	const size_t at = load_one(w);
	struct ledger *ledger = begin_ledger(w);
	const struct placement was = placement_of(w, at);
	struct placement now;

	assert_true(is_known(ledger, at, &was));
	now = was;
	now.at = "inn";
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.kind = NODE_FILE;
	assert_false(is_known(ledger, at, &now));
	now.node.executable = true;
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.executable = true;
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.ref.digest.bytes[31] ^= 1;
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.ref.size++;
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.kind = NODE_LINK;
	now.node.target = "text";
	assert_false(is_known(ledger, at, &now));
	assert_true(is_known(ledger, at, &was));
	ledger_free(ledger);
}

static int setup(void **state)
{
	buf_clear(&key);
	buf_add_str(&key, "key");
	return world_setup(state);
}

static int teardown(void **state)
{
	buf_deinit(&key);
	return world_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_change_of_an_action_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(any_change_of_an_input_is_seen, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
