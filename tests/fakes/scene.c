/* What a shape of progress writes, kept. */
#include "fakes/scene.h"

static void take(struct progress_output *output, const char *text, size_t n)
{
	struct taken *t = (struct taken *)output;

	assert_true(t->n_writes + 1 < ARRAY_LEN(t->writes));
	buf_add(&t->text, text, n);
	t->writes[++t->n_writes] = t->text.n;
}

void scene_init(struct scene *s, const char *shape)
{
	fixture_init(&s->f);
	s->taken = (struct taken){ .output = { .write = take }, .text = BUF_INIT(64 << 20) };
	s->progress = progress_new(shape, &s->taken.output);
	s->counts = (struct event){ .left_us = -1 };
}

void scene_deinit(struct scene *s)
{
	progress_free(s->progress);
	buf_deinit(&s->taken.text);
	fixture_deinit(&s->f);
}

void scene_tell(struct scene *s, enum event_kind kind, const char *address, struct event event)
{
	event.kind = kind;
	event.plan = s->f.plan;
	event.node = address ? &s->f.plan->nodes[fixture_node(&s->f, address)] : NULL;
	event.n_done = s->counts.n_done;
	event.n_left = s->counts.n_left;
	event.n_running = s->counts.n_running;
	event.n_failed = s->counts.n_failed;
	event.n_cached = s->counts.n_cached;
	event.nodes = s->counts.nodes;
	if (!event.left_us)
		event.left_us = -1;
	progress_sink(s->progress)->event(progress_sink(s->progress), &event);
}
