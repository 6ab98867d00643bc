/* Forked children that take claims off a common counter. */
#include "host/crew.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/child.h"
#include "host/failpoint.h"
#include "host/process.h"

enum { CHILDREN_MOST = 64 };

/* What one child says at its end. */
struct report {
	bool ended, failed;
	size_t claim; /* that failed */
	struct err err;
};

struct board {
	atomic_size_t next;
	atomic_bool stop;
	struct report reports[];
};

int crew_share(size_t size, void **ret, struct err *err)
{
	void *p = failpoint("crew-share") ? MAP_FAILED :
	                                    mmap(NULL, size, PROT_READ | PROT_WRITE,
	                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_sys(err, ERR_IO, "cannot get %zu bytes of memory", size);
	*ret = p;
	return 0;
}

void crew_unshare(void *p, size_t size)
{
	if (p)
		munmap(p, size);
}

size_t crew_processors(void)
{
	cpu_set_t set;

	/* More processors than a set has room for are enough for anybody here. */
	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return CHILDREN_MOST;
	return CPU_COUNT(&set) > 0 ? (size_t)CPU_COUNT(&set) : 1;
}

/* ---- in a child ---------------------------------------------------------------------------- */

static void take_claims(const struct crew_spec *spec, struct board *board, struct report *report)
{
	while (!atomic_load(&board->stop)) {
		size_t claim = atomic_fetch_add(&board->next, 1);

		if (claim >= spec->n_claims)
			break;
		if (!failpoint("crew-claim")) {
			if (spec->work(spec->data, claim, &report->err) == 0)
				continue;
		} else {
			err_sys(&report->err, ERR_IO, "cannot go on with %s", spec->what);
		}
		report->failed = true;
		report->claim = claim;
		atomic_store(&board->stop, true);
	}
}

static void become_child(const struct crew_spec *spec, struct board *board, struct report *report,
                         pid_t parent) __attribute__((noreturn));
static void become_child(const struct crew_spec *spec, struct board *board, struct report *report,
                         pid_t parent)
{
	process_reset_signals();
	setsid();
	if (!process_die_with_parent(parent))
		_exit(1);
	process_close_fds(spec->keep_fds, spec->n_keep_fds);
	if (spec->begin)
		spec->begin(spec->data);
	take_claims(spec, board, report);
	if (spec->end)
		spec->end(spec->data);
	report->ended = true;
	_exit(0);
}

/* ---- in the parent ------------------------------------------------------------------------- */

static int killed(const struct crew_spec *spec, int status, struct err *err)
{
	if (WIFSIGNALED(status))
		err_set(err, ERR_IO, "a process that was %s was killed by signal %d", spec->what,
		        WTERMSIG(status));
	else
		err_set(err, ERR_IO, "a process that was %s ended too early", spec->what);
	return err_hint(err, "is the machine out of memory? Run the same command again; a lower -j "
	                     "starts fewer of them");
}

/* Waits for all; *ret_status is how one ended that said nothing. False: all did. */
static bool wait_for(const pid_t *pids, size_t n, struct board *board, int *ret_status)
{
	bool silent = false;

	for (size_t i = 0; i < n; i++) {
		int status = 0;
		pid_t rc;

		do
			rc = waitpid(pids[i], &status, 0);
		while (rc < 0 && errno == EINTR);
		if (board->reports[i].ended)
			continue;
		atomic_store(&board->stop, true);
		*ret_status = status;
		silent = true;
	}
	return silent;
}

static const struct report *first_failure(const struct board *board, size_t n)
{
	const struct report *first = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct report *report = &board->reports[i];

		if (report->failed && (!first || report->claim < first->claim))
			first = report;
	}
	return first;
}

/* In this process. */
static int work_alone(const struct crew_spec *spec, struct err *err)
{
	for (size_t i = 0; i < spec->n_claims; i++)
		if (spec->work(spec->data, i, err) < 0)
			return -1;
	return 0;
}

static int run_children(const struct crew_spec *spec, size_t n, struct board *board,
                        struct err *err)
{
	pid_t pids[CHILDREN_MOST], parent = getpid();
	const struct report *failure;
	size_t started = 0;
	int status = 0;

	child_mind_children();
	for (; started < n; started++) {
		pid_t pid = failpoint("crew-fork") ? -1 : fork();

		if (pid == 0)
			become_child(spec, board, &board->reports[started], parent);
		if (pid < 0)
			break; /* those that there are do it all */
		pids[started] = pid;
	}
	if (started == 0)
		return work_alone(spec, err);
	if (wait_for(pids, started, board, &status))
		return killed(spec, status, err);
	failure = first_failure(board, started);
	if (!failure)
		return 0;
	*err = failure->err;
	return -1;
}

int crew_run(const struct crew_spec *spec, struct err *err)
{
	size_t n = spec->n_children < spec->n_claims ? spec->n_children : spec->n_claims;
	struct board *board = NULL;
	void *memory = NULL;
	size_t size;
	int rc;

	if (n < 2)
		return work_alone(spec, err);
	n = n < CHILDREN_MOST ? n : CHILDREN_MOST;
	size = sizeof(*board) + n * sizeof(board->reports[0]);
	if (crew_share(size, &memory, err) < 0)
		return -1;
	board = memory;
	rc = run_children(spec, n, board, err);
	crew_unshare(board, size);
	return rc;
}
