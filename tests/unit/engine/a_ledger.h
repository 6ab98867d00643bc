#ifndef KILN_TESTS_A_LEDGER_H
#define KILN_TESTS_A_LEDGER_H

/* Runs that leave a ledger, and what it knows: what its tests share. */
#include "fakes/world.h"

#include "base/str.h"
#include "engine/inputs.h"
#include "snapshot/kept.h"
#include "store/place.h"

#define RUN(name, options)                                                                         \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','where':'demo.lua:2','options':{'argv':['make','" name                     \
	"'],'outputs':['o']" options "}}"

static struct buf key = BUF_INIT(100);

/* A run that has a ledger, which it leaves for the next one. */
static inline void run_with(struct world *w)
{
	w->request.ledger = ledger_new(w->store, &key);
	world_must_run(w);
	w->request.ledger = ledger_free(w->request.ledger);
}

/* How many wanted nodes a ledger gives a key and a result for, as they are now. */
struct known {
	size_t keys, results;
	bool all, holds;
};

static inline struct known ask(struct world *w)
{
	struct ledger *ledger = ledger_new(w->store, &key);
	struct engine_node *nodes = arena_array(w->f.arena, w->f.plan->n_nodes, sizeof(*nodes));
	struct known known = { 0 };

	known.holds = ledger_holds(ledger);
	ledger_begin(ledger, w->f.plan, nodes);
	known.all = ledger_knows_all(ledger);
	for (size_t i = 0; i < w->f.plan->n_wanted; i++) {
		size_t at = w->f.plan->order[i];
		const struct plan_node *node = &w->f.plan->nodes[at];
		struct placement *p = arena_array(w->f.arena, node->n_inputs + 1, sizeof(*p));
		const struct result *result = NULL;
		struct blob_ref action, made;

		for (size_t k = 0; k < node->n_inputs; k++)
			must(inputs_find(store_blobs(w->store), w->f.arena, w->f.plan, &w->f.facts,
			                 w->result.nodes, node, k, &p[k], &w->err),
			     &w->err);
		if (!ledger_key(ledger, at, p, &action))
			continue;
		known.keys++;
		must(inputs_key(store_blobs(w->store), w->f.plan, &w->f.facts, w->result.nodes, at,
		                NULL, &made, &w->err),
		     &w->err);
		assert_true(digest_eq(&action.digest, &made.digest) && action.size == made.size);
		if (ledger_result(ledger, at, w->f.arena, &result, &w->err) != 0)
			continue;
		known.results++;
		assert_int_equal(result->n_outputs, w->result.nodes[at].result->n_outputs);
		for (size_t o = 0; o < result->n_outputs; o++) {
			const struct result_output *a = &result->outputs[o];
			const struct result_output *b = &w->result.nodes[at].result->outputs[o];

			assert_string_equal(a->path, b->path);
			assert_int_equal(a->node->kind, b->node->kind);
			assert_int_equal(a->node->executable, b->node->executable);
			assert_memory_equal(&a->node->ref, &b->node->ref, sizeof(a->node->ref));
		}
		assert_int_equal(result->wall_us, w->result.nodes[at].result->wall_us);
		assert_memory_equal(&result->log, &w->result.nodes[at].result->log,
		                    sizeof(result->log));
		assert_memory_equal(&result->out, &w->result.nodes[at].result->out,
		                    sizeof(result->out));
	}
	ledger_free(ledger);
	return known;
}

static inline size_t n_keyed(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->f.plan->n_wanted; i++)
		n += !w->f.plan->nodes[w->f.plan->order[i]].pinned;
	return n;
}

/* The store is opened anew, as each run does. */
static inline void open_again(struct world *w)
{
	w->store = store_close(w->store);
	must(store_open(w->dir, &w->store, &w->err), &w->err);
	w->request.store = w->store;
	w->fake.blobs = store_blobs(w->store);
}

static inline void change(struct store *store, const char *what)
{
	struct err err = ERR_INIT;

	must(store_put_fact(store, "test", what, "{}", &err), &err);
}

static inline char *path_of(const struct world *w, const char *suffix)
{
	char name[64];

	kept_name(&key, suffix, name);
	return str_fmt("%s/%s", w->dir, name);
}

/* Eight stages, the last of which makes what it is told. */
static inline void load_eight(struct world *w, const char *what)
{
	_cleanup_free_ char *stages = str_fmt(
		"[" RUN("a", "") "," RUN("b", "") "," RUN("c", "") "," RUN("d", "") "," RUN(
			"e", "") "," RUN("f", "") "," RUN("g", "") "," RUN("h",
	                                                                   ",'env':{'W':'%s'}") "]",
		what);

	fixture_load_parts(&w->f, stages, "");
	world_plan(w, "t/plain/*");
}

static inline void edit_and_run(struct world *w, const char *what, size_t n_run)
{
	open_again(w);
	load_eight(w, what);
	run_with(w);
	assert_int_equal(w->fake.n_run, n_run);
	open_again(w);
}

static inline int setup(void **state)
{
	if (!key.n)
		buf_add_str(&key, "key");
	return world_setup(state);
}

#endif
