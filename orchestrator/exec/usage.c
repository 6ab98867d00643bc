/* Reading /proc/PID/stat of every process, and what the kernel says of all: see proc(5). */
#include "exec/usage.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/array.h"
#include "host/fs.h"

struct process {
	pid_t pid, parent;
	uint64_t pages, threads;
	enum {
		UNKNOWN,
		ABOVE,
		BELOW,
		ASKED
	} place; /* ASKED: being found out, so that a loop ends */
};

struct processes {
	ARRAY(struct process) list;
};

/* Behind the name, which may hold anything: state, parent, …; threads are the 18th from there, resident
 * pages the 22nd. */
static bool parse(const char *text, struct process *ret)
{
	const char *at = strrchr(text, ')');
	long long fields[22] = { 0 };
	size_t n = 0;

	if (!at || !at[1] || !at[2])
		return false;
	for (at += 3; *at && n < 22; n++) {
		char *end;

		fields[n] = strtoll(at, &end, 10);
		if (end == at)
			return false;
		at = end;
	}
	ret->parent = (pid_t)fields[0];
	ret->pages = fields[20] > 0 ? (uint64_t)fields[20] : 0;
	ret->threads = fields[16] > 0 ? (uint64_t)fields[16] : 1;
	return n >= 21;
}

static bool read_one(int proc, const char *name, struct process *ret)
{
	_cleanup_fd_ int fd = -1;
	char path[64], text[1024];
	ssize_t n;

	snprintf(path, sizeof(path), "%.32s/stat", name);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false; /* it has ended meanwhile */
	text[n] = '\0';
	*ret = (struct process){ .pid = (pid_t)strtol(name, NULL, 10) };
	return parse(text, ret);
}

static int cmp_pid(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static bool read_all(struct processes *all)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	if (!proc)
		return false;
	while ((entry = readdir(proc))) {
		struct process process;

		if (isdigit((unsigned char)entry->d_name[0]) &&
		    read_one(dirfd(proc), entry->d_name, &process))
			array_push(&all->list, process);
	}
	closedir(proc);
	array_sort(&all->list, cmp_pid);
	return all->list.n > 0;
}

static bool is_below(struct processes *all, struct process *process, pid_t root)
{
	const struct process key = { .pid = process->parent };
	struct process *parent;

	if (process->place == UNKNOWN) {
		process->place = ASKED;
		parent = bsearch(&key, all->list.v, all->list.n, sizeof(key), cmp_pid);
		process->place =
			process->parent == root || (parent && is_below(all, parent, root)) ? BELOW :
											     ABOVE;
	}
	return process->place == BELOW;
}

/* Bytes that processes have by their own account, and of those what is in files in memory. */
struct held {
	uint64_t bytes, shared;
};

static uint64_t kib_of(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? strtoull(at + strlen(name), NULL, 10) * 1024 : 0;
}

/* Adds a process's share of what it has resident, or all of it where the kernel does not tell. */
static void add_share(const struct process *process, uint64_t page, struct held *held)
{
	_cleanup_fd_ int fd = -1;
	char path[64], text[2048];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)process->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	if (!strstr(text, "\nPss:")) {
		held->bytes += process->pages * page;
		return;
	}
	held->bytes += kib_of(text, "\nPss:");
	held->shared += kib_of(text, "\nPss_Shmem:");
}

/* Bytes that stand in a file system of the sandbox; none where it is this process's own, or not there. */
static uint64_t in_file_system(pid_t inner, const char *where)
{
	_cleanup_fd_ int fd = -1;
	struct stat own, st;
	struct statfs fs;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)inner, where);
	fd = inner > 0 ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0 || fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0 ||
	    (stat(where, &own) == 0 && own.st_dev == st.st_dev) || fs.f_bfree > fs.f_blocks)
		return 0;
	return (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
}

/* Adds up what is below; closer: each by its share. */
static void add_up(struct processes *all, pid_t root, uint64_t files, bool closer,
                   struct usage *ret)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	struct held held = { 0 };

	*ret = (struct usage){ 0 };
	for (size_t i = 0; i < all->list.n; i++) {
		const struct process *process = &all->list.v[i];

		if (!is_below(all, &all->list.v[i], root))
			continue;
		if (closer)
			add_share(process, page, &held);
		else
			held.bytes += process->pages * page;
		ret->tasks += process->threads;
	}
	/* What is mapped of those files is counted once. */
	ret->bytes = held.bytes + files - (held.shared < files ? held.shared : files);
}

bool usage_below(pid_t root, pid_t inner, uint64_t most, struct usage *ret)
{
	const uint64_t files = in_file_system(inner, "/tmp") + in_file_system(inner, "/dev/shm");
	struct processes all = { 0 };
	bool read = read_all(&all);

	add_up(&all, root, files, false, ret);
	if (ret->bytes > most)
		add_up(&all, root, files, true, ret);
	array_deinit(&all.list);
	return read;
}

uint64_t usage_inside(pid_t inner)
{
	struct stat own, st;
	struct dirent *entry;
	uint64_t n = 0;
	char path[64];
	DIR *proc;

	snprintf(path, sizeof(path), "/proc/%d/root/proc", (int)inner);
	proc = inner > 0 ? opendir(path) : NULL;
	if (!proc)
		return 0;
	/* Until it has its own root it shows this process's /proc. */
	if (fstat(dirfd(proc), &st) == 0 && stat("/proc", &own) == 0 && st.st_dev != own.st_dev)
		while ((entry = readdir(proc)))
			n += isdigit((unsigned char)entry->d_name[0]) != 0;
	closedir(proc);
	return n;
}

/* ---- the machine --------------------------------------------------------------------------- */

static bool read_small(const char *path, char *ret, size_t size)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* "0.20 0.18 0.12 RUNNING/ALL LAST": see proc(5). */
uint64_t usage_machine_tasks(void)
{
	char text[128];
	const char *at;

	if (!read_small("/proc/loadavg", text, sizeof(text)))
		return UINT64_MAX;
	at = strchr(text, '/');
	return at ? strtoull(at + 1, NULL, 10) : UINT64_MAX;
}

uint64_t usage_machine_left(void)
{
	char text[2048];

	return read_small("/proc/meminfo", text, sizeof(text)) && strstr(text, "\nMemAvailable:") ?
	               kib_of(text, "\nMemAvailable:") :
	               0;
}
