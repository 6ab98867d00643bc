/* A crew: every claim is one child's, the first error is told, and a dead child is no success. */
#include "host/failpoint.h"
#include "unit/support.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "host/crew.h"

enum { CLAIMS = 500 };

struct job {
	int *times; /* shared: how often each claim was worked on */
	pid_t *by;  /* shared: and by whom */
	pid_t self;
	int inherited; /* a descriptor that children must not have */
	size_t fails_from, kills_at;
	int *ends; /* shared */
};

static struct job a_job(void)
{
	struct job job = {
		.self = getpid(), .inherited = -1, .fails_from = CLAIMS, .kills_at = CLAIMS
	};
	struct err err = ERR_INIT;
	void *p;

	must(crew_share(CLAIMS * sizeof(*job.times), &p, &err), &err);
	job.times = p;
	must(crew_share(CLAIMS * sizeof(*job.by), &p, &err), &err);
	job.by = p;
	must(crew_share(sizeof(*job.ends), &p, &err), &err);
	job.ends = p;
	return job;
}

static void job_deinit(struct job *job)
{
	crew_unshare(job->times, CLAIMS * sizeof(*job->times));
	crew_unshare(job->by, CLAIMS * sizeof(*job->by));
	crew_unshare(job->ends, sizeof(*job->ends));
}

static int work(void *data, size_t claim, struct err *err)
{
	struct job *job = data;

	if (claim >= job->fails_from)
		return err_set(err, ERR_INPUT, "claim %zu is bad", claim);
	if (claim == job->kills_at)
		raise(SIGKILL);
	if (job->inherited >= 0 && fcntl(job->inherited, F_GETFD) >= 0)
		return err_set(err, ERR_BUG, "a descriptor was inherited");
	__atomic_add_fetch(&job->times[claim], 1, __ATOMIC_SEQ_CST);
	job->by[claim] = getpid();
	return 0;
}

static void end(void *data)
{
	__atomic_add_fetch(((struct job *)data)->ends, 1, __ATOMIC_SEQ_CST);
}

static int run(struct job *job, size_t children, struct err *err)
{
	const struct crew_spec spec = { .what = "working on a test",
		                        .n_children = children,
		                        .n_claims = CLAIMS,
		                        .work = work,
		                        .end = end,
		                        .data = job };

	return crew_run(&spec, err);
}

static void every_claim_is_done_once_by_a_child(void **state)
{
	struct job job = a_job();
	struct err err = ERR_INIT;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	job.inherited = ends[1];
	must(run(&job, 4, &err), &err);
	for (size_t i = 0; i < CLAIMS; i++) {
		assert_int_equal(job.times[i], 1);
		assert_int_not_equal(job.by[i], job.self);
	}
	assert_int_equal(*job.ends, 4);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	close(ends[0]);
	close(ends[1]);
	job_deinit(&job);
}

static void one_child_is_none(void **state)
{
	struct job job = a_job();
	struct err err = ERR_INIT;

	(void)state;
	must(run(&job, 1, &err), &err);
	for (size_t i = 0; i < CLAIMS; i++)
		assert_int_equal(job.by[i], job.self);
	assert_int_equal(*job.ends, 0);
	job_deinit(&job);
}

static void the_lowest_error_is_told_and_ends_it(void **state)
{
	struct job job = a_job();
	struct err err = ERR_INIT;
	int done = 0;

	(void)state;
	job.fails_from = 17;
	assert_int_equal(run(&job, 4, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "claim 17 is bad");
	for (size_t i = 0; i < CLAIMS; i++)
		done += job.times[i];
	assert_int_equal(done, 17);
	assert_int_equal(*job.ends, 4);
	job_deinit(&job);
}

static void a_killed_child_is_told(void **state)
{
	struct job job = a_job();
	struct err err = ERR_INIT;

	(void)state;
	job.kills_at = 40;
	assert_int_equal(run(&job, 3, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_string_equal(err.cause,
	                    "a process that was working on a test was killed by signal 9");
	assert_contains(err.hint, "out of memory");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	job_deinit(&job);
}

static int leave(void *data, size_t claim, struct err *err)
{
	(void)data;
	(void)claim;
	(void)err;
	_exit(0);
}

static void a_child_that_just_leaves_is_told(void **state)
{
	const struct crew_spec spec = {
		.what = "leaving", .n_children = 2, .n_claims = 2, .work = leave
	};
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(crew_run(&spec, &err), -1);
	assert_string_equal(err.cause, "a process that was leaving ended too early");
}

/* In a child, whose fail point it is. */
static int run_with(const char *failpoint, struct job *job, struct err *err)
{
	int rc;

	setenv("KILN_FAILPOINT", failpoint, 1);
	failpoint_arm();
	rc = run(job, 3, err);
	unsetenv("KILN_FAILPOINT");
	failpoint_arm();
	return rc;
}

static void where_no_child_can_be_had_the_caller_works(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct job job = a_job();
		struct err err = ERR_INIT;

		_exit(run_with("crew-fork:1:11", &job, &err) != 0 ||
		      job.by[CLAIMS - 1] != getpid());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	pid = fork();
	if (pid == 0) {
		struct job job = a_job();
		struct err err = ERR_INIT;

		_exit(run_with("crew-fork:2:11", &job, &err) != 0 ||
		      job.by[CLAIMS - 1] == getpid());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void what_fails_in_a_child_has_its_text(void **state)
{
	struct err err = ERR_INIT;
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct job job = a_job();

		_exit(run_with("crew-claim:3", &job, &err) != -1 || err.code != ERR_IO ||
		      !strstr(err.cause, "cannot go on with working on a test: No space left"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int wait_for_ever(void *data, size_t claim, struct err *err)
{
	(void)claim;
	(void)err;
	(void)!write(*(int *)data, "x", 1);
	pause();
	return 0;
}

/* The pipe's writing end is the children's alone: it closes with the last of them. */
static void children_end_with_their_parent(void **state)
{
	int ends[2], status;
	char c;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct crew_spec spec = { .what = "waiting",
			                        .n_children = 2,
			                        .n_claims = 2,
			                        .keep_fds = &ends[1],
			                        .n_keep_fds = 1,
			                        .work = wait_for_ever,
			                        .data = &ends[1] };
		struct err err = ERR_INIT;

		_exit(crew_run(&spec, &err) != 0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(read(ends[0], &c, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(read(ends[0], &c, 1), 0);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_claim_is_done_once_by_a_child),
		cmocka_unit_test(one_child_is_none),
		cmocka_unit_test(the_lowest_error_is_told_and_ends_it),
		cmocka_unit_test(a_killed_child_is_told),
		cmocka_unit_test(a_child_that_just_leaves_is_told),
		cmocka_unit_test(where_no_child_can_be_had_the_caller_works),
		cmocka_unit_test(what_fails_in_a_child_has_its_text),
		cmocka_unit_test(children_end_with_their_parent),
	};

	return cmocka_run_group_tests_name("host/crew", tests, NULL, NULL);
}
