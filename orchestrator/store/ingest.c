/*
 * Files, folders and links from a file system into the store. Everything is opened beneath the
 * folder it was named in and no link is followed, so what a build left behind cannot lead outside.
 * One folder is open at a time, whatever the depth.
 */
#include "store/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "store/directory.h"

struct ingest {
	struct blobs *blobs;
	struct arena *arena; /* link texts, until the end */
	const struct ingest_options *options;
	struct ingest_stamps *stamps; /* or NULL */
	enum err_code blame;          /* for what the content itself does wrong */
	int root;                     /* the folder that is taken */
	const char *shown;            /* its path, for messages */
	struct buf path;              /* below it */
	size_t files;                 /* taken so far */
};

/* The path of an entry for messages; caller frees. */
static char *shown_path(const struct ingest *in, const char *name)
{
	_cleanup_free_ char *below = path_join(buf_text(&in->path), name);
	_cleanup_free_ char *path = path_join(in->shown, below);

	return str_escape(str_of(path));
}

/* An error that the content is to blame for. */
static int refuse(const struct ingest *in, const char *name, const char *why, struct err *err)
{
	_cleanup_free_ char *path = shown_path(in, name);

	return err_set(err, in->blame, "%s %s", path, why);
}

static int cannot(const struct ingest *in, const char *what, const char *name, struct err *err)
{
	int sys = errno;
	_cleanup_free_ char *path = shown_path(in, name);

	if (sys == ENOENT || sys == ENOTDIR || sys == ELOOP)
		return err_set(err, in->blame, "%s changed while it was read", path);
	errno = sys;
	err_sys(err, sys == EACCES ? in->blame : ERR_IO, "cannot %s %s", what, path);
	return sys == EACCES ? err_hint(err, "give the owner read permission") : -1;
}

/* Refuses what a tree cannot hold. */
static int check_entry(const struct ingest *in, const char *name, const struct stat *st,
                       struct err *err)
{
	if (!str_is_utf8(str_of(name)))
		return refuse(in, name, "has a name that is not UTF-8, which a tree cannot hold",
		              err);
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		if (st->st_mode & (S_ISUID | S_ISGID))
			return refuse(in, name, "is setuid or setgid, which a tree cannot hold",
			              err);
		return 0;
	case S_IFDIR:
	case S_IFLNK:
		return 0;
	case S_IFSOCK:
		return refuse(in, name, "is a socket, which a tree cannot hold", err);
	case S_IFIFO:
		return refuse(in, name, "is a fifo, which a tree cannot hold", err);
	default:
		return refuse(in, name, "is a device, which a tree cannot hold", err);
	}
}

static bool is_excluded(const struct ingest *in, const char *name)
{
	_cleanup_free_ char *path = path_join(buf_text(&in->path), name);

	for (size_t i = 0; i < in->options->n_exclude; i++)
		if (str_glob(in->options->exclude[i], path))
			return true;
	return in->options->keep && !in->options->keep(in->options->keep_data, path);
}

static bool same_stamps(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Reads a file into the store; `st` becomes what was really opened. */
static int read_file(const struct ingest *in, int dir, const char *name, struct stat *st,
                     struct blob_ref *ret, struct err *err)
{
	int64_t began_us = in->stamps ? clock_real_us() : 0;
	_cleanup_fd_ int fd = -1;
	struct stat after;

	if (!failpoint("ingest-open"))
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st) < 0)
		return cannot(in, "open", name, err);
	if (check_entry(in, name, st, err) < 0)
		return -1;
	if (!S_ISREG(st->st_mode))
		return refuse(in, name, "changed while it was read", err);
	if (blobs_put_fd(in->blobs, fd, name, ret, err) < 0)
		return -1;
	if (in->stamps && fstat(fd, &after) == 0 && same_stamps(st, &after) &&
	    (uint64_t)st->st_size == ret->size)
		in->stamps->note(in->stamps, st, began_us, ret);
	return 0;
}

static int take_file(struct ingest *in, int dir, const char *name, const struct stat *st,
                     struct tree_node *node, struct err *err)
{
	struct stat now = *st;

	if (!in->stamps || !in->stamps->find(in->stamps, st, &node->ref))
		if (read_file(in, dir, name, &now, &node->ref, err) < 0)
			return -1;
	node->kind = NODE_FILE;
	node->executable = (now.st_mode & S_IXUSR) != 0;
	in->files++;
	if (in->options->non_empty && node->ref.size == 0)
		return refuse(in, name, "is empty, but content is needed", err);
	return 0;
}

static int take_link(struct ingest *in, int dir, const char *name, struct tree_node *node,
                     struct err *err)
{
	_cleanup_free_ char *target = NULL;

	if (fs_read_link(dir, name, &target, err) < 0)
		return -1;
	if (!str_is_utf8(str_of(target)))
		return refuse(in, name,
		              "is a link whose text is not UTF-8, which a tree cannot hold", err);
	node->kind = NODE_LINK;
	node->target = arena_str(in->arena, target);
	return 0;
}

/* Takes one entry of an open folder, a folder only by name: what is in it comes later. */
static int take_entry(struct ingest *in, int dir, const char *name, struct tree_node *node,
                      struct err *err)
{
	struct stat st;

	node->name = name;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(in, "look at", name, err);
	if (check_entry(in, name, &st, err) < 0)
		return -1;
	if (S_ISREG(st.st_mode))
		return take_file(in, dir, name, &st, node, err);
	if (S_ISLNK(st.st_mode))
		return take_link(in, dir, name, node, err);
	node->kind = NODE_DIR;
	return 0;
}

/* Lists the folder that in->path names and takes all but what is in its folders. */
static int take_entries(struct ingest *in, struct fs_names *names, struct tree_dir *entries,
                        struct err *err)
{
	const char *path = in->path.n ? buf_text(&in->path) : ".";
	_cleanup_fd_ int fd = -1;
	int rc = fs_open_beneath(in->root, path, O_RDONLY | O_DIRECTORY, 0, true, &fd, err);

	if (rc == FS_MISSING)
		return refuse(in, "", "changed while it was read", err);
	if (rc < 0 || fs_list(fd, ".", names, err) < 0)
		return err_while(err, "taking %s into the store", in->shown);
	entries->nodes = alloc_array(names->names.n, sizeof(*entries->nodes));
	for (size_t i = 0; i < names->names.n; i++) {
		const char *name = names->names.v[i];

		if (is_excluded(in, name))
			continue;
		if (take_entry(in, fd, name, &entries->nodes[entries->n], err) < 0)
			return -1;
		entries->n++;
	}
	return 0;
}

static int take_dir(struct ingest *in, struct blob_ref *ret, struct err *err);

static int take_dirs_below(struct ingest *in, struct tree_dir *entries, struct err *err)
{
	size_t n = in->path.n;

	for (size_t i = 0; i < entries->n; i++) {
		if (entries->nodes[i].kind != NODE_DIR)
			continue;
		if (n > 0)
			buf_add_char(&in->path, '/');
		buf_add_str(&in->path, entries->nodes[i].name);
		if (in->path.overflow)
			return refuse(in, "", "is nested too deeply", err);
		if (take_dir(in, &entries->nodes[i].ref, err) < 0)
			return -1;
		in->path.n = n;
		in->path.p[n] = '\0';
	}
	return 0;
}

static int take_dir(struct ingest *in, struct blob_ref *ret, struct err *err)
{
	struct fs_names names = { 0 };
	struct tree_dir entries = { 0 };
	int rc = take_entries(in, &names, &entries, err);

	if (rc == 0)
		rc = take_dirs_below(in, &entries, err);
	if (rc == 0)
		rc = directory_save(in->blobs, &entries, ret, err);
	free(entries.nodes);
	fs_names_deinit(&names);
	return rc;
}

/* Opens the folder that holds what `path` names. Returns 0 or PLACE_MISSING. */
static int open_parent(const struct ingest *in, int dirfd, const char *path, int *ret_fd,
                       struct err *err)
{
	_cleanup_free_ char *parent = path_dir(path);
	struct err local = ERR_INIT;
	int rc = fs_open_beneath(dirfd, parent, O_RDONLY | O_DIRECTORY, 0, true, ret_fd, &local);

	if (rc == FS_MISSING)
		return PLACE_MISSING;
	if (rc < 0 && local.code == ERR_INPUT) {
		err_set(err, in->blame, "%s is behind a link", in->shown);
		return err_hint(err, "name the path that the link leads to");
	}
	if (rc < 0)
		*err = local;
	return rc;
}

/* Takes the entry `name` of `parent`; for a folder, what is in it too. */
static int take_top(struct ingest *in, int parent, const char *name, struct tree_node *node,
                    struct err *err)
{
	_cleanup_fd_ int root = -1;

	if (take_entry(in, parent, name, node, err) < 0)
		return -1;
	if (node->kind != NODE_DIR)
		return 0;
	root = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return cannot(in, "open", "", err);
	in->root = root;
	if (take_dir(in, &node->ref, err) < 0)
		return -1;
	if (in->options->non_empty && in->files == 0)
		return refuse(in, "", "holds no file, but content is needed", err);
	return 0;
}

int ingest_node_with(struct blobs *blobs, struct arena *arena, int dirfd, const char *path,
                     const struct ingest_options *options, struct ingest_stamps *stamps,
                     struct tree_node *ret, struct err *err)
{
	struct ingest in = {
		.blobs = blobs,
		.arena = arena_new(),
		.options = options,
		.stamps = stamps,
		.blame = options->blame ? options->blame : ERR_STAGE,
		.root = -1,
		.shown = options->shown ? options->shown : path,
		.path = BUF_INIT(TREE_PATH_MOST),
	};
	const char *name = path[0] ? path_base(path) : ".";
	struct tree_node node = { 0 };
	_cleanup_fd_ int parent = -1;
	int rc = open_parent(&in, dirfd, path[0] ? path : ".", &parent, err);

	if (rc == 0 && faccessat(parent, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		rc = PLACE_MISSING;
	if (rc == 0)
		rc = take_top(&in, parent, name, &node, err);
	if (rc == 0) {
		node.name = "";
		if (node.kind == NODE_LINK)
			node.target = arena_str(arena, node.target);
		*ret = node;
	}
	buf_deinit(&in.path);
	arena_free(in.arena);
	return rc;
}

int ingest_node(struct blobs *blobs, struct arena *arena, int dirfd, const char *path,
                const struct ingest_options *options, struct tree_node *ret, struct err *err)
{
	return ingest_node_with(blobs, arena, dirfd, path, options, NULL, ret, err);
}
