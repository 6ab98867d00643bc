/*
 * Control groups: where they are found, what is written into which file, and when none are used. The
 * kernel's part is played by plain files; where this machine lets groups be made, it plays it itself.
 */
#include "unit/support.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "sandbox/group.h"

/* A machine's /proc and /sys, as far as they matter. */
struct machine {
	char *root;
	int fd;
};

static int setup(void **state)
{
	struct machine *m = alloc(sizeof(*m));

	m->root = test_folder();
	m->fd = test_open_dir(m->root);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;

	close(m->fd);
	test_folder_remove(m->root);
	free(m);
	return 0;
}

#define OWN "sys/fs/cgroup/user/kiln.scope/"

static void put(const struct machine *m, const char *path, const char *text)
{
	test_write(m->fd, path, text, 0644);
}

static void assert_text(const struct machine *m, const char *path, const char *text)
{
	_cleanup_free_ char *there = test_read(m->fd, path);

	assert_string_equal(there, text);
}

/* Version 2, in a group with the processes given; the folders that would be made are there. */
static void be_v2(const struct machine *m, const char *controllers, const char *processes)
{
	put(m, "proc/self/mountinfo",
	    "22 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw\n"
	    "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:9 master:1 - cgroup2 cgroup2 rw\n");
	put(m, "proc/self/cgroup", "0::/user/kiln.scope\n");
	put(m, OWN "cgroup.controllers", controllers);
	put(m, OWN "cgroup.subtree_control", "\n");
	put(m, OWN "cgroup.procs", processes);
	put(m, OWN "kiln-main/cgroup.procs", "");
	put(m, OWN "kiln-0/cgroup.procs", "");
	put(m, OWN "kiln-0/memory.max", "max\n");
	put(m, OWN "kiln-0/memory.swap.max", "max\n");
	put(m, OWN "kiln-0/memory.oom.group", "0\n");
	put(m, OWN "kiln-0/memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 3\n");
	put(m, OWN "kiln-0/pids.max", "max\n");
	put(m, OWN "kiln-0/pids.events", "max 0\n");
}

static void v2_where_it_is_delegated(void **state)
{
	const uint64_t most[N_GROUP_LIMITS] = { 64 << 20, 100 };
	const struct machine *m = *state;
	_cleanup_free_ char *self = str_fmt("%d", (int)getpid());
	_cleanup_free_ char *both = str_fmt("%d\n77\n", (int)getpid());
	struct groups *groups;
	struct group group;
	struct err err = ERR_INIT;

	be_v2(m, "cpu memory pids\n", both);
	put(m, OWN "memory.max", "1073741824\n");
	groups = groups_open(m->root, 77);
	assert_string_equal(groups_holder(groups, GROUP_MEMORY), "cgroup v2");
	assert_string_equal(groups_holder(groups, GROUP_PROCESSES), "cgroup v2");
	assert_int_equal(groups_most(groups, GROUP_MEMORY), 1 << 30);
	assert_true(groups_most(groups, GROUP_PROCESSES) == UINT64_MAX);
	/* Whoever was in the group is below it now, and its controllers are handed down. */
	assert_text(m, OWN "kiln-main/cgroup.procs", self);
	assert_text(m, OWN "cgroup.subtree_control", "+pids");
	group_take(groups, most, &group);
	assert_true(group_holds(&group, GROUP_MEMORY) && group_holds(&group, GROUP_PROCESSES));
	assert_text(m, OWN "kiln-0/memory.max", "67108864");
	assert_text(m, OWN "kiln-0/memory.swap.max", "0");
	assert_text(m, OWN "kiln-0/memory.oom.group", "1");
	assert_text(m, OWN "kiln-0/pids.max", "100");
	must(group_enter(&group, &err), &err);
	assert_text(m, OWN "kiln-0/cgroup.procs", "0");
	/* What was counted before is somebody else's. */
	assert_false(group_was_met(&group, GROUP_MEMORY));
	put(m, OWN "kiln-0/memory.events", "low 0\nhigh 0\nmax 12\noom 4\noom_kill 4\n");
	assert_true(group_was_met(&group, GROUP_MEMORY));
	assert_false(group_was_met(&group, GROUP_PROCESSES));
	put(m, OWN "kiln-0/pids.events", "max 1\n");
	assert_true(group_was_met(&group, GROUP_PROCESSES));
	group_release(&group);
	assert_null(groups_close(groups));
	assert_text(m, OWN "cgroup.subtree_control", "-pids");
	assert_text(m, OWN "cgroup.procs", self);
}

static void a_group_in_use_is_nobody_elses(void **state)
{
	const uint64_t most[N_GROUP_LIMITS] = { 64 << 20, 100 };
	const struct machine *m = *state;
	_cleanup_free_ char *self = str_fmt("%d\n", (int)getpid());
	struct groups *groups;
	struct group first, second;

	be_v2(m, "memory pids\n", self);
	groups = groups_open(m->root, 0);
	group_take(groups, most, &first);
	group_take(groups, most, &second); /* kiln-1, which has no files: nothing can be set */
	assert_true(group_holds(&first, GROUP_MEMORY));
	assert_false(group_holds(&second, GROUP_MEMORY));
	group_release(&second);
	group_release(&first);
	group_take(groups, most, &second);
	assert_true(group_holds(&second, GROUP_MEMORY));
	group_release(&second);
	groups_close(groups);
	/* A folder without a file in it could be removed. */
	assert_false(fs_exists(m->fd, OWN "kiln-1"));
}

/* Others in the group would have to be moved, and are not ours to move. */
static void v2_beside_other_processes(void **state)
{
	const uint64_t most[N_GROUP_LIMITS] = { 64 << 20, 100 };
	const struct machine *m = *state;
	_cleanup_free_ char *three = str_fmt("%d\n77\n78\n", (int)getpid());
	struct groups *groups;
	struct group group;

	be_v2(m, "memory pids\n", three);
	groups = groups_open(m->root, 77);
	assert_null(groups_holder(groups, GROUP_MEMORY));
	assert_null(groups_holder(groups, GROUP_PROCESSES));
	assert_text(m, OWN "kiln-main/cgroup.procs", "");
	assert_text(m, OWN "cgroup.procs", three);
	group_take(groups, most, &group);
	assert_false(group_holds(&group, GROUP_MEMORY));
	assert_false(group_was_met(&group, GROUP_MEMORY));
	group_release(&group);
	groups_close(groups);
}

/* Somebody has handed the controllers down before: nobody needs to move. */
static void v2_with_one_controller(void **state)
{
	const struct machine *m = *state;
	struct groups *groups;

	be_v2(m, "memory\n", "1\n2\n");
	put(m, OWN "cgroup.subtree_control", "memory\n");
	groups = groups_open(m->root, 0);
	assert_string_equal(groups_holder(groups, GROUP_MEMORY), "cgroup v2");
	assert_null(groups_holder(groups, GROUP_PROCESSES));
	assert_text(m, OWN "kiln-main/cgroup.procs", "");
	groups_close(groups);
	assert_text(m, OWN "cgroup.subtree_control", "memory\n");
}

/* In a container, which sees its own part of each hierarchy; version 2 is there and has nothing. */
static void v1_where_it_is_mounted(void **state)
{
	const uint64_t most[N_GROUP_LIMITS] = { 64 << 20, 100 };
	const struct machine *m = *state;
	struct groups *groups;
	struct group group;
	struct err err = ERR_INIT;

	put(m, "proc/self/mountinfo",
	    "41 1 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	    "42 1 0:31 /box/7 /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory\n"
	    "43 1 0:32 / /sys/fs/cgroup/cpu,pids rw - cgroup cgroup rw,cpu,pids\n");
	put(m, "proc/self/cgroup", "4:memory:/box/7/inner\n3:cpu,pids:/\n0::/\n");
	put(m, "sys/fs/cgroup/unified/cgroup.controllers", "\n");
	put(m, "sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "9223372036854771712\n");
	put(m, "sys/fs/cgroup/memory/inner/kiln-0/memory.limit_in_bytes", "");
	put(m, "sys/fs/cgroup/memory/inner/kiln-0/memory.memsw.limit_in_bytes", "");
	put(m, "sys/fs/cgroup/memory/inner/kiln-0/memory.oom_control",
	    "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
	put(m, "sys/fs/cgroup/memory/inner/kiln-0/tasks", "");
	put(m, "sys/fs/cgroup/cpu,pids/kiln-0/pids.max", "");
	put(m, "sys/fs/cgroup/cpu,pids/kiln-0/pids.events", "max 0\n");
	put(m, "sys/fs/cgroup/cpu,pids/kiln-0/tasks", "");
	groups = groups_open(m->root, 77);
	assert_string_equal(groups_holder(groups, GROUP_MEMORY), "cgroup v1");
	assert_string_equal(groups_holder(groups, GROUP_PROCESSES), "cgroup v1");
	assert_true(groups_most(groups, GROUP_MEMORY) == UINT64_MAX);
	group_take(groups, most, &group);
	assert_text(m, "sys/fs/cgroup/memory/inner/kiln-0/memory.limit_in_bytes", "67108864");
	assert_text(m, "sys/fs/cgroup/memory/inner/kiln-0/memory.memsw.limit_in_bytes", "67108864");
	assert_text(m, "sys/fs/cgroup/cpu,pids/kiln-0/pids.max", "100");
	must(group_enter(&group, &err), &err);
	assert_text(m, "sys/fs/cgroup/memory/inner/kiln-0/tasks", "0");
	assert_text(m, "sys/fs/cgroup/cpu,pids/kiln-0/tasks", "0");
	put(m, "sys/fs/cgroup/memory/inner/kiln-0/memory.oom_control",
	    "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
	assert_true(group_was_met(&group, GROUP_MEMORY));
	group_release(&group);
	groups_close(groups);
}

static void nothing_where_there_is_nothing(void **state)
{
	static const char *const cgroups[] = { "", "0::/\n", "4:memory:/\n3:pids:/\n",
		                               "4:memory:/../up\n0::/../up\n", ":::\n\n::\n4\n" };
	const struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_LEN(cgroups); i++) {
		struct groups *groups;

		/* Folders that are no groups, and a mount that is cut short. */
		put(m, "proc/self/mountinfo",
		    "42 1 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		    "43 1 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
		    "44 1 0:33 /\n45\n");
		put(m, "proc/self/cgroup", cgroups[i]);
		put(m, "sys/fs/cgroup/memory/tasks", "");
		put(m, "sys/fs/cgroup/unified/tasks", "");
		groups = groups_open(m->root, 0);
		assert_null(groups_holder(groups, GROUP_MEMORY));
		assert_null(groups_holder(groups, GROUP_PROCESSES));
		groups_close(groups);
		assert_false(fs_exists(m->fd, "sys/fs/cgroup/memory/kiln-0"));
	}
}

/* ---- this machine's own ---------------------------------------------------------------------- */

/* Runs something in a group of the kernel's; its exit code, or 128 and the signal. */
static int in_group(const struct group *group, int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct err err = ERR_INIT;

		_exit(group_enter(group, &err) < 0 ? 99 : fn());
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int fill_memory(void)
{
	for (int i = 0; i < 64; i++) {
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		               -1, 0);

		if (p == MAP_FAILED)
			return 1;
		memset(p, 1, 1 << 20);
	}
	return 0;
}

/* 0: one fork of twelve was refused. */
static int fork_twelve(void)
{
	int refused = 0;

	for (int i = 0; i < 12; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			usleep(200000);
			_exit(0);
		}
		refused |= pid < 0;
	}
	while (wait(NULL) > 0)
		;
	return !refused;
}

static void the_kernel_holds_its_groups(void **state)
{
	const uint64_t most[N_GROUP_LIMITS] = { 24 << 20, 8 };
	struct groups *groups = groups_open("", 0);
	struct group group;

	(void)state;
	if (!groups_holder(groups, GROUP_MEMORY) || !groups_holder(groups, GROUP_PROCESSES)) {
		groups_close(groups);
		print_message("# no control group can be made here: not seen on a real one\n");
		skip();
	}
	group_take(groups, most, &group);
	assert_true(group_holds(&group, GROUP_MEMORY) && group_holds(&group, GROUP_PROCESSES));
	assert_false(group_was_met(&group, GROUP_PROCESSES));
	assert_int_equal(in_group(&group, fork_twelve), 0);
	assert_true(group_was_met(&group, GROUP_PROCESSES));
	assert_false(group_was_met(&group, GROUP_MEMORY));
	assert_int_equal(in_group(&group, fill_memory), 128 + SIGKILL);
	assert_true(group_was_met(&group, GROUP_MEMORY));
	group_release(&group);
	/* The next one starts afresh. */
	group_take(groups, most, &group);
	assert_false(group_was_met(&group, GROUP_MEMORY));
	assert_false(group_was_met(&group, GROUP_PROCESSES));
	group_release(&group);
	groups_close(groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(v2_where_it_is_delegated, setup, teardown),
		cmocka_unit_test_setup_teardown(a_group_in_use_is_nobody_elses, setup, teardown),
		cmocka_unit_test_setup_teardown(v2_beside_other_processes, setup, teardown),
		cmocka_unit_test_setup_teardown(v2_with_one_controller, setup, teardown),
		cmocka_unit_test_setup_teardown(v1_where_it_is_mounted, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_where_there_is_nothing, setup, teardown),
		cmocka_unit_test(the_kernel_holds_its_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
