/*
 * Looking costs next to nothing while nothing is near: what the kernel counts is one small file, the
 * machine's totals bound what one stage can have, and the disk cannot fill up faster than it writes.
 * Only where those say that it may be so are the stage's processes and files added up.
 */
#include "exec/limits.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "exec/usage.h"
#include "host/clock.h"
#include "host/extent.h"

enum {
	LOOK_US = 100000,
	SOONEST_US = 10000,
	BYTES_PER_US = 4096, /* faster than memory is filled, or a disk's cache */
	COST_SHARE = 20,     /* looking takes a twentieth of the time, … */
	LATEST_US =
		300000, /* … but on a busy machine, where it is slow, it is not put off for long */
};

static uint64_t machine_memory(void)
{
	long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);

	return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : UINT64_MAX;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t limits_memory(const struct groups *groups)
{
	return least(machine_memory(), groups_most(groups, GROUP_MEMORY)) / 10 * 9;
}

uint64_t limits_reserve(uint64_t total)
{
	return least(total / 20, LIMITS_RESERVE);
}

/* ---- for people ---------------------------------------------------------------------------- */

const char *limits_size(struct arena *arena, uint64_t n)
{
	const bool large = n >> 30;
	const uint64_t unit = large ? (uint64_t)1 << 30 : 1 << 20;
	const char *name = large ? "GiB" : "MiB";

	return n % unit ? arena_fmt(arena, "%.1f %s", (double)n / (double)unit, name) :
	                  arena_fmt(arena, "%llu %s", (unsigned long long)(n / unit), name);
}

static const char *memory_text(struct arena *arena, const struct breach *b)
{
	if (!b->had)
		return arena_fmt(arena,
		                 "killed: its processes wanted more memory than their limit of "
		                 "%s (memory = … in the recipe)",
		                 limits_size(arena, b->most));
	return arena_fmt(arena,
	                 "killed: its processes had %s of memory, more than its limit of %s "
	                 "(memory = … in the recipe)",
	                 limits_size(arena, b->had), limits_size(arena, b->most));
}

static const char *processes_text(struct arena *arena, const struct breach *b)
{
	if (!b->had)
		return arena_fmt(arena,
		                 "killed: it wanted more processes and threads than its limit of "
		                 "%llu (processes = … in the recipe)",
		                 (unsigned long long)b->most);
	return arena_fmt(arena,
	                 "killed: it had %llu processes and threads, more than its limit of %llu "
	                 "(processes = … in the recipe)",
	                 (unsigned long long)b->had, (unsigned long long)b->most);
}

#define MAKE_ROOM "make room there, or keep the store elsewhere: --store DIR or KILN_STORE"

const char *breach_text(struct arena *arena, const struct breach *b)
{
	switch (b->limit) {
	case LIMIT_NONE:
		break;
	case LIMIT_MEMORY:
		return memory_text(arena, b);
	case LIMIT_PROCESSES:
		return processes_text(arena, b);
	case LIMIT_DISK:
		return arena_fmt(arena,
		                 "killed: its work folder held %s, more than its limit of %s "
		                 "(disk = … in the recipe)",
		                 limits_size(arena, b->had), limits_size(arena, b->most));
	case LIMIT_SPACE:
		return arena_fmt(arena,
		                 "killed: it took %s of the store's file system, and only %s were "
		                 "left there, of which a stage leaves %s (" MAKE_ROOM ")",
		                 limits_size(arena, b->had), limits_size(arena, b->left),
		                 limits_size(arena, b->most));
	case LIMIT_INODES:
		return arena_fmt(
			arena,
			"killed: it had %llu files, and only %llu more were possible on the "
			"store's file system, of which a stage leaves %llu (" MAKE_ROOM ")",
			(unsigned long long)b->had, (unsigned long long)b->left,
			(unsigned long long)b->most);
	}
	return NULL;
}

/* ---- memory and processes ------------------------------------------------------------------ */

static bool pass(struct breach *ret, enum limit limit, uint64_t had, uint64_t most, uint64_t left)
{
	*ret = (struct breach){ limit, had, most, left };
	return true;
}

static bool was_met(const struct limits_watch *w, struct breach *ret)
{
	if (group_was_met(w->group, GROUP_MEMORY))
		return pass(ret, LIMIT_MEMORY, 0, w->most.memory, 0);
	if (group_was_met(w->group, GROUP_PROCESSES))
		return pass(ret, LIMIT_PROCESSES, 0, w->most.processes, 0);
	return false;
}

/* Whether the stage may have passed a limit that no group holds, by what is cheap to know. */
static bool may_be_near(const struct limits_watch *w)
{
	if (!group_holds(w->group, GROUP_MEMORY) &&
	    (w->narrow || usage_machine_left() <= machine_memory() / 10))
		return true;
	return !group_holds(w->group, GROUP_PROCESSES) && usage_machine_tasks() > w->most.processes;
}

/* The time until something of `left` bytes can be gone, and not more often than it may cost. */
static int64_t until(uint64_t left, int64_t cost_us)
{
	int64_t us = (int64_t)least(left / BYTES_PER_US, LOOK_US);

	us = us < SOONEST_US ? SOONEST_US : us;
	cost_us *= COST_SHARE;
	cost_us = cost_us < LATEST_US ? cost_us : LATEST_US;
	return us < cost_us ? cost_us : us;
}

static bool look_at_tree(struct limits_watch *w, int64_t now, pid_t inner, struct breach *ret)
{
	struct usage usage;
	uint64_t inside;

	if (now < w->next_tree_us || !may_be_near(w))
		return false;
	inside = group_holds(w->group, GROUP_PROCESSES) ? 0 : usage_inside(inner);
	if (inside > w->most.processes)
		return pass(ret, LIMIT_PROCESSES, inside, w->most.processes, 0);
	if (!usage_below(getpid(), inner, w->most.memory, &usage))
		return false;
	if (!group_holds(w->group, GROUP_MEMORY) && usage.bytes > w->most.memory)
		return pass(ret, LIMIT_MEMORY, usage.bytes, w->most.memory, 0);
	if (!group_holds(w->group, GROUP_PROCESSES) && usage.tasks > w->most.processes)
		return pass(ret, LIMIT_PROCESSES, usage.tasks, w->most.processes, 0);
	w->next_tree_us = clock_mono_us();
	w->next_tree_us += until(usage.bytes < w->most.memory ? w->most.memory - usage.bytes : 0,
	                         w->next_tree_us - now);
	return false;
}

/* ---- disk ---------------------------------------------------------------------------------- */

/* Bytes of a file system, and those that a plain user may still have. */
static uint64_t bytes_of(const struct statvfs *fs, fsblkcnt_t blocks)
{
	return (uint64_t)blocks * (uint64_t)fs->f_frsize;
}

/*
 * What this stage took of what is kept for others, or 0: only when it has more than what is left. Who
 * runs beside it and has less is left alone, for that is over when the large one is gone. A file without
 * a name is in no folder, so late in the day what went since the stage began counts as its own.
 */
static uint64_t taken(const struct limits_watch *w, uint64_t left, uint64_t reserve)
{
	uint64_t gone = w->free_at_start > left ? w->free_at_start - left : 0;
	struct extent extent;

	extent_of(w->work_fd, &extent);
	if (extent.bytes > left)
		return extent.bytes;
	return left < reserve / 4 && gone > left ? gone : 0;
}

static bool look_at_space(const struct limits_watch *w, struct breach *ret)
{
	struct extent extent;
	struct statvfs fs;
	uint64_t left, reserve, had;

	if (w->work_fd < 0 || fstatvfs(w->work_fd, &fs) < 0)
		return false;
	left = bytes_of(&fs, fs.f_bavail);
	reserve = limits_reserve(bytes_of(&fs, fs.f_blocks));
	had = left < reserve ? taken(w, left, reserve) : 0;
	if (had)
		return pass(ret, LIMIT_SPACE, had, reserve, left);
	/* Some file systems make inodes as they go and count none. */
	reserve = limits_reserve((uint64_t)fs.f_files);
	if (fs.f_files > 0 && fs.f_favail < reserve) {
		extent_of(w->work_fd, &extent);
		if (extent.inodes > fs.f_favail)
			return pass(ret, LIMIT_INODES, extent.inodes, reserve,
			            (uint64_t)fs.f_favail);
	}
	return false;
}

/* When the reserve of bytes, or that of inodes, could be touched; a file takes longer than a page. */
static int64_t until_reserve(const struct limits_watch *w)
{
	struct statvfs fs;
	uint64_t left, reserve, files;

	if (w->work_fd < 0 || fstatvfs(w->work_fd, &fs) < 0)
		return LOOK_US;
	left = bytes_of(&fs, fs.f_bavail);
	reserve = limits_reserve(bytes_of(&fs, fs.f_blocks));
	left = left > reserve ? left - reserve : 0;
	reserve = limits_reserve((uint64_t)fs.f_files);
	files = fs.f_files == 0 ? UINT64_MAX : fs.f_favail > reserve ? fs.f_favail - reserve : 0;
	return until(least(left, files < UINT64_MAX / 8192 ? files * 8192 : UINT64_MAX), 0);
}

static bool look_at_disk(struct limits_watch *w, int64_t now, struct breach *ret)
{
	struct extent extent;

	if (now >= w->next_disk_us) {
		if (look_at_space(w, ret))
			return true;
		w->next_disk_us = clock_mono_us();
		w->next_disk_us += w->next_disk_us - now + until_reserve(w);
	}
	if (w->work_fd < 0 || w->most.disk == 0 || now < w->next_folder_us)
		return false;
	now = clock_mono_us();
	extent_of(w->work_fd, &extent);
	if (extent.bytes > w->most.disk)
		return pass(ret, LIMIT_DISK, extent.bytes, w->most.disk, 0);
	w->next_folder_us = clock_mono_us();
	w->next_folder_us += until(w->most.disk - extent.bytes, w->next_folder_us - now);
	return false;
}

/* ---- looking ------------------------------------------------------------------------------- */

void limits_begin(struct limits_watch *watch, const struct limits *most, struct groups *groups,
                  struct group *group, int work_fd)
{
	struct limits_watch w = { .most = *most, .group = group, .work_fd = work_fd };
	const int64_t now = clock_mono_us();
	uint64_t held[N_GROUP_LIMITS];
	struct statvfs fs;

	w.narrow = most->memory || groups_most(groups, GROUP_MEMORY) < machine_memory();
	if (!w.most.memory)
		w.most.memory = limits_memory(groups);
	if (w.most.memory < LIMITS_LEAST_MEMORY)
		w.most.memory = LIMITS_LEAST_MEMORY;
	if (!w.most.processes)
		w.most.processes = LIMITS_PROCESSES;
	w.most.memory = least(w.most.memory, groups_most(groups, GROUP_MEMORY));
	w.most.processes = least(w.most.processes, groups_most(groups, GROUP_PROCESSES));
	held[GROUP_MEMORY] = w.most.memory;
	held[GROUP_PROCESSES] = w.most.processes;
	if (!group_take_again(group, held)) {
		group_release(group);
		group_take(groups, held, group);
	}
	if (work_fd >= 0 && fstatvfs(work_fd, &fs) == 0)
		w.free_at_start = bytes_of(&fs, fs.f_bavail);
	w.next_us = w.next_tree_us = w.next_folder_us = now + LOOK_US;
	w.next_disk_us = now + until_reserve(&w);
	*watch = w;
}

int limits_wait_ms(const struct limits_watch *watch)
{
	int64_t next = watch->next_us < watch->next_disk_us ? watch->next_us : watch->next_disk_us;
	int64_t left;

	if (watch->most.disk && watch->next_folder_us < next)
		next = watch->next_folder_us;
	left = (next - clock_mono_us()) / 1000 + 1;
	return left < 1 ? 1 : (int)left;
}

bool limits_look(struct limits_watch *watch, pid_t inner, struct breach *ret)
{
	const int64_t now = clock_mono_us();

	if (look_at_disk(watch, now, ret))
		return true;
	if (now < watch->next_us)
		return false;
	watch->next_us = now + LOOK_US;
	if (was_met(watch, ret) || look_at_tree(watch, now, inner, ret))
		return true;
	if (watch->narrow && !group_holds(watch->group, GROUP_MEMORY) &&
	    watch->next_tree_us < watch->next_us)
		watch->next_us = watch->next_tree_us;
	return false;
}

bool limits_last(struct limits_watch *watch, bool failed, struct breach *ret)
{
	return was_met(watch, ret) || (failed && look_at_space(watch, ret));
}

bool limits_full(const struct limits_watch *watch, struct breach *ret)
{
	return look_at_space(watch, ret);
}
