/*
 * Control groups by their files. Both versions have a folder a group, with a file a limit, and count
 * in another file what the limit did; they differ in names, in where the folders are, and in that
 * version 2 wants the folder above to hold no process. Whatever fails here leaves a limit to others.
 */
#include "sandbox/group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"
#include "sandbox/cgroupfs.h"

/* A limit's files. */
struct files {
	const char *controller;
	const char *most, *none;   /* the limit itself, and how to say that there is none */
	const char *swap[2];       /* what bounds swap with it, and to what: NULL, the same */
	const char *group_kill[2]; /* a switch, and how it is set */
	const char *events, *event;
};

struct version {
	const char *name, *fs_type;
	/* Where a process of one thread enters. By version 1's file of threads that costs a tenth of a
	 * millisecond; by that of processes the kernel waits ten for its readers, where stages start
	 * rarely. */
	const char *enter;
	struct files files[N_GROUP_LIMITS];
};

enum { V2, V1, N_VERSIONS };

#define PIDS                                                                                       \
	{ .controller = "pids",                                                                    \
	  .most = "pids.max",                                                                      \
	  .none = "max",                                                                           \
	  .events = "pids.events",                                                                 \
	  .event = "max" }

/* Swap counts with memory in version 1, and beside it in version 2, where a stage has none. */
static const struct version versions[N_VERSIONS] = {
	[V2] = { .name = "cgroup v2",
	         .fs_type = "cgroup2",
	         .enter = "cgroup.procs",
	         .files = { { .controller = "memory",
	                      .most = "memory.max",
	                      .none = "max",
	                      .swap = { "memory.swap.max", "0" },
	                      .group_kill = { "memory.oom.group", "1" },
	                      .events = "memory.events",
	                      .event = "oom_kill" },
	                    PIDS } },
	[V1] = { .name = "cgroup v1",
	         .fs_type = "cgroup",
	         .enter = "tasks",
	         .files = { { .controller = "memory",
	                      .most = "memory.limit_in_bytes",
	                      .none = "-1",
	                      .swap = { "memory.memsw.limit_in_bytes", NULL },
	                      .events = "memory.oom_control",
	                      .event = "oom_kill" },
	                    PIDS } },
};

/* Folders that this many stages at once use. */
enum { GROUPS_MOST = 4096 };

/* A folder below which groups are made. */
struct place {
	const struct version *version;
	int fd; /* -1: none */
	bool has[N_GROUP_LIMITS];
};

struct groups {
	struct place places[GROUP_PLACES];
	uint64_t most[N_GROUP_LIMITS];
	pid_t companion;
	int leaf; /* in places[0]: the group that this process moved to, open; -1: it did not */
};

#define LEAF "kiln-main"

/* ---- version 2 ------------------------------------------------------------------------------ */

/* Whether no other process is in the group. */
static bool is_alone(int dir, pid_t companion)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);
	struct str rest, line;

	if (!cgroupfs_read(dir, "cgroup.procs", &text))
		return false;
	rest = buf_str(&text);
	while (str_cut(&rest, '\n', &line)) {
		long pid = line.n ? strtol(line.p, NULL, 10) : getpid();

		if (pid != getpid() && pid != companion)
			return false;
	}
	return true;
}

static bool move_both(const struct groups *groups, int to)
{
	/* A companion that has ended needs no moving. */
	if (groups->companion > 0)
		cgroupfs_write_number(to, "cgroup.procs", (uint64_t)groups->companion);
	return cgroupfs_write_number(to, "cgroup.procs", (uint64_t)getpid());
}

static void move_back(struct groups *groups)
{
	int dir = groups->places[0].fd;

	cgroupfs_write(dir, "cgroup.subtree_control", "-memory");
	cgroupfs_write(dir, "cgroup.subtree_control", "-pids");
	move_both(groups, dir);
	groups->leaf = fs_close(groups->leaf);
	unlinkat(dir, LEAF, AT_REMOVEDIR);
}

/* Makes the controllers of this process's group those of groups below it. */
static void hand_down(struct groups *groups, struct place *place, const bool wanted[N_GROUP_LIMITS])
{
	bool any = false;

	if (!is_alone(place->fd, groups->companion) ||
	    (mkdirat(place->fd, LEAF, 0755) < 0 && errno != EEXIST))
		return;
	groups->leaf = openat(place->fd, LEAF, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (groups->leaf >= 0 && move_both(groups, groups->leaf))
		for (int i = 0; i < N_GROUP_LIMITS; i++) {
			char text[16];

			snprintf(text, sizeof(text), "+%s", place->version->files[i].controller);
			if (wanted[i])
				place->has[i] =
					cgroupfs_write(place->fd, "cgroup.subtree_control", text);
			any |= place->has[i];
		}
	if (!any)
		move_back(groups);
}

static void find_v2(struct groups *groups, const struct cgroupfs *fs)
{
	struct place *place = &groups->places[0];
	bool wanted[N_GROUP_LIMITS] = { 0 }, missing = false;

	place->version = &versions[V2];
	place->fd = cgroupfs_open_own(fs, place->version->fs_type, "");
	if (place->fd < 0)
		return;
	for (int i = 0; i < N_GROUP_LIMITS; i++) {
		const struct files *files = &place->version->files[i];
		uint64_t most = cgroupfs_limit(place->fd, files->most);

		if (most < groups->most[i])
			groups->most[i] = most;
		wanted[i] = cgroupfs_lists(place->fd, "cgroup.controllers", files->controller);
		place->has[i] = wanted[i] && cgroupfs_lists(place->fd, "cgroup.subtree_control",
		                                            files->controller);
		missing |= wanted[i] && !place->has[i];
	}
	if (missing && !place->has[GROUP_MEMORY] && !place->has[GROUP_PROCESSES])
		hand_down(groups, place, wanted);
}

/* ---- version 1 ------------------------------------------------------------------------------ */

/* A hierarchy a controller; both may be one. */
static void find_v1(struct groups *groups, const struct cgroupfs *fs, enum group_limit limit,
                    struct place *place)
{
	const struct files *files = &versions[V1].files[limit];
	uint64_t most;

	place->version = &versions[V1];
	place->fd = cgroupfs_open_own(fs, place->version->fs_type, files->controller);
	if (place->fd < 0)
		return;
	place->has[limit] = true;
	most = cgroupfs_limit(place->fd, files->most);
	if (most < groups->most[limit])
		groups->most[limit] = most;
}

/* ---- whether ------------------------------------------------------------------------------- */

/* Opens and locks a group that nobody uses, made if need be. */
static int take_folder(int dir)
{
	for (int n = 0; n < GROUPS_MOST; n++) {
		char name[24];
		int fd;

		snprintf(name, sizeof(name), "kiln-%d", n);
		if (mkdirat(dir, name, 0755) < 0 && errno != EEXIST)
			return -1;
		if (lock_dir_is_dead(dir, name, &fd))
			return fd;
	}
	return -1;
}

/* The kernel refuses to remove what holds a process. */
static void remove_all(int dir)
{
	struct fs_names list = { 0 };
	struct err ignored = ERR_INIT;

	if (fs_list(dir, ".", &list, &ignored) == 0)
		for (size_t i = 0; i < list.names.n; i++) {
			const char *name = list.names.v[i];
			int fd;

			if (!str_starts(name, "kiln-") || str_eq(name, LEAF) ||
			    !lock_dir_is_dead(dir, name, &fd))
				continue;
			unlinkat(dir, name, AT_REMOVEDIR);
			close(fd);
		}
	fs_names_deinit(&list);
}

/* Makes one group to see whether it can be done; a place that is of no use is given up. */
static void check(struct groups *groups, struct place *place)
{
	bool wanted = place->has[GROUP_MEMORY] || place->has[GROUP_PROCESSES], any = false;
	int fd = wanted ? take_folder(place->fd) : -1;

	for (int i = 0; i < N_GROUP_LIMITS; i++) {
		place->has[i] = place->has[i] && fd >= 0 &&
		                faccessat(fd, place->version->files[i].most, W_OK, AT_EACCESS) == 0;
		any |= place->has[i];
	}
	fs_close(fd);
	if (any)
		return;
	if (wanted)
		remove_all(place->fd);
	if (groups->leaf >= 0)
		move_back(groups);
	place->fd = fs_close(place->fd);
}

struct groups *groups_open(const char *root, pid_t companion)
{
	struct groups *groups = alloc(sizeof(*groups));
	_cleanup_buf_ struct buf mounts = BUF_INIT(16 << 20);
	_cleanup_buf_ struct buf cgroups = BUF_INIT(1 << 20);
	_cleanup_free_ char *mountinfo = str_fmt("%s/proc/self/mountinfo", root);
	_cleanup_free_ char *cgroup = str_fmt("%s/proc/self/cgroup", root);
	struct cgroupfs fs;

	groups->companion = companion;
	groups->leaf = -1;
	for (int i = 0; i < N_GROUP_LIMITS; i++)
		groups->most[i] = UINT64_MAX;
	for (int i = 0; i < GROUP_PLACES; i++)
		groups->places[i].fd = -1;
	if (failpoint("groups") || !cgroupfs_read(AT_FDCWD, mountinfo, &mounts) ||
	    !cgroupfs_read(AT_FDCWD, cgroup, &cgroups))
		return groups;
	fs = (struct cgroupfs){ root, buf_str(&mounts), buf_str(&cgroups) };
	find_v2(groups, &fs);
	check(groups, &groups->places[0]);
	if (groups->places[0].fd >= 0)
		return groups;
	for (int i = 0; i < N_GROUP_LIMITS; i++) {
		find_v1(groups, &fs, (enum group_limit)i, &groups->places[i]);
		check(groups, &groups->places[i]);
	}
	return groups;
}

struct groups *groups_close(struct groups *groups)
{
	if (!groups)
		return NULL;
	for (int i = 0; i < GROUP_PLACES; i++)
		if (groups->places[i].fd >= 0)
			remove_all(groups->places[i].fd);
	if (groups->leaf >= 0)
		move_back(groups);
	for (int i = 0; i < GROUP_PLACES; i++)
		fs_close(groups->places[i].fd);
	free(groups);
	return NULL;
}

const char *groups_holder(const struct groups *groups, enum group_limit limit)
{
	for (int i = 0; groups && i < GROUP_PLACES; i++)
		if (groups->places[i].fd >= 0 && groups->places[i].has[limit])
			return groups->places[i].version->name;
	return NULL;
}

uint64_t groups_most(const struct groups *groups, enum group_limit limit)
{
	return groups ? groups->most[limit] : UINT64_MAX;
}

size_t groups_fds(const struct groups *groups, int ret[GROUP_PLACES])
{
	size_t n = 0;

	for (int i = 0; groups && i < GROUP_PLACES; i++)
		if (groups->places[i].fd >= 0)
			ret[n++] = groups->places[i].fd;
	return n;
}

/* ---- one stage's ---------------------------------------------------------------------------- */

/* First there is none, so that swap's never is below it, and that none stays where this fails. */
static bool set_limit(int dir, const struct files *files, uint64_t most)
{
	if (files->swap[0])
		cgroupfs_write(dir, files->swap[0], files->none);
	cgroupfs_write(dir, files->most, files->none);
	if (!cgroupfs_write_number(dir, files->most, most))
		return false;
	if (files->swap[0] && files->swap[1])
		cgroupfs_write(dir, files->swap[0], files->swap[1]);
	else if (files->swap[0])
		cgroupfs_write_number(dir, files->swap[0], most);
	if (files->group_kill[0])
		cgroupfs_write(dir, files->group_kill[0], files->group_kill[1]);
	return true;
}

void group_take(struct groups *groups, const uint64_t most[N_GROUP_LIMITS], struct group *ret)
{
	struct group group = GROUP_INIT;

	memcpy(group.most, most, sizeof(group.most));
	for (int at = 0; groups && at < GROUP_PLACES; at++) {
		const struct place *place = &groups->places[at];

		group.fd[at] = place->fd < 0 ? -1 : take_folder(place->fd);
		group.enter[at] = place->fd < 0 ? NULL : place->version->enter;
		for (int i = 0; group.fd[at] >= 0 && i < N_GROUP_LIMITS; i++) {
			const struct files *files = &place->version->files[i];

			if (!place->has[i] || !set_limit(group.fd[at], files, most[i]))
				continue;
			group.place[i] = at;
			group.events[i] = files->events;
			group.event[i] = files->event;
			group.before[i] = cgroupfs_count(group.fd[at], files->events, files->event);
		}
	}
	*ret = group;
}

static bool is_any(const struct group *group)
{
	for (int at = 0; at < GROUP_PLACES; at++)
		if (group->fd[at] >= 0)
			return true;
	return false;
}

bool group_take_again(struct group *group, const uint64_t most[N_GROUP_LIMITS])
{
	if (!is_any(group) || memcmp(group->most, most, sizeof(group->most)) != 0)
		return false;
	for (int i = 0; i < N_GROUP_LIMITS; i++)
		if (group->place[i] >= 0)
			group->before[i] = cgroupfs_count(group->fd[group->place[i]],
			                                  group->events[i], group->event[i]);
	return true;
}

void group_release(struct group *group)
{
	for (int at = 0; at < GROUP_PLACES; at++)
		group->fd[at] = fs_close(group->fd[at]);
	*group = GROUP_INIT;
}

bool group_holds(const struct group *group, enum group_limit limit)
{
	return group->place[limit] >= 0;
}

int group_enter(const struct group *group, struct err *err)
{
	for (int at = 0; at < GROUP_PLACES; at++)
		if (group->fd[at] >= 0 && !cgroupfs_write(group->fd[at], group->enter[at], "0"))
			return err_sys(err, ERR_MACHINE, "cannot enter a control group of Kiln's");
	return 0;
}

bool group_was_met(const struct group *group, enum group_limit limit)
{
	int at = group->place[limit];

	return at >= 0 && cgroupfs_count(group->fd[at], group->events[limit], group->event[limit]) >
	                          group->before[limit];
}
