#ifndef KILN_FAKES_LAB_H
#define KILN_FAKES_LAB_H

#include "base/arena.h"
#include "exec/local.h"
#include "exec/server.h"
#include "store/blobs.h"

/*
 * A place to run real actions in for cmocka tests: a runner server, a store with a tiny image made of
 * this machine's programs (fakes/rootfs.h), and a local executor with two slots. Whatever fails,
 * fails the test. The cmocka state of each test is the lab. The sandbox runtime is bubblewrap, or the one
 * that KILN_TEST_RUNTIME names.
 */
struct lab {
	struct runner_server *server;
	char dir[64], *images;
	const struct sandbox_runtime *runtime;
	int userns_fd; /* what its probe gave */
	struct blobs *blobs;
	struct executor *executor;
	struct arena *arena;
	struct digest image;
	int nice;                              /* of what is submitted next */
	int64_t memory, disk, processes;       /* the same; 0: what holds for all */
	const struct sandbox_network *network; /* the same; NULL: none */
	const char *jobs_dir; /* the same: it is given a pipe of it; NULL: no job server */
};

#define LAB_LIST(...) ((const char *[]){ __VA_ARGS__ })

/* Starts the server, runs the group, stops the server; returns main's status. To be called first
 * thing in main. `run` is the group: it gets lab_setup and lab_teardown. */
int lab_main(int (*run)(void));
/* For cmocka_run_group_tests. */
int lab_setup(void **state);
int lab_teardown(void **state);

/* A text file of an input tree. */
struct lab_input {
	const char *at, *text;
};

/* Lays texts out as an action's inputs. */
void lab_compose(struct lab *lab, const struct lab_input *inputs, size_t n, struct action *action);
/* Fills in what the test left out (image, environment, empty input tree) and submits. */
void lab_submit(struct lab *lab, struct action *action, int64_t timeout_ms, uint64_t token);
void lab_wait(struct lab *lab, struct exec_completion *ret);
/* Submits it, waits for it, and fails the test where it was not carried out (EXEC_BROKEN). */
void lab_carry_out(struct lab *lab, struct action *action, struct exec_completion *ret);
/* A blob's text; lives in the lab's arena. */
const char *lab_text(struct lab *lab, const struct blob_ref *ref);
/* Runs a shell script and returns its completion, which must not be EXEC_BROKEN. */
void lab_run(struct lab *lab, const char *script, struct exec_completion *ret);
/* What a script that must succeed prints. */
const char *lab_out(struct lab *lab, const char *script);
/* No work folder is left. */
void lab_assert_no_work(struct lab *lab);
/* Whether a process of this machine, other than this one, has that text in its arguments. */
bool lab_is_running(const char *text);

#endif
