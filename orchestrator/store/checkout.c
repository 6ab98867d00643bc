/*
 * Trees out of the store into a folder. Content is copied (or cloned, where the file system can):
 * a work folder never shares an inode with the store. Folders are opened one at a time beneath the
 * root, so that depth costs no descriptors; their times are set when all below them is done.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/tmpfile.h"
#include "store/directory.h"
#include "store/place.h"

enum { SMALL = 64 << 10 };

struct checkout {
	struct blobs *blobs;
	int root; /* the folder that holds the tree */
	struct timespec times[2];
	uid_t uid;
	gid_t gid;
	bool owned;  /* uid or gid are to be set */
	bool clones; /* until the file system says that it does not */
	uint64_t *bytes;
	const struct checkout_options *options;
	struct buf path;
	char *chunk; /* SMALL bytes */
};

static int cannot(const struct checkout *c, const char *what, const char *name, struct err *err)
{
	int sys = errno;
	_cleanup_free_ char *path = path_join(buf_text(&c->path), name);
	_cleanup_free_ char *shown = str_escape(str_of(path));

	errno = sys;
	return err_sys(err, ERR_IO, "cannot %s %s in a work folder", what, shown);
}

/* Both files have one content on the disk, until one of them is written to. */
static bool clone_fd(int from, int to)
{
	return ioctl(to, FICLONE, from) == 0;
}

/* Copies one blob. Small ones by read and write: two calls where cloning would take three. */
static int copy(struct checkout *c, int from, int to, uint64_t size, const char *name,
                struct err *err)
{
	ssize_t n;

	if (size > SMALL) {
		c->clones = c->clones && clone_fd(from, to);
		return c->clones ? 0 : fs_copy_fd(from, to, name, err);
	}
	if (size == 0)
		return 0;
	do
		n = failpoint("checkout-read") ? -1 : read(from, c->chunk, SMALL);
	while (n < 0 && errno == EINTR);
	if (n < 0 || (uint64_t)n != size)
		return cannot(c, "read the content of", name, err);
	return fs_write_all(to, c->chunk, (size_t)n, name, err);
}

static int finish_fd(const struct checkout *c, int fd, mode_t mode, const char *name,
                     struct err *err)
{
	if (c->owned && (failpoint("checkout-owner") || fchown(fd, c->uid, c->gid) < 0))
		return cannot(c, "give away", name, err);
	if (failpoint("checkout-mode") || fchmod(fd, mode) < 0)
		return cannot(c, "set the mode of", name, err);
	if (failpoint("checkout-finish") || futimens(fd, c->times) < 0)
		return cannot(c, "set the time of", name, err);
	return 0;
}

static int write_file(struct checkout *c, int dir, const struct tree_node *node, const char *name,
                      struct err *err)
{
	_cleanup_fd_ int from = -1, to = -1;
	int rc = blobs_open_fd(c->blobs, &node->ref, &from, err);

	if (rc == BLOBS_MISS)
		return blobs_miss(&node->ref, name, err);
	if (rc < 0)
		return -1;
	if (!failpoint("checkout-create"))
		to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return cannot(c, "make the file", name, err);
	if (copy(c, from, to, node->ref.size, name, err) < 0)
		return err_while(err, "laying out inputs");
	if (c->bytes)
		*c->bytes += node->ref.size;
	return finish_fd(c, to, node->executable ? 0755 : 0644, name, err);
}

static int write_link(const struct checkout *c, int dir, const struct tree_node *node,
                      const char *name, struct err *err)
{
	if (failpoint("checkout-link") || symlinkat(node->target, dir, name) < 0)
		return cannot(c, "make the link", name, err);
	if (c->owned && fchownat(dir, name, c->uid, c->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(c, "give away the link", name, err);
	if (utimensat(dir, name, c->times, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(c, "set the time of the link", name, err);
	return 0;
}

/* Writes the entries of one directory; folders stay empty for now. */
static int write_entries(struct checkout *c, int dir, const struct tree_dir *entries,
                         struct err *err)
{
	for (size_t i = 0; i < entries->n; i++) {
		const struct tree_node *node = &entries->nodes[i];
		int rc = 0;

		if (node->kind == NODE_FILE)
			rc = write_file(c, dir, node, node->name, err);
		else if (node->kind == NODE_LINK)
			rc = write_link(c, dir, node, node->name, err);
		else if (failpoint("checkout-folder") || mkdirat(dir, node->name, 0700) < 0)
			rc = cannot(c, "make the folder", node->name, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}

/* Opens the folder that c->path names. */
static int open_here(const struct checkout *c, int *ret_fd, struct err *err)
{
	const char *path = c->path.n ? buf_text(&c->path) : ".";
	int rc = fs_open_beneath(c->root, path, O_RDONLY | O_DIRECTORY, 0, true, ret_fd, err);

	return rc <= 0 ? rc : err_set(err, ERR_IO, "%s vanished from a work folder", path);
}

/* A folder that somebody else fills. */
static bool is_left(const struct checkout *c, const struct tree_node *folder)
{
	return c->path.n == 0 && c->options->leave &&
	       c->options->leave(c->options->leave_data, folder);
}

static int finish_left(struct checkout *c, const char *name, struct err *err)
{
	_cleanup_fd_ int fd = -1;

	if (fs_must(fs_open_beneath(c->root, name, O_RDONLY | O_DIRECTORY, 0, true, &fd, err), name,
	            err) < 0)
		return -1;
	return finish_fd(c, fd, 0755, name, err);
}

static int write_dir(struct checkout *c, const struct blob_ref *ref, struct err *err);

static int write_dirs_below(struct checkout *c, const struct tree_dir *entries, struct err *err)
{
	size_t n = c->path.n;

	for (size_t i = 0; i < entries->n; i++) {
		int rc;

		if (entries->nodes[i].kind != NODE_DIR)
			continue;
		if (is_left(c, &entries->nodes[i])) {
			if (finish_left(c, entries->nodes[i].name, err) < 0)
				return -1;
			continue;
		}
		if (n > 0)
			buf_add_char(&c->path, '/');
		buf_add_str(&c->path, entries->nodes[i].name);
		if (c->path.overflow)
			return err_set(err, ERR_INPUT, "a tree is nested too deeply below %.64s…",
			               buf_text(&c->path));
		rc = write_dir(c, &entries->nodes[i].ref, err);
		if (rc < 0)
			return -1;
		c->path.n = n;
		c->path.p[n] = '\0';
	}
	return 0;
}

static int write_loaded(struct checkout *c, const struct tree_dir *entries, struct err *err)
{
	_cleanup_fd_ int fd = -1;

	if (open_here(c, &fd, err) < 0 || write_entries(c, fd, entries, err) < 0)
		return -1;
	fd = fs_close(fd);
	if (write_dirs_below(c, entries, err) < 0 || open_here(c, &fd, err) < 0)
		return -1;
	return finish_fd(c, fd, 0755, ".", err);
}

static int write_dir(struct checkout *c, const struct blob_ref *ref, struct err *err)
{
	struct arena *arena = arena_new();
	struct tree_dir entries = { 0 };
	int rc = directory_load(c->blobs, arena, ref, &entries, err);

	if (rc == 0)
		rc = write_loaded(c, &entries, err);
	arena_free(arena);
	return rc;
}

static void checkout_init(struct checkout *c, struct blobs *blobs, int root,
                          const struct checkout_options *options)
{
	struct timespec time = { .tv_sec = options->epoch, .tv_nsec = options->ns };

	*c = (struct checkout){
		.blobs = blobs,
		.root = root,
		.times = { time, time },
		.uid = (uid_t)options->uid,
		.gid = (gid_t)options->gid,
		.owned = options->uid != -1 || options->gid != -1,
		.bytes = options->bytes,
		.options = options,
		.path = BUF_INIT(TREE_PATH_MOST),
		.clones = true,
		.chunk = alloc(SMALL),
	};
}

static void checkout_deinit(struct checkout *c)
{
	buf_deinit(&c->path);
	free(c->chunk);
}

int checkout_tree(struct blobs *blobs, const struct blob_ref *root, int dirfd,
                  const struct checkout_options *options, struct err *err)
{
	struct checkout c;
	int rc;

	checkout_init(&c, blobs, dirfd, options);
	rc = write_dir(&c, root, err);
	checkout_deinit(&c);
	return rc;
}

int checkout_node(struct blobs *blobs, const struct tree_node *node, int dirfd, const char *name,
                  const struct checkout_options *options, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	struct checkout c;
	int rc;

	checkout_init(&c, blobs, dirfd, options);
	if (node->kind == NODE_FILE) {
		rc = write_file(&c, dirfd, node, name, err);
	} else if (node->kind == NODE_LINK) {
		rc = write_link(&c, dirfd, node, name, err);
	} else if (mkdirat(dirfd, name, 0700) < 0) {
		rc = cannot(&c, "make the folder", name, err);
	} else {
		fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		c.root = fd;
		rc = fd < 0 ? cannot(&c, "open", name, err) : write_dir(&c, &node->ref, err);
	}
	checkout_deinit(&c);
	return rc;
}

bool checkout_clones(int dirfd)
{
	_cleanup_fd_ int from = -1, to = -1;
	struct err ignored = ERR_INIT;

	return tmpfile_open(dirfd, "a probe", &from, &ignored) == 0 &&
	       tmpfile_open(dirfd, "a probe", &to, &ignored) == 0 &&
	       fs_write_all(from, "probe", 5, "a probe", &ignored) == 0 && clone_fd(from, to);
}
