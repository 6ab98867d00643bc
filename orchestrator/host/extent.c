/* Folders are added up with one descriptor a level, so that a name that changes leads nowhere else. */
#include "host/extent.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

/* Levels that are looked at: each holds a descriptor. */
enum { DEPTH_MOST = 200 };

static void add_folder(int fd, dev_t dev, int depth, struct extent *ret);

static void add_node(int dir, const char *name, dev_t dev, int depth, struct extent *ret)
{
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != dev)
		return;
	/* A file of several names has its bytes once. */
	if (st.st_nlink > 1 && !S_ISDIR(st.st_mode))
		st.st_blocks /= (blkcnt_t)st.st_nlink;
	ret->bytes += (uint64_t)st.st_blocks * 512;
	ret->inodes++;
	if (!S_ISDIR(st.st_mode))
		return;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		add_folder(fd, dev, depth + 1, ret);
	else
		ret->whole = false;
}

/* Takes the descriptor over. */
static void add_folder(int fd, dev_t dev, int depth, struct extent *ret)
{
	DIR *dir = depth < DEPTH_MOST ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!dir) {
		ret->whole = false;
		close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, ".."))
			add_node(dirfd(dir), entry->d_name, dev, depth, ret);
	closedir(dir);
}

void extent_of(int dirfd, struct extent *ret)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct extent extent = { .whole = true };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		extent.whole = false;
		if (fd >= 0)
			close(fd);
	} else {
		add_folder(fd, st.st_dev, 0, &extent);
	}
	*ret = extent;
}
