/* Files that are read and written whole, and the two lists of /proc that say where the folders are. */
#include "sandbox/cgroupfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/fs.h"

/* ---- files --------------------------------------------------------------------------------- */

bool cgroupfs_write(int dir, const char *name, const char *text)
{
	_cleanup_fd_ int fd = openat(dir, name, O_WRONLY | O_TRUNC | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

bool cgroupfs_write_number(int dir, const char *name, uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return cgroupfs_write(dir, name, text);
}

bool cgroupfs_read(int dir, const char *name, struct buf *ret)
{
	struct err ignored = ERR_INIT;

	buf_clear(ret);
	return fs_read(dir, name, ret, &ignored) == 0;
}

uint64_t cgroupfs_count(int dir, const char *name, const char *word)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);
	struct str rest, line;
	size_t n = strlen(word);

	if (!cgroupfs_read(dir, name, &text))
		return 0;
	rest = buf_str(&text);
	while (str_cut(&rest, '\n', &line))
		if (line.n > n + 1 && memcmp(line.p, word, n) == 0 && line.p[n] == ' ')
			return strtoull(line.p + n + 1, NULL, 10);
	return 0;
}

/* Whether a list has a word. */
static bool lists(struct str list, char sep, const char *word)
{
	struct str part;

	while (str_cut(&list, sep, &part)) {
		if (part.n && part.p[part.n - 1] == '\n')
			part.n--;
		if (str_same(part, str_of(word)))
			return true;
	}
	return false;
}

bool cgroupfs_lists(int dir, const char *name, const char *word)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);

	return cgroupfs_read(dir, name, &text) && lists(buf_str(&text), ' ', word);
}

/* ---- where --------------------------------------------------------------------------------- */

/* The path of this process's group in a hierarchy: of version 1 by controller, of version 2 by "". */
static char *own_path(struct str cgroups, const char *controller)
{
	struct str line;

	while (str_cut(&cgroups, '\n', &line)) {
		struct str number, names;

		if (str_cut(&line, ':', &number) && str_cut(&line, ':', &names) &&
		    (*controller ? lists(names, ',', controller) :
		                   names.n == 0 && str_same(number, STR("0"))))
			return str_dup_n(line.p, line.n);
	}
	return NULL;
}

/* A line of mountinfo: "ID PARENT DEV ROOT POINT OPTIONS … - TYPE SOURCE SUPER-OPTIONS". */
static bool parse_mount(struct str line, struct str ret[10])
{
	struct str part;
	size_t n = 0;

	while (n < 6 && str_cut(&line, ' ', &part))
		ret[n++] = part;
	while (n == 6 && str_cut(&line, ' ', &part))
		if (str_same(part, STR("-")))
			break;
	while (n >= 6 && n < 9 && str_cut(&line, ' ', &part))
		ret[n++] = part;
	return n == 9;
}

int cgroupfs_open_own(const struct cgroupfs *fs, const char *type, const char *controller)
{
	_cleanup_free_ char *path = own_path(fs->cgroups, controller);
	struct str mounts = fs->mounts, line, f[10];

	if (!path)
		return -1;
	while (str_cut(&mounts, '\n', &line)) {
		_cleanup_free_ char *at = NULL, *shown = NULL;

		if (!parse_mount(line, f) || !str_same(f[6], str_of(type)) ||
		    (*controller && !lists(f[8], ',', controller)))
			continue;
		/* A container may see a part of it: what is above its own is not there. */
		shown = str_same(f[3], STR("/")) ? str_dup("") : str_dup_n(f[3].p, f[3].n);
		if (!str_starts(path, shown) || strstr(path, ".."))
			continue;
		at = str_fmt("%s%.*s%s", fs->root, (int)f[4].n, f[4].p, path + strlen(shown));
		return open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return -1;
}

uint64_t cgroupfs_limit(int dir, const char *file)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64);
	uint64_t most;

	if (!cgroupfs_read(dir, file, &text) || buf_text(&text)[0] < '0' ||
	    buf_text(&text)[0] > '9')
		return UINT64_MAX;
	most = strtoull(buf_text(&text), NULL, 10);
	return most >= INT64_MAX / 2 ? UINT64_MAX : most;
}
