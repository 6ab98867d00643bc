/* The job server and the locks of all kilns, for one run. */
#include "cli/sharing.h"

#include <stdlib.h>
#include <string.h>

/* Whether a Debian version of make takes a fifo's path: 4.4 and later do. */
static bool make_takes_fifo(const char *version)
{
	const char *colon = strchr(version, ':');
	char *end;
	long major = strtol(colon ? colon + 1 : version, &end, 10);
	long minor = *end == '.' ? strtol(end + 1, NULL, 10) : 0;

	return major > 4 || (major == 4 && minor >= 4);
}

enum jobserver_style sharing_style(const json_t *lock_section)
{
	const json_t *package;
	size_t i;

	/* A make that does not know fifos ends at one; what else there is knows pipes too. */
	json_array_foreach (json_object_get(lock_section, "packages"), i, package)
		if (str_eq(json_str_or(package, "name", ""), "make") &&
		    !make_takes_fifo(json_str_or(package, "version", "")))
			return JOBSERVER_PIPE;
	return JOBSERVER_FIFO;
}

static enum jobserver_style style_of(void *data, const struct digest *tree)
{
	const struct session *s = data;

	if (!s->runtime->needs_rootfs)
		return JOBSERVER_PIPE; /* the machine's own make is of any age */
	for (size_t i = 0; i < s->images.n; i++)
		if (digest_eq(&s->images.v[i].image.tree, tree))
			return s->images.v[i].jobs_style;
	return JOBSERVER_NONE;
}

static bool has_exclusive(const struct plan *plan)
{
	for (size_t i = 0; i < plan->n_wanted; i++)
		if (plan->nodes[plan->order[i]].lowered->needs->exclusive)
			return true;
	return false;
}

int sharing_open(struct session *s, const struct plan *plan, struct alone *alone,
                 struct engine_request *request, struct err *err)
{
	struct err fault = ERR_INIT;

	if (alone_open(alone, NULL, &fault) == 0) {
		request->alone = alone;
	} else if (has_exclusive(plan)) {
		/* Whom other kilns cannot see measures what they disturb. Who only works goes on. */
		*err = fault;
		return err_while(err, "preparing a stage that is to run alone on the machine");
	}
	request->jobs_style = style_of;
	request->jobs_style_data = s;
	/* With one job there is nothing to share. */
	return s->cli->jobs > 1 ? jobserver_new(store_dir(s->store), &request->jobserver, err) : 0;
}
