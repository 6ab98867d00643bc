/* A walk over a work folder that follows no link. Inputs have the time that they were laid out with. */
#include "exec/made.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "host/fs.h"

enum { DEPTH_MOST = 40, LOOK_MOST = 200000, SHOW_MOST = 8 };

struct walk {
	int64_t epoch;
	struct buf shown;
	size_t n_looked, n_found;
};

static bool is_program(int dir_fd, const char *name, const struct stat *st, int64_t epoch)
{
	char magic[SELFMAG];
	_cleanup_fd_ int fd = -1;

	if (!S_ISREG(st->st_mode) || !(st->st_mode & S_IXUSR) || st->st_mtim.tv_sec == epoch)
		return false;
	if (str_ends(name, ".so") || strstr(name, ".so.") || !str_is_utf8(str_of(name)))
		return false;
	fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && read(fd, magic, SELFMAG) == SELFMAG &&
	       memcmp(magic, ELFMAG, SELFMAG) == 0;
}

static void look_in(struct walk *walk, int dir_fd, const char *prefix, int depth);

static void look_at(struct walk *walk, int dir_fd, const char *name, const char *path, int depth)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (S_ISDIR(st.st_mode)) {
		_cleanup_free_ char *prefix = str_fmt("%s/", path);
		_cleanup_fd_ int fd =
			openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			look_in(walk, fd, prefix, depth + 1);
	} else if (is_program(dir_fd, name, &st, walk->epoch)) {
		if (walk->n_found++ < SHOW_MOST)
			buf_fmt(&walk->shown, "%s%s", walk->n_found > 1 ? ", " : "", path);
	}
}

static void look_in(struct walk *walk, int dir_fd, const char *prefix, int depth)
{
	struct fs_names list = { 0 };
	struct err ignored = ERR_INIT;

	if (depth > DEPTH_MOST || fs_list(dir_fd, ".", &list, &ignored) != 0)
		return;
	for (size_t i = 0; i < list.names.n && walk->n_looked++ < LOOK_MOST; i++) {
		_cleanup_free_ char *path = str_fmt("%s%s", prefix, list.names.v[i]);

		look_at(walk, dir_fd, list.names.v[i], path, depth);
	}
	fs_names_deinit(&list);
}

const char *made_programs(const struct work *work, struct arena *arena)
{
	struct walk walk = { .epoch = work->epoch, .shown = BUF_INIT(SHOW_MOST * 16384) };
	const char *list = NULL;

	look_in(&walk, work->build_fd, "", 0);
	if (walk.n_found > SHOW_MOST)
		buf_fmt(&walk.shown, " and %zu more", walk.n_found - SHOW_MOST);
	if (walk.n_found)
		list = arena_str(arena, buf_text(&walk.shown));
	buf_deinit(&walk.shown);
	return list;
}
