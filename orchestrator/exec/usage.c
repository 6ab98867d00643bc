/* Reading /proc/PID/stat of every process: see proc(5). */
#include "exec/usage.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "host/fs.h"

struct process {
	pid_t pid, parent;
	uint64_t pages;
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

/* Behind the name, which may hold anything: state, parent, …, resident pages as the 22nd from there. */
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

/* A process's share of what it has resident, in bytes; `otherwise` where the kernel does not tell. */
static uint64_t share_of(pid_t pid, uint64_t otherwise)
{
	_cleanup_fd_ int fd = -1;
	char path[64], text[2048];
	unsigned long long kib;
	const char *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return otherwise;
	text[n] = '\0';
	at = strstr(text, "\nPss:");
	return at && sscanf(at, "\nPss: %llu kB", &kib) == 1 ? kib * 1024 : otherwise;
}

/* Adds up what is below; closer: each by its share. */
static void add_up(struct processes *all, pid_t root, bool closer, struct usage *ret)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	*ret = (struct usage){ 0 };
	for (size_t i = 0; i < all->list.n; i++) {
		struct process *process = &all->list.v[i];

		if (!is_below(all, process, root))
			continue;
		ret->bytes += closer ? share_of(process->pid, process->pages * page) :
		                       process->pages * page;
		ret->processes++;
	}
}

bool usage_below(pid_t root, uint64_t most, struct usage *ret)
{
	struct processes all = { 0 };
	bool read = read_all(&all);

	add_up(&all, root, false, ret);
	if (ret->bytes > most)
		add_up(&all, root, true, ret);
	array_deinit(&all.list);
	return read;
}
