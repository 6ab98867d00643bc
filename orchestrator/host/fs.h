#ifndef KILN_HOST_FS_H
#define KILN_HOST_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/err.h"

/*
 * Files and folders by descriptor. Every descriptor is O_CLOEXEC; folder listings are sorted by
 * byte order. `dirfd` may be AT_FDCWD. Errors name the path and carry ERR_IO.
 */

/* Outcome: the file or folder is not there. */
enum { FS_MISSING = 1 };

/* A folder may have 100,000: their texts lie in one arena. */
struct fs_names {
	ARRAY(char *) names;
	struct arena *texts; /* NULL: there was none yet */
};

/* Adds a copy. */
void fs_names_add(struct fs_names *names, const char *name, size_t n);
void fs_names_deinit(struct fs_names *names);

int fs_close(int fd);           /* fd < 0 is fine; returns -1, so `fd = fs_close(fd)` */
void fs_close_cleanup(int *fd); /* for `_cleanup_(fs_close_cleanup) int fd = -1;` */
#define _cleanup_fd_ __attribute__((cleanup(fs_close_cleanup)))

/* Opens for reading. Returns 0 or FS_MISSING. */
int fs_open(int dirfd, const char *path, int *ret_fd, struct err *err);
int fs_open_dir(int dirfd, const char *path, int *ret_fd, struct err *err);
/*
 * Opens a path that a build or an archive named: never leaves dirfd, follows no magic links, and no
 * symlink at all when `nofollow` (openat2 RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS). Returns 0 or
 * FS_MISSING; a path that leaves is ERR_INPUT.
 */
int fs_open_beneath(int dirfd, const char *path, int flags, mode_t mode, bool nofollow, int *ret_fd,
                    struct err *err);
/*
 * For what must be there: makes the outcome FS_MISSING of a call on `path` an error (ERR_IO) and
 * passes on all else. `if (fs_must(fs_open(…), path, err) < 0) return -1;`
 */
int fs_must(int rc, const char *path, struct err *err);
/* Reads a whole file of at most buf->limit bytes (more is an error). Returns 0 or FS_MISSING. */
int fs_read(int dirfd, const char *path, struct buf *buf, struct err *err);
int fs_read_fd(int fd, const char *what, struct buf *buf, struct err *err);
int fs_write_all(int fd, const void *p, size_t n, const char *what, struct err *err);
/* Makes durable that a file has the name it has: syncs the folder it lies in. */
int fs_sync_dir_of(int dirfd, const char *path, struct err *err);
/*
 * A file is written aside under this name, which says whose it is, and locked (flock) meanwhile. Caller
 * frees. fs_sweep_temps removes such files that killed processes left beside `path`.
 */
char *fs_temp_name(const char *path);
void fs_sweep_temps(int dirfd, const char *path);
/* Writes by temporary file and rename; with `sync` also fsyncs file and folder, and sweeps. */
int fs_write_file(int dirfd, const char *path, const void *p, size_t n, mode_t mode, bool sync,
                  struct err *err);
/* Sorted names without "." and "..". Returns 0 or FS_MISSING. */
int fs_list(int dirfd, const char *path, struct fs_names *ret, struct err *err);
/* mkdir -p. Existing folders are fine. */
int fs_make_dirs(int dirfd, const char *path, mode_t mode, struct err *err);
/* rm -rf that makes unreadable folders writable first and never follows links. Missing is fine. */
int fs_remove_tree(int dirfd, const char *path, struct err *err);
/* lstat. Returns 0 or FS_MISSING. */
int fs_stat(int dirfd, const char *path, struct stat *ret, struct err *err);
/* Copies bytes by copy_file_range, falling back to read and write. Returns 0. */
int fs_copy_fd(int from, int to, const char *what, struct err *err);
/* The text of a symlink; caller frees. */
int fs_read_link(int dirfd, const char *path, char **ret, struct err *err);
/* Absolute, links resolved; caller frees. Returns 0 or FS_MISSING. */
int fs_real_path(const char *path, char **ret, struct err *err);
bool fs_exists(int dirfd, const char *path);
/* The path, or the nearest folder above it that is there; caller frees. */
char *fs_nearest(const char *path);
/*
 * Tells file systems of the ext family that the folders below an open one are unrelated, so that each
 * gets block groups of its own (chattr(1), attribute T). What one of them frees then does not slow
 * down the next: ext4 without a journal looks at every inode that its group freed in the last minute
 * before it makes a file. Elsewhere it does nothing; it never fails.
 */
void fs_hint_unrelated(int fd);
/* Bytes that this user may still write where `fd` is; 0 where that cannot be told. */
uint64_t fs_room(int fd);
/* Of a folder's listed entries the one that was changed (also renamed, or touched) longest ago. An empty name
 * is none, and NULL: there is no other one. */
char *fs_longest_unchanged(int dirfd, const struct fs_names *names);
/* Whether two paths lead to one file, through links too; false when either leads nowhere. */
bool fs_same(const char *a, const char *b);
/* Whether what `fd` has open still stands under that name. */
bool fs_is_named(int fd, int dirfd, const char *path);

#endif
