/* The engine's surroundings for tests. */
#include "fakes/world.h"

#include "base/str.h"
#include "store/place.h"

static const char *const event_names[] = {
	[EVENT_BEGIN] = "begin",     [EVENT_START] = "start", [EVENT_WAIT] = "wait",
	[EVENT_CACHED] = "cached",   [EVENT_DONE] = "done",   [EVENT_FAILED] = "failed",
	[EVENT_SKIPPED] = "skipped", [EVENT_TICK] = "tick",   [EVENT_END] = "end",
	[EVENT_AGAIN] = "again",     [EVENT_NOTE] = "note",
};

static void on_event(struct event_sink *sink, const struct event *event)
{
	struct world *w = (struct world *)((char *)sink - offsetof(struct world, sink));
	size_t before = w->events.n;

	if (event->kind == EVENT_TICK)
		return;
	w->n_events++;
	w->broken_counts |= event->n_running > event->n_left;
	buf_fmt(&w->events, "%s%s%s", event_names[event->kind], event->node ? " " : "",
	        event->node ? event->node->stage->address : "");
	if (w->cancel_when && str_eq(w->events.p + before, w->cancel_when))
		assert_int_equal(write(w->cancel[1], "", 1), 1);
	buf_add_char(&w->events, '\n');
}

void world_init(struct world *w)
{
	*w = (struct world){ .err = ERR_INIT, .sink = { on_event } };
	w->dir = test_folder();
	fixture_init(&w->f);
	must(store_open(w->dir, &w->store, &w->err), &w->err);
	fake_executor_init(&w->fake, store_blobs(w->store));
	assert_int_equal(pipe2(w->cancel, O_CLOEXEC), 0);
	w->request = (struct engine_request){
		.facts = &w->f.facts,
		.store = w->store,
		.recipe = "fixture",
		.executor = &w->fake.base,
		.jobs = 2,
		.cancel_fd = -1,
	};
}

void world_deinit(struct world *w)
{
	fake_executor_deinit(&w->fake);
	store_close(w->store);
	fixture_deinit(&w->f);
	test_folder_remove(w->dir);
	buf_deinit(&w->events);
	close(w->cancel[0]);
	close(w->cancel[1]);
}

int world_setup(void **state)
{
	static struct world w;

	world_init(&w);
	*state = &w;
	return 0;
}

int world_teardown(void **state)
{
	world_deinit(*state);
	return 0;
}

void world_leaf(struct world *w, const char *id, const char *text)
{
	struct fact_leaf *leaf = arena_alloc(w->f.arena, sizeof(*leaf));
	struct placement placement = { .at = "text", .node = { .name = "", .kind = NODE_FILE } };

	must(blobs_put(store_blobs(w->store), text, strlen(text), &placement.node.ref, &w->err),
	     &w->err);
	leaf->node = (struct tree_node){ .name = "", .kind = NODE_DIR };
	must(place_compose(store_blobs(w->store), &placement, 1, &leaf->node.ref, &w->err),
	     &w->err);
	map_set(w->f.facts.leaves, id, leaf);
}

void world_pipeline(struct world *w)
{
	fixture_pipeline(&w->f);
	world_leaf(w, "source", "int main;\n");
	world_leaf(w, "work", "words\n");
	fixture_must_plan(&w->f);
}

void world_plan(struct world *w, const char *until)
{
	const char *const list[] = { until, NULL };

	must(fixture_plan(&w->f, &(struct plan_request){ .until = list }), &w->f.err);
}

int world_run(struct world *w)
{
	struct event_sink *sinks[] = { &w->sink, w->beside, NULL };
	struct fake_executor old = w->fake;
	int rc;

	fake_executor_init(&w->fake, old.blobs);
	w->fake.fail = old.fail;
	w->fake.fail_why = old.fail_why;
	w->fake.broken = old.broken;
	w->fake.killed = old.killed;
	w->fake.luck = old.luck;
	w->fake.pace = old.pace;
	w->fake.hold = old.hold;
	w->fake.constant = old.constant;
	w->fake.refuse = old.refuse;
	w->fake.last_first = old.last_first;
	w->fake.wall_us = old.wall_us;
	fake_executor_deinit(&old);
	buf_deinit(&w->events);
	w->events = BUF_INIT(16 << 20);
	w->n_events = 0;
	w->err = ERR_INIT;
	w->request.plan = w->f.plan;
	w->request.sinks = sinks;
	rc = engine_run(w->f.arena, &w->request, &w->result, &w->err);
	assert_false(w->broken_counts);
	assert_int_equal(w->fake.n_jobs, 0); /* nothing is left running, whatever happened */
	return rc;
}

void world_must_run(struct world *w)
{
	must(world_run(w), &w->err);
}

void world_lose_output(struct world *w, const char *address)
{
	const struct blob_ref *lost = &world_node(w, address)->result->outputs[0].node->ref;
	char hex[DIGEST_HEX_SIZE], *path;

	digest_hex(&lost->digest, hex);
	path = str_fmt("%s/blobs/%.2s/%s", w->dir, hex, hex + 2);
	assert_int_equal(unlink(path), 0);
	free(path);
}

const struct engine_node *world_node(const struct world *w, const char *address)
{
	return &w->result.nodes[fixture_node(&w->f, address)];
}

enum node_state world_state(const struct world *w, const char *address)
{
	return world_node(w, address)->state;
}

bool world_ran(const struct world *w, const char *address)
{
	return fake_executor_count(&w->fake, address) > 0;
}

size_t world_ran_at(const struct world *w, const char *address)
{
	for (size_t i = 0; i < w->fake.n_run; i++)
		if (str_eq(w->fake.ran[i], address))
			return i;
	fail_msg("%s never ran", address);
	return 0;
}
