#ifndef KILN_FAKES_SCENE_H
#define KILN_FAKES_SCENE_H

#include "fakes/fixture.h"

#include "report/progress.h"

/* Takes what would go to the terminal, and where each write begins. */
struct taken {
	struct progress_output output;
	struct buf text;
	size_t writes[1000], n_writes; /* one more stands behind the last */
};

struct scene {
	struct fixture f;
	struct taken taken;
	struct progress *progress;
	struct event counts; /* what each event says of them, and `nodes` */
};

/* A shape of progress that is told of a plan. */
void scene_init(struct scene *s, const char *shape);
void scene_deinit(struct scene *s);
void scene_tell(struct scene *s, enum event_kind kind, const char *address, struct event event);

#define EVENT(s, kind, address, ...) scene_tell(s, kind, address, (struct event){ __VA_ARGS__ })

#endif
