/* The key of a snapshot, and the generation of a store. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "host/boot.h"
#include "host/fs.h"
#include "host/stamps.h"
#include "snapshot/kept.h"
#include "snapshot/snapshot.h"

enum snapshot_kind snapshot_kind_of(const struct stat *st)
{
	return S_ISREG(st->st_mode) ? SNAPSHOT_FILE :
	       S_ISDIR(st->st_mode) ? SNAPSHOT_FOLDER :
	                              SNAPSHOT_OTHER;
}

/* ---- the key -------------------------------------------------------------------------------- */

/* What Kiln, or a program that it asks before it plans, looks at. */
static bool is_heeded(const char *variable)
{
	static const char *const heeded[] = { "KILN_", "XDG_",  "LC_",   "GIT_",  "CI=",
		                              "HOME=", "PATH=", "LANG=", "TERM=", "NO_COLOR=" };

	for (size_t i = 0; i < ARRAY_LEN(heeded); i++)
		if (str_starts(variable, heeded[i]))
			return true;
	return str_starts(variable, "CLICOLOR");
}

static int cmp_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_environment(struct buf *key)
{
	size_t n = 0, all = 0;
	char **list;

	while (environ[all])
		all++;
	list = alloc_array(all + 1, sizeof(*list));
	for (size_t i = 0; i < all; i++)
		if (is_heeded(environ[i]))
			list[n++] = environ[i];
	qsort(list, n, sizeof(*list), cmp_text);
	for (size_t i = 0; i < n; i++)
		buf_add(key, list[i], strlen(list[i]) + 1);
	free(list);
}

/* The text of a small file of the kernel's; nothing where there is none. */
static void add_file(struct buf *key, const char *path)
{
	char text[128];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));

	buf_add(key, text, n > 0 ? (size_t)n : 0);
	buf_add_char(key, '\0');
	fs_close(fd);
}

static int add_program(struct buf *key, const char *program)
{
	struct stamps stamps;
	struct stat st;

	if (stat(program, &st) < 0)
		return -1;
	stamps = stamps_of(&st);
	buf_add(key, &stamps, sizeof(stamps));
	return 0;
}

bool snapshot_words(int argc, char **argv, const char **ret_store)
{
	bool builds = false;

	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		builds |= str_eq(word, "build");
		/* -C: what is relative means something else there. */
		if (str_starts(word, "-C") || str_starts(word, "-o") ||
		    str_starts(word, "--events") || str_starts(word, "--trace") ||
		    str_eq(word, "--update-lock") || str_eq(word, "--paranoid"))
			return false;
		if (str_eq(word, "--store") && i + 1 < argc)
			*ret_store = argv[i + 1];
		else if (str_starts(word, "--store="))
			*ret_store = word + strlen("--store=");
	}
	return builds;
}

int snapshot_key_machine(const char *program, struct buf *ret)
{
	char boot[BOOT_ID_SIZE];

	if (add_program(ret, program) < 0)
		return -1;
	boot_id(boot);
	buf_fmt(ret, "%s %u %s", KILN_VERSION, (unsigned int)geteuid(), boot);
	buf_add_char(ret, '\0');
	return ret->overflow || !boot[0] ? -1 : 0;
}

int snapshot_key(const char *program, int argc, char **argv, struct buf *ret)
{
	char cwd[4096];

	if (!getcwd(cwd, sizeof(cwd)) || snapshot_key_machine(program, ret) < 0)
		return -1;
	buf_fmt(ret, "%d%d ", isatty(1), isatty(2));
	for (int i = 1; i < argc; i++)
		buf_add(ret, argv[i], strlen(argv[i]) + 1);
	buf_add(ret, "", 1);
	buf_add(ret, cwd, strlen(cwd) + 1);
	add_environment(ret);
	add_file(ret, "/proc/sys/kernel/perf_event_paranoid");
	return ret->overflow ? -1 : 0;
}

/* ---- the generation ------------------------------------------------------------------------- */

static const char file[] = KEPT_FOLDER "/generation";

bool snapshot_generation(int store_fd, char ret[SNAPSHOT_GENERATION + 1])
{
	_cleanup_fd_ int fd = openat(store_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	memset(ret, 0, SNAPSHOT_GENERATION + 1);
	return fd >= 0 && read(fd, ret, SNAPSHOT_GENERATION + 1) == SNAPSHOT_GENERATION;
}

void snapshot_draw(char ret[SNAPSHOT_GENERATION + 1])
{
	unsigned char bytes[SNAPSHOT_GENERATION / 2];

	ret[0] = '\0';
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return;
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

void snapshot_set_generation(int store_fd, const char *text)
{
	struct err ignored = ERR_INIT;

	(void)!mkdirat(store_fd, KEPT_FOLDER, 0700);
	if (!text[0] ||
	    fs_write_file(store_fd, file, text, SNAPSHOT_GENERATION, 0600, false, &ignored) < 0)
		unlinkat(store_fd, file, 0);
}

void snapshot_renew(int store_fd)
{
	char text[SNAPSHOT_GENERATION + 1];

	snapshot_draw(text);
	snapshot_set_generation(store_fd, text);
}
