/* Trees between blobs and work folders: made aside, named when whole, taken away by another name first. */
#include "store/trees.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "host/boot.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"
#include "host/tmpfile.h"
#include "store/directory.h"

enum { TREES_MOST = 16, WAIT_MS = 60000, STEP_MS = 20 };
/* The last of a disk is for what is built. */
static const uint64_t LEAST_ROOM = (uint64_t)2 << 30;

struct trees {
	const char *store_dir;
	int fd, tmp_fd; /* STORE/trees, STORE/tmp */
	char boot[BOOT_ID_SIZE];
	char name[DIGEST_HEX_SIZE + 64 + BOOT_ID_SIZE];
};

static int open_folder(const char *store_dir, const char *name, int *ret, struct err *err)
{
	_cleanup_free_ char *path = path_join(store_dir, name);

	if (fs_make_dirs(AT_FDCWD, path, 0700, err) < 0)
		return -1;
	return fs_must(fs_open_dir(AT_FDCWD, path, ret, err), path, err);
}

static int trees_init(struct trees *t, const char *store_dir, const struct digest *directory,
                      const struct checkout_options *options, struct err *err)
{
	char hex[DIGEST_HEX_SIZE];

	t->store_dir = store_dir;
	t->fd = t->tmp_fd = -1;
	boot_id(t->boot);
	if (!t->boot[0])
		return TREES_NONE;
	digest_hex(directory, hex);
	snprintf(t->name, sizeof(t->name), "%s-%lld-%lld-%s", hex, (long long)options->epoch,
	         (long long)options->uid, t->boot);
	return open_folder(store_dir, "trees", &t->fd, err) < 0 ?
	               -1 :
	               open_folder(store_dir, "tmp", &t->tmp_fd, err);
}

static void trees_deinit(struct trees *t)
{
	fs_close(t->fd);
	fs_close(t->tmp_fd);
}

static bool has_room(const struct trees *t)
{
	return fs_room(t->fd) >= LEAST_ROOM;
}

/* ---- taking away ---------------------------------------------------------------------------- */

/* Whoever is stopped meanwhile leaves no half of one under its name. */
static int remove_aside(int tmp_fd, int dirfd, const char *name, struct err *err)
{
	struct tmpdir aside = { 0 };
	int rc = 0;

	if (tmpdir_init(&aside, tmp_fd, "trees", err) < 0)
		return -1;
	if (failpoint("tree-remove") ||
	    (renameat(dirfd, name, aside.fd, "gone") < 0 && errno != ENOENT))
		rc = err_sys(err, ERR_IO, "cannot take %s away", name);
	tmpdir_deinit(&aside);
	return rc;
}

/* False: somebody uses it. */
static bool remove_unused(const struct trees *t, const char *name)
{
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int fd = -1;

	return fs_open_dir(t->fd, name, &fd, &ignored) == 0 &&
	       lock_fd(fd, true, false, name, &ignored) == 0 &&
	       fs_is_named(fd, t->fd, name) && /* … and not another one of that name */
	       remove_aside(t->tmp_fd, t->fd, name, &ignored) == 0;
}

/* Those of earlier runs of the kernel. Returns how many trees are left. */
static size_t remove_earlier(const struct trees *t, struct fs_names *list)
{
	size_t left = list->names.n;

	for (size_t i = 0; i < list->names.n; i++)
		if (!str_ends(list->names.v[i], t->boot)) {
			left -= remove_unused(t, list->names.v[i]);
			list->names.v[i][0] = '\0';
		}
	return left;
}

/* For one more. False: there is none. */
static bool make_room(const struct trees *t)
{
	struct fs_names list = { 0 };
	struct err ignored = ERR_INIT;
	size_t left;
	char *oldest;

	if (fs_list(t->fd, ".", &list, &ignored) != 0)
		return false;
	left = remove_earlier(t, &list);
	while ((left >= TREES_MOST || !has_room(t)) &&
	       (oldest = fs_longest_unchanged(t->fd, &list))) {
		left -= remove_unused(t, oldest);
		oldest[0] = '\0'; /* it was looked at */
	}
	fs_names_deinit(&list);
	return has_room(t);
}

int trees_remove(int store_fd, struct err *err)
{
	_cleanup_fd_ int tmp = -1;

	if (!fs_exists(store_fd, "trees"))
		return 0;
	if (fs_make_dirs(store_fd, "tmp", 0700, err) < 0 ||
	    fs_must(fs_open_dir(store_fd, "tmp", &tmp, err), "tmp", err) < 0)
		return -1;
	tmpdir_sweep(tmp, "trees");
	return remove_aside(tmp, store_fd, "trees", err);
}

/* ---- finding and making --------------------------------------------------------------------- */

static void take(const struct trees *t, int fd, struct tree_use *ret)
{
	(void)!futimens(fd, NULL);
	*ret = (struct tree_use){ fd, str_fmt("%s/trees/%s/root", t->store_dir, t->name) };
}

/* One that is there, and stays: who removes it has it locked. Returns 0 or FS_MISSING. */
static int find(const struct trees *t, struct tree_use *ret, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	int rc = fs_open_dir(t->fd, t->name, &fd, err);

	if (rc)
		return rc;
	rc = lock_fd(fd, false, false, t->name, err);
	if (rc < 0)
		return -1;
	if (rc == LOCK_BUSY || !fs_is_named(fd, t->fd, t->name))
		return FS_MISSING;
	take(t, fd, ret);
	fd = -1;
	return 0;
}

static int lay_out(struct blobs *blobs, const struct blob_ref *directory, int dirfd,
                   const struct checkout_options *options, struct err *err)
{
	_cleanup_fd_ int root = -1;

	if (failpoint("tree-folder") || mkdirat(dirfd, "root", 0755) < 0)
		return err_sys(err, ERR_IO, "cannot make a folder in the store");
	if (fs_must(fs_open_dir(dirfd, "root", &root, err), "root", err) < 0)
		return -1;
	return checkout_tree(blobs, directory, root, options, err);
}

/* Returns 0, or FS_MISSING: another process was quicker, or it is removed now. */
static int make(const struct trees *t, struct blobs *blobs, const struct blob_ref *directory,
                const struct checkout_options *options, struct tree_use *ret, struct err *err)
{
	struct tmpdir aside = { 0 };
	int rc = 0;

	tmpdir_sweep(t->tmp_fd, "trees");
	if (tmpdir_init(&aside, t->tmp_fd, "trees", err) < 0)
		return -1;
	if (lay_out(blobs, directory, aside.fd, options, err) < 0) {
		rc = -1;
	} else if (failpoint("tree-rename") ||
	           renameat(t->tmp_fd, aside.name, t->fd, t->name) < 0) {
		rc = errno == EEXIST || errno == ENOTEMPTY ?
		             FS_MISSING :
		             err_sys(err, ERR_IO, "cannot name a tree in the store %s",
		                     t->store_dir);
	} else {
		/* Its lock comes with it, and from now on others may use it, too. */
		rc = lock_fd(aside.fd, false, false, t->name, err);
		/* In between it has none at all. */
		if (rc == LOCK_BUSY || (rc == 0 && !fs_is_named(aside.fd, t->fd, t->name)))
			rc = FS_MISSING;
		if (rc == 0) {
			take(t, aside.fd, ret);
			aside.fd = -1;
		}
	}
	tmpdir_deinit(&aside);
	return rc;
}

static bool is_cancelled(void)
{
	sigset_t set;

	return sigpending(&set) == 0 && sigismember(&set, SIGTERM) == 1;
}

/* Of several that want the same one, one makes it, and the others wait, though not for ever, and not when
 * all is to end. Returns 0 or LOCK_BUSY. */
static int lock_making(const struct trees *t, int *ret_fd, struct err *err)
{
	const char path[] = { 't', 'r', 'e', 'e', 's', '.', t->name[0], '\0' };
	_cleanup_fd_ int locks = -1;
	int rc = open_folder(t->store_dir, "locks", &locks, err);

	for (int ms = 0; rc == 0; ms += STEP_MS) {
		rc = lock_file(locks, path, true, false, ret_fd, err);
		if (rc != LOCK_BUSY || ms > WAIT_MS || is_cancelled())
			return rc;
		usleep(STEP_MS * 1000);
		rc = 0;
	}
	return rc;
}

static int find_or_make(const struct trees *t, struct blobs *blobs,
                        const struct blob_ref *directory, const struct checkout_options *options,
                        struct tree_use *ret, struct err *err)
{
	_cleanup_fd_ int lock = -1;
	int rc = find(t, ret, err);

	if (rc != FS_MISSING)
		return rc;
	rc = lock_making(t, &lock, err);
	if (rc)
		return rc < 0 ? -1 : TREES_NONE;
	rc = find(t, ret, err);
	if (rc != FS_MISSING)
		return rc;
	if (!make_room(t))
		return TREES_NONE;
	return make(t, blobs, directory, options, ret, err);
}

int trees_use(const char *store_dir, struct blobs *blobs, const struct blob_ref *directory,
              const struct checkout_options *options, struct tree_use *ret, struct err *err)
{
	struct trees t;
	int rc = trees_init(&t, store_dir, &directory->digest, options, err);

	if (rc == 0)
		rc = find_or_make(&t, blobs, directory, options, ret, err);
	trees_deinit(&t);
	return rc < 0 ? err_while(err, "laying out a tree in the store") : rc ? TREES_NONE : 0;
}

void trees_end_use(struct tree_use *use)
{
	if (use->root)
		fs_close(use->fd);
	free(use->root);
	*use = (struct tree_use){ 0 };
}

/* ---- how large ------------------------------------------------------------------------------ */

static size_t count(struct blobs *blobs, const struct blob_ref *directory, size_t least, int depth)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct tree_dir entries = { 0 };
	struct err ignored = ERR_INIT;
	size_t n = 0;

	if (depth > TREE_PATH_MOST / 2 ||
	    directory_load(blobs, arena, directory, &entries, &ignored) != 0)
		return 0;
	for (size_t i = 0; i < entries.n; i++)
		n += entries.nodes[i].kind != NODE_DIR;
	for (size_t i = 0; i < entries.n && n < least; i++)
		if (entries.nodes[i].kind == NODE_DIR)
			n += count(blobs, &entries.nodes[i].ref, least - n, depth + 1);
	return n;
}

bool trees_is_large(struct blobs *blobs, const struct blob_ref *directory, size_t least)
{
	return count(blobs, directory, least, 0) >= least;
}
