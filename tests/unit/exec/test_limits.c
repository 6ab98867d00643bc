/*
 * Limits: what passes one is ended, named, and leaves nothing. Everything is seen twice, held by control
 * groups (where this machine lets some be made) and watched.
 */
#include "unit/support.h"

#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/path.h"
#include "exec/limits.h"
#include "exec/usage.h"
#include "fakes/lab.h"
#include "host/clock.h"
#include "host/extent.h"
#include "sandbox/spec.h"

/* A process that holds so many MiB for a while. */
#define HOLDS(mib)                                                                                 \
	"perl -e \"\\$x = 1; \\$x x= " #mib " << 20; select undef, undef, undef, 1.2525\""

static void more_memory_than_the_limit_ends_it(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	lab->memory = 64 << 20;
	lab_run(lab, HOLDS(200), &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_contains(c.why, "killed: its processes ");
	assert_contains(c.why, " limit of 64 MiB (memory = … in the recipe)");
	assert_false(lab_is_running("1.2525"));
	lab_assert_no_work(lab);
	/* All of them count, and those that left the session too. */
	lab_run(lab, "for i in 1 2 3; do setsid " HOLDS(40) " & done; wait", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_contains(c.why, " limit of 64 MiB");
	lab_run(lab, HOLDS(30), &c);
	assert_int_equal(c.status, EXEC_OK);
	/* What they share counts once: memory that was filled before they were forked. */
	lab_run(lab,
	        "perl -e '$x = 1; $x x= 30 << 20; for (1 .. 5) { last unless fork } "
	        "select undef, undef, undef, 1.2525'",
	        &c);
	assert_int_equal(c.status, EXEC_OK);
	lab->memory = 0;
}

/* What stands in the sandbox's own file systems in memory is memory. */
/* With less no sandbox is made. */
static void too_little_memory_to_begin_with_counts_as_some(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	lab->memory = 4096;
	lab_run(lab, "echo here", &c);
	lab->memory = 0;
	assert_int_equal(c.status, EXEC_OK);
	assert_string_equal(lab_text(lab, &c.result.out), "here\n");
}

static void files_in_memory_are_memory(void **state)
{
	static const char *const scripts[] = {
		"head -c 100M /dev/zero >/tmp/a; sleep 1",
		"head -c 50M /dev/zero >/dev/shm/a; head -c 50M /dev/zero >/tmp/b; sleep 1",
	};
	struct lab *lab = *state;
	struct exec_completion c;

	lab->memory = 64 << 20;
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		lab_run(lab, scripts[i], &c);
		assert_int_equal(c.status, EXEC_FAILED);
		assert_contains(c.why, " limit of 64 MiB (memory = … in the recipe)");
	}
	lab_run(lab, "head -c 20M /dev/zero >/tmp/a; head -c 20M /dev/zero >/dev/shm/b; sleep 0.3",
	        &c);
	assert_int_equal(c.status, EXEC_OK);
	/* What is written to the work folder is not. */
	lab_run(lab, "head -c 200M /dev/zero >a; sleep 0.3", &c);
	assert_int_equal(c.status, EXEC_OK);
	lab->memory = 0;
}

static void too_many_processes_end_it(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	lab->processes = 40;
	lab_run(lab, "for i in $(perl -e 'print \"$_ \" for 1..60'); do sleep 79.5 & done; wait",
	        &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_contains(c.why, " limit of 40 (processes = … in the recipe)");
	assert_false(lab_is_running("79.5"));
	lab_run(lab, "for i in 1 2 3 4 5 6 7 8; do sleep 0.3 & done; wait", &c);
	assert_int_equal(c.status, EXEC_OK);
	lab->processes = 0;
}

/* Nobody said how many: a number that no build has, soon reached. */
static void a_fork_bomb_ends(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;
	int64_t began = clock_mono_us();

	lab_run(lab, "b() { b | b & }; b; sleep 80.5", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_contains(c.why, " limit of 4096 (processes = … in the recipe)");
	assert_true(clock_mono_us() - began < 15000000);
	assert_false(lab_is_running("80.5"));
	lab_assert_no_work(lab);
}

static void too_large_a_work_folder_ends_it(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	lab->disk = 32 << 20;
	lab_run(lab, "mkdir a; head -c 20M /dev/zero >a/b; head -c 20M /dev/zero >c; sleep 81.5",
	        &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_contains(c.why, "killed: its work folder held ");
	assert_contains(c.why, ", more than its limit of 32 MiB (disk = … in the recipe)");
	assert_false(lab_is_running("81.5"));
	/* A file of two names is one; /tmp is not the work folder. */
	lab_run(lab, "head -c 20M /dev/zero >a; ln a b; head -c 30M /dev/zero >/tmp/a; sleep 0.4",
	        &c);
	assert_int_equal(c.status, EXEC_OK);
	lab->disk = 0;
}

static void a_gigabyte_of_output_is_kept_and_no_more(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	lab_run(lab, "head -c 1G /dev/zero", &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_true(c.result.out.size == (uint64_t)1 << 30);
	lab_run(lab, "head -c 1G /dev/zero; echo", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_string_equal(c.why, "killed: standard output passed its limit of 1 GiB");
}

static void log_limit_kills(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	lab_run(lab, "yes >&2", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_string_equal(c.why, "killed: standard error passed its limit of 64 MiB");
	/* One that prints a gigabyte and is done with it has passed it no less. */
	lab_run(lab, "head -c 1G /dev/zero >&2", &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_string_equal(c.why, "killed: standard error passed its limit of 64 MiB");
}

/* ---- the disk's reserve ---------------------------------------------------------------------- */

/* What becomes of a script whose work folder is on a small file system of its own, of which `taken`
 * bytes are somebody else's. 0: it is as it should be. */
static int on_small_disk(struct lab *lab, const char *options, off_t taken, const char *script,
                         enum exec_status status, const char *why)
{
	struct executor_local_options local = { .store_dir = lab->dir,
		                                .images_dir = lab->images,
		                                .runtime = &sandbox_bwrap,
		                                .slots = 2 };
	_cleanup_free_ char *work = path_join(lab->dir, "work");
	_cleanup_free_ char *other = path_join(work, "other");
	struct exec_completion c = { 0 };
	struct err err = ERR_INIT;
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return 77;
	if (mount("small", work, "tmpfs", 0, options) < 0)
		return 1;
	fd = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || posix_fallocate(fd, 0, taken) != 0)
		return 2;
	if (runner_server_start(&local.server, &err) < 0 ||
	    executor_local_new(&local, &lab->executor, &err) < 0)
		return 3;
	lab_run(lab, script, &c);
	lab->executor->ops->free(lab->executor);
	runner_server_stop(local.server);
	if (c.status == status && (!why || strstr(c.why, why)))
		return 0;
	print_message("# %d: %s\n", c.status, c.why ? c.why : "");
	return 4;
}

static void a_full_disk_is_the_stages_fault(void **state)
{
	static const struct disk {
		const char *options;
		off_t taken;
		const char *script;
		enum exec_status status;
		const char *why;
	} disks[] = {
		{ "size=256m,mode=700", 1, "head -c 1G /dev/zero >a; sleep 9", EXEC_FAILED,
		  "(make room there, or keep the store elsewhere: --store DIR or KILN_STORE)" },
		/* Its output fills it. */
		{ "size=256m,mode=700", 1,
		  "head -c 200M /dev/zero >a; head -c 1G /dev/zero; sleep 9", EXEC_FAILED,
		  "were left there, of which a stage leaves 12.8 MiB" },
		/* A file without a name. */
		{ "size=256m,mode=700", 1,
		  "perl -e 'open F, q(>a); unlink q(a); $x = q(x) x 1e6; "
		  "for (1..400) { syswrite F, $x; select undef, undef, undef, .005 }'; sleep 9",
		  EXEC_FAILED, "killed: it took " },
		{ "size=64m,nr_inodes=1000,mode=700", 1,
		  "perl -e 'for (1..970) { open F, qq(>$_) }'; sleep 9", EXEC_FAILED,
		  "more were possible on the store's file system, of which a stage leaves 50" },
		/* Others filled it, and this one takes little. */
		{ "size=64m,mode=700", 62 << 20, "head -c 1M /dev/zero >a; sleep 0.4", EXEC_OK,
		  NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(disks); i++) {
		const struct disk *d = &disks[i];
		struct lab other = *(struct lab *)*state;
		pid_t pid = fork();
		int status;

		if (pid == 0)
			_exit(on_small_disk(&other, d->options, d->taken, d->script, d->status,
			                    d->why));
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
			print_message("# only root can mount a small disk here\n");
			skip();
		}
		if (status != 0)
			fail_msg("disk %zu: %d", i, status);
	}
}

/* ---- by themselves --------------------------------------------------------------------------- */

static void folders_are_added_up(void **state)
{
	char *dir = test_folder();
	int fd = test_open_dir(dir), at = dup(fd);
	struct extent extent;

	(void)state;
	test_write(fd, "a/b/c", "text", 0644);
	test_write(fd, "a/d", "text", 0644);
	assert_int_equal(linkat(fd, "a/d", fd, "a/e", 0), 0);
	assert_int_equal(symlinkat("/", fd, "a/f"), 0);
	extent_of(fd, &extent);
	assert_true(extent.whole);
	assert_int_equal(extent.inodes, 6);
	assert_true(extent.bytes >= 2 * 512 && extent.bytes < 1 << 20);
	/* Deeper than is looked, and not to the stack's end. */
	for (int i = 0; i < 300; i++) {
		int sub;

		assert_int_equal(mkdirat(at, "deep", 0755), 0);
		sub = openat(at, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(sub >= 0);
		close(at);
		at = sub;
	}
	extent_of(fd, &extent);
	assert_false(extent.whole);
	close(at);
	close(fd);
	test_folder_remove(dir);
}

static void reserves_are_small(void **state)
{
	(void)state;
	assert_int_equal(limits_reserve(1000), 50);
	assert_int_equal(limits_reserve((uint64_t)10 << 30), (10 << 20) * 51.2);
	assert_int_equal(limits_reserve((uint64_t)4 << 40), 1 << 30);
	assert_true(limits_memory(NULL) > 1 << 20);
	assert_true(usage_machine_tasks() > 1 && usage_machine_tasks() < 1 << 22);
	assert_true(usage_machine_left() > 1 << 20);
}

static void sizes_and_breaches_are_for_people(void **state)
{
	struct arena *arena = arena_new();
	struct breach breach = { LIMIT_PROCESSES, 0, 9, 0 };

	(void)state;
	assert_string_equal(limits_size(arena, 64 << 20), "64 MiB");
	assert_string_equal(limits_size(arena, (64 << 20) + 600000), "64.6 MiB");
	assert_string_equal(limits_size(arena, (uint64_t)3 << 29), "1.5 GiB");
	assert_string_equal(breach_text(arena, &breach),
	                    "killed: it wanted more processes and threads than its limit of 9 "
	                    "(processes = … in the recipe)");
	breach.limit = LIMIT_NONE;
	assert_null(breach_text(arena, &breach));
	arena_free(arena);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(more_memory_than_the_limit_ends_it),
		cmocka_unit_test(too_little_memory_to_begin_with_counts_as_some),
		cmocka_unit_test(files_in_memory_are_memory),
		cmocka_unit_test(too_many_processes_end_it),
		cmocka_unit_test(a_fork_bomb_ends),
		cmocka_unit_test(too_large_a_work_folder_ends_it),
		cmocka_unit_test(a_full_disk_is_the_stages_fault),
	};

	return cmocka_run_group_tests_name("exec/limits", tests, lab_setup, lab_teardown);
}

/* What no group has a part in. */
static int run_once(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_gigabyte_of_output_is_kept_and_no_more),
		cmocka_unit_test(log_limit_kills),
		cmocka_unit_test(folders_are_added_up),
		cmocka_unit_test(reserves_are_small),
		cmocka_unit_test(sizes_and_breaches_are_for_people),
	};

	return cmocka_run_group_tests_name("exec/limits", tests, lab_setup, lab_teardown);
}

int main(void)
{
	int held = lab_main(run) | lab_main(run_once);

	/* The server finds no groups. */
	setenv("KILN_FAILPOINT", "groups:1", 1);
	return lab_main(run) | held;
}
