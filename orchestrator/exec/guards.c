/* Exit codes, rejected texts and outputs: a tool that failed quietly must not count as done. */
#include "exec/guards.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "exec/made.h"
#include "store/moves.h"
#include "store/place.h"

int guard_exit_code(const struct action *action, int exit_code, struct arena *arena,
                    const char **ret_why)
{
	if (exit_code == 0)
		return 0;
	for (size_t i = 0; i < action->n_exit_codes; i++)
		if (action->exit_codes[i] == exit_code)
			return 0;
	if (exit_code > 128 && exit_code <= 128 + 64)
		*ret_why = arena_fmt(arena, "exit status %d (killed by signal %d, %s)", exit_code,
		                     exit_code - 128, strsignal(exit_code - 128));
	else
		*ret_why = arena_fmt(arena, "exit status %d", exit_code);
	return 0;
}

/* The line around a hit, cut to a bearable length. */
static const char *line_around(struct arena *arena, const char *text, size_t n, const char *hit)
{
	const char *from = hit, *to = hit;

	while (from > text && from[-1] != '\n' && hit - from < 120)
		from--;
	while (to < text + n && *to != '\n' && to - hit < 200)
		to++;
	return arena_str_n(arena, from, (size_t)(to - from));
}

static int reject_in(const struct action *action, int fd, const char *what, struct arena *arena,
                     const char **ret_why, struct err *err)
{
	struct stat st;
	char *text;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "cannot look at the stage's %s", what);
	if (st.st_size == 0)
		return 0;
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return err_sys(err, ERR_IO, "cannot read the stage's %s", what);
	for (size_t i = 0; i < action->n_reject && !*ret_why; i++) {
		const char *hit = memmem(text, (size_t)st.st_size, action->reject[i],
		                         strlen(action->reject[i]));

		if (hit)
			*ret_why =
				arena_fmt(arena, "%s has a line that this stage must not have: %s",
			                  what, line_around(arena, text, (size_t)st.st_size, hit));
	}
	munmap(text, (size_t)st.st_size);
	return 0;
}

int guard_reject(const struct action *action, int out_file, int log_file, struct arena *arena,
                 const char **ret_why, struct err *err)
{
	if (!action->n_reject)
		return 0;
	if (reject_in(action, log_file, "standard error", arena, ret_why, err) < 0)
		return -1;
	if (*ret_why)
		return 0;
	return reject_in(action, out_file, "standard output", arena, ret_why, err);
}

static const char *missing(const struct action_output *output, const struct work *work,
                           struct arena *arena)
{
	const char *made = made_programs(work, arena);
	_cleanup_free_ char *path = str_escape(str_of(output->path));

	return arena_fmt(arena, "the output %s is missing%s%s", path,
	                 made ? "; programs that the stage made: " : "", made ? made : "");
}

/* What the content is to blame for is the stage's fault, all else an error. */
static int judge_fault(const struct err *fault, const char *path, struct arena *arena,
                       const char **ret_why, struct err *err)
{
	if (fault->code != ERR_STAGE && fault->code != ERR_INPUT) {
		*err = *fault;
		return err_while(err, "taking the output %s", path);
	}
	*ret_why = arena_fmt(arena, "the output %s cannot be taken: %s", path, fault->cause);
	return 0;
}

static int take_output(const struct action_output *output, const struct guard_taking *taking,
                       struct moves *moves, struct arena *arena, struct result_output *ret,
                       const char **ret_why, struct err *err)
{
	struct ingest_options options = { .exclude = output->exclude,
		                          .n_exclude = output->n_exclude,
		                          .moves = taking->stay ? NULL : moves,
		                          .children = taking->children,
		                          .bytes = taking->bytes,
		                          .non_empty = output->non_empty };
	struct err fault = ERR_INIT;
	int rc;

	ret->path = output->path;
	ret->node = arena_alloc(arena, sizeof(*ret->node));
	rc = ingest_node(taking->blobs, arena, taking->work->build_fd, output->path, &options,
	                 ret->node, &fault);
	ret->node->name = "";
	if (rc < 0)
		return judge_fault(&fault, output->path, arena, ret_why, err);
	if (rc == PLACE_MISSING)
		*ret_why = missing(output, taking->work, arena);
	return 0;
}

/* Only when every output is good does the work folder lose what can be moved. */
static int move_outputs(const struct moves *moves, const struct guard_taking *taking,
                        struct arena *arena, const char **ret_why, struct err *err)
{
	struct err fault = ERR_INIT;

	if (moves_carry_out(moves, taking->blobs, taking->work->build_fd, &fault) == 0)
		return 0;
	if (fault.code == ERR_STAGE) {
		*ret_why = arena_fmt(arena, "an output cannot be taken: %s", fault.cause);
		return 0;
	}
	*err = fault;
	return err_while(err, "taking the outputs");
}

int guard_outputs(const struct action *action, const struct guard_taking *taking,
                  struct arena *arena, struct result *result, const char **ret_why, struct err *err)
{
	struct result_output *outputs = arena_array(arena, action->n_outputs, sizeof(*outputs));
	struct moves moves = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && !*ret_why && i < action->n_outputs; i++)
		rc = take_output(&action->outputs[i], taking, &moves, arena, &outputs[i], ret_why,
		                 err);
	if (rc == 0 && !*ret_why)
		rc = move_outputs(&moves, taking, arena, ret_why, err);
	moves_deinit(&moves);
	if (rc < 0 || *ret_why)
		return rc;
	result->outputs = outputs;
	result->n_outputs = action->n_outputs;
	return 0;
}
