/*
 * Blobs as files. A file appears whole under its name by rename, so readers and other writers never
 * see a part of one; what a power loss leaves short is a miss, because sizes are part of every
 * reference. The fixed mtime says "nobody wrote to this since it was hashed": a write moves it.
 */
#include "store/blobs_folder_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"

/* A full disk has its hint already. */
int store_hint(struct err *err)
{
	return err_hint(err, "make the store writable, or choose another folder with --store or "
	                     "KILN_STORE");
}

int folder_cannot_write(const struct folder_blobs *folder, struct err *err)
{
	err_sys(err, ERR_IO, "cannot write to the store %s", folder->store_dir);
	return store_hint(err);
}

/* Removes a blob that was found bad, unless a good one has taken its place meanwhile. */
static void remove_bad(struct folder_blobs *folder, int fd, const struct blob_ref *ref)
{
	char name[BLOB_NAME_SIZE];

	if (fs_is_named(fd, folder->fd, blob_file_name(&ref->digest, name)))
		unlinkat(folder->fd, name, 0);
}

/* Hashes an open blob. A good one gets its stamp back, a bad one is removed, and so is one that the disk
 * does not give any more. */
static bool verify(struct folder_blobs *folder, int fd, const struct blob_ref *ref)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = BLOB_STAMP } };
	struct blob_ref found = { 0 };
	struct err err = ERR_INIT;

	if (failpoint("blob-verify") || lseek(fd, 0, SEEK_SET) < 0 ||
	    digest_of_fd(fd, "a blob", &found, &err) < 0) {
		if (err.sys == EIO)
			remove_bad(folder, fd, ref);
		return false;
	}
	if (!digest_eq(&found.digest, &ref->digest)) {
		remove_bad(folder, fd, ref);
		return false;
	}
	(void)!futimens(fd, times); /* else it is hashed again next time */
	return true;
}

/* Opens a blob that is there with its size and trusted content. Returns 0 or BLOBS_MISS. */
static int open_good(struct folder_blobs *folder, const struct blob_ref *ref, bool deep,
                     int *ret_fd, struct err *err)
{
	char name[BLOB_NAME_SIZE];
	_cleanup_fd_ int fd = -1;
	struct stat st;

	fd = openat(folder->fd, blob_file_name(&ref->digest, name),
	            O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return BLOBS_MISS;
	if (failpoint("blob-open") || fd < 0 || fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "cannot open blob %s in %s", name, folder->store_dir);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != ref->size)
		return BLOBS_MISS;
	if ((deep || !blob_file_is_good(&st, ref->size)) && !verify(folder, fd, ref))
		return BLOBS_MISS;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot rewind blob %s", name);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static bool folder_has(struct blobs *blobs, const struct blob_ref *ref, bool deep)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int fd = -1;
	char name[BLOB_NAME_SIZE];
	struct stat st;

	if (fstatat(folder->fd, blob_file_name(&ref->digest, name), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != ref->size)
		return false;
	if (!deep && blob_file_is_good(&st, ref->size))
		return true;
	return open_good(folder, ref, deep, &fd, &ignored) == 0;
}

static bool folder_find(struct blobs *blobs, struct blob_ref *ret)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;
	char name[BLOB_NAME_SIZE];
	struct stat st;

	if (fstatat(folder->fd, blob_file_name(&ret->digest, name), &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	ret->size = (uint64_t)st.st_size;
	return true;
}

/* The digest that a file's name says: its folder's two digits and its own; false where it is none. */
static bool digest_of_name(const char *dir, const char *name, struct digest *ret)
{
	char hex[DIGEST_HEX_SIZE + 2];

	return strlen(dir) == 2 && strlen(name) == DIGEST_HEX_LEN - 2 &&
	       snprintf(hex, sizeof(hex), "%s%s", dir, name) == DIGEST_HEX_LEN &&
	       digest_parse(hex, ret);
}

static int walk_dir(struct folder_blobs *folder, const char *dir, blobs_visit_fn visit, void *data,
                    struct err *err)
{
	_cleanup_fd_ int fd = -1;
	struct fs_names list = { 0 };
	int rc = fs_open_dir(folder->fd, dir, &fd, err);

	if (rc == 0)
		rc = fs_list(fd, ".", &list, err);
	for (size_t i = 0; rc == 0 && i < list.names.n; i++) {
		struct blob_ref ref;
		struct stat st;

		if (!digest_of_name(dir, list.names.v[i], &ref.digest) ||
		    fstatat(fd, list.names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode))
			continue;
		ref.size = (uint64_t)st.st_size;
		rc = visit(data, &ref, (uint64_t)st.st_blocks * 512, err);
	}
	fs_names_deinit(&list);
	return rc < 0 ? -1 : 0;
}

static int folder_walk(struct blobs *blobs, blobs_visit_fn visit, void *data, struct err *err)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;
	struct fs_names list = { 0 };
	int rc = fs_list(folder->fd, ".", &list, err);

	for (size_t i = 0; rc == 0 && i < list.names.n; i++)
		if (strlen(list.names.v[i]) == 2)
			rc = walk_dir(folder, list.names.v[i], visit, data, err);
	fs_names_deinit(&list);
	return rc;
}

static int folder_remove(struct blobs *blobs, const struct digest *digest, struct err *err)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;
	char name[BLOB_NAME_SIZE];

	if (!failpoint("blob-remove") &&
	    (unlinkat(folder->fd, blob_file_name(digest, name), 0) == 0 || errno == ENOENT))
		return 0;
	return folder_cannot_write(folder, err);
}

/* Leaves a parent's scratch folder to the parent, and removes an own one. */
static void drop_scratch(struct folder_blobs *folder)
{
	if (folder->scratch_pid == getpid()) {
		tmpdir_deinit(&folder->scratch);
	} else if (folder->scratch.name) {
		fs_close(folder->scratch.fd);
		free(folder->scratch.name);
	}
	folder->scratch = (struct tmpdir){ 0 };
}

/* A new temporary file, its name in `name`. A forked child makes a folder of its own. */
static int open_temp(struct folder_blobs *folder, char name[32], int *ret_fd, struct err *err)
{
	int fd = -1;

	if (!folder->scratch.name || folder->scratch_pid != getpid()) {
		drop_scratch(folder);
		if (tmpdir_init(&folder->scratch, folder->tmp_fd, "blobs", err) < 0)
			return store_hint(err);
		folder->scratch_pid = getpid();
	}
	snprintf(name, 32, "%u", folder->counter++);
	if (!failpoint("blob-create"))
		fd = openat(folder->scratch.fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		            0444);
	if (fd < 0)
		return folder_cannot_write(folder, err);
	*ret_fd = fd;
	return 0;
}

int folder_give_name(struct folder_blobs *folder, int fd, int dir, const char *name,
                     const struct digest *digest)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = BLOB_STAMP } };
	char blob[BLOB_NAME_SIZE], fan[3];

	if (failpoint("blob-stamp") || futimens(fd, times) < 0)
		return -1;
	blob_file_name(digest, blob);
	if (!failpoint("blob-rename") && renameat(dir, name, folder->fd, blob) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	snprintf(fan, sizeof(fan), "%.2s", blob);
	if (failpoint("blob-folder") || (mkdirat(folder->fd, fan, 0700) < 0 && errno != EEXIST))
		return -1;
	return renameat(dir, name, folder->fd, blob);
}

/* Gives a whole temporary file its name. */
static int commit(struct folder_blobs *folder, int fd, const char *temp,
                  const struct digest *digest, struct err *err)
{
	if (folder_give_name(folder, fd, folder->scratch.fd, temp, digest) < 0)
		return folder_cannot_write(folder, err);
	return 0;
}

static int write_chunk(struct folder_blobs *folder, int fd, const void *p, size_t n,
                       struct err *err)
{
	if (failpoint("blob-write"))
		return folder_cannot_write(folder, err);
	if (fs_write_all(fd, p, n, folder->store_dir, err) < 0)
		return err_while(err, "writing to the store");
	return 0;
}

static int folder_put(struct blobs *blobs, const void *p, size_t n, const struct blob_ref *ref,
                      struct err *err)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;
	_cleanup_fd_ int fd = -1;
	char temp[32];

	if (folder_has(blobs, ref, false))
		return 0;
	if (open_temp(folder, temp, &fd, err) < 0)
		return -1;
	if (write_chunk(folder, fd, p, n, err) < 0 ||
	    commit(folder, fd, temp, &ref->digest, err) < 0) {
		unlinkat(folder->scratch.fd, temp, 0);
		return -1;
	}
	return 0;
}

/* Reads until the chunk is full or the file ends. */
static int read_chunk(struct folder_blobs *folder, int fd, const char *what, size_t *ret_n,
                      struct err *err)
{
	size_t used = 0;

	while (used < BLOB_CHUNK) {
		ssize_t n = failpoint("blob-source-read") ?
		                    -1 :
		                    read(fd, folder->chunk + used, BLOB_CHUNK - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read %s", what);
		if (n == 0)
			break;
		used += (size_t)n;
	}
	*ret_n = used;
	return 0;
}

/* Copies the rest of a file behind its first full chunk, hashing all. */
static int stream(struct folder_blobs *folder, int from, int to, const char *what,
                  struct blob_ref *ret, struct err *err)
{
	struct blob_ref ref = { 0 };
	size_t n = BLOB_CHUNK;

	for (;;) {
		hasher_add(folder->hasher, folder->chunk, n);
		ref.size += n;
		if (write_chunk(folder, to, folder->chunk, n, err) < 0)
			break;
		if (n < BLOB_CHUNK) {
			hasher_finish(folder->hasher, &ref.digest);
			*ret = ref;
			return 0;
		}
		if (read_chunk(folder, from, what, &n, err) < 0)
			break;
	}
	hasher_finish(folder->hasher, &ref.digest);
	return -1;
}

static int put_large(struct folder_blobs *folder, int from, const char *what, struct blob_ref *ret,
                     struct err *err)
{
	_cleanup_fd_ int fd = -1;
	struct blob_ref ref = { 0 };
	char temp[32];
	bool known;
	int rc;

	if (open_temp(folder, temp, &fd, err) < 0)
		return -1;
	rc = stream(folder, from, fd, what, &ref, err);
	known = rc == 0 && folder_has(&folder->base, &ref, false);
	if (rc == 0 && !known)
		rc = commit(folder, fd, temp, &ref.digest, err);
	if (rc < 0 || known)
		unlinkat(folder->scratch.fd, temp, 0);
	if (rc == 0)
		*ret = ref;
	return rc;
}

static int folder_put_fd(struct blobs *blobs, int fd, const char *what, struct blob_ref *ret,
                         struct err *err)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;
	struct blob_ref ref = { 0 };
	size_t n = 0;

	if (read_chunk(folder, fd, what, &n, err) < 0)
		return -1;
	if (n == BLOB_CHUNK)
		return put_large(folder, fd, what, ret, err);
	ref.size = n;
	hasher_add(folder->hasher, folder->chunk, n);
	hasher_finish(folder->hasher, &ref.digest);
	if (folder_put(blobs, folder->chunk, n, &ref, err) < 0)
		return -1;
	*ret = ref;
	return 0;
}

static int folder_read(struct blobs *blobs, const struct blob_ref *ref, struct buf *buf,
                       struct err *err)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;
	_cleanup_fd_ int fd = -1;
	size_t start = buf->n;
	struct digest found;
	int rc = open_good(folder, ref, false, &fd, err);

	if (rc)
		return rc;
	if (fs_read_fd(fd, "a blob", buf, err) < 0)
		return -1;
	digest_of(buf->p + start, buf->n - start, &found);
	if (digest_eq(&found, &ref->digest))
		return 0;
	remove_bad(folder, fd, ref);
	buf->n = start;
	buf->p[start] = '\0';
	return BLOBS_MISS;
}

static int folder_open_fd(struct blobs *blobs, const struct blob_ref *ref, int *ret_fd,
                          struct err *err)
{
	return open_good((struct folder_blobs *)blobs, ref, blobs->paranoid, ret_fd, err);
}

static size_t folder_descriptors(const struct blobs *blobs, int fds[BLOBS_FDS])
{
	const struct folder_blobs *folder = (const struct folder_blobs *)blobs;

	fds[0] = folder->fd;
	fds[1] = folder->tmp_fd;
	return BLOBS_FDS;
}

static void folder_forked(struct blobs *blobs)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;

	/* Its descriptor is closed, and its number may be another file's soon. */
	free(folder->scratch.name);
	folder->scratch = (struct tmpdir){ 0 };
}

static void folder_free(struct blobs *blobs)
{
	struct folder_blobs *folder = (struct folder_blobs *)blobs;

	drop_scratch(folder);
	fs_close(folder->tmp_fd);
	fs_close(folder->fd);
	hasher_free(folder->hasher);
	free(folder->chunk);
	free(folder->store_dir);
	free(folder);
}

static const struct blobs_ops folder_ops = {
	.name = "folder",
	.put = folder_put,
	.put_fd = folder_put_fd,
	.has = folder_has,
	.find = folder_find,
	.walk = folder_walk,
	.remove = folder_remove,
	.read = folder_read,
	.open_fd = folder_open_fd,
	.movable = folder_movable,
	.move = folder_move,
	.descriptors = folder_descriptors,
	.forked = folder_forked,
	.free = folder_free,
};

/* Makes and opens a folder of the store. */
static int open_part(const char *store_dir, const char *name, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *path = path_join(store_dir, name);
	int rc;

	if (fs_make_dirs(AT_FDCWD, path, 0700, err) < 0)
		return store_hint(err);
	rc = fs_open_dir(AT_FDCWD, path, ret_fd, err);
	return rc <= 0 ? rc : err_set(err, ERR_IO, "%s is no folder", path);
}

int blobs_open(const char *store_dir, struct blobs **ret, struct err *err)
{
	_cleanup_fd_ int fd = -1, tmp_fd = -1;
	struct folder_blobs *folder;

	if (open_part(store_dir, "blobs", &fd, err) < 0 ||
	    open_part(store_dir, "tmp", &tmp_fd, err) < 0)
		return -1;
	folder = alloc(sizeof(*folder));
	folder->base.ops = &folder_ops;
	folder->store_dir = str_dup(store_dir);
	folder->fd = fd;
	folder->tmp_fd = tmp_fd;
	folder->hasher = hasher_new();
	folder->chunk = alloc(BLOB_CHUNK);
	fd = tmp_fd = -1;
	*ret = &folder->base;
	return 0;
}
