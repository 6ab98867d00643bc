/*
 * Files, folders and links from a file system into the store. Everything is opened beneath the
 * folder it was named in and no link is followed, so what a build left behind cannot lead outside.
 * One folder is open at a time, whatever the depth. First all is listed, then the files are read
 * (ingest_files.c), then the folders are written, the deepest first.
 */
#include "store/ingest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "store/directory.h"
#include "store/ingest_impl.h"

/* Found files are read when they are this many, so that no tree is too large to be listed. */
enum { FOUND_MOST = 4096 };

/* A folder whose entries are known. It comes behind the one that it lies in. */
struct found_dir {
	struct tree_dir entries;
	struct tree_node *node; /* gets its digest */
};

struct walk {
	struct ingest in;
	ARRAY(struct found_dir) dirs;
};

/* The path of an entry for messages; caller frees. */
static char *shown_path(const struct ingest *in, const char *dir, const char *name)
{
	_cleanup_free_ char *below = dir ? path_join(dir, name) : str_dup("");
	_cleanup_free_ char *path = path_join(in->shown, below);

	return str_escape(str_of(path));
}

/* An error that the content is to blame for. */
int ingest_refuse(const struct ingest *in, const char *dir, const char *name, const char *why,
                  struct err *err)
{
	_cleanup_free_ char *path = shown_path(in, dir, name);

	return err_set(err, in->blame, "%s %s", path, why);
}

int ingest_cannot(const struct ingest *in, const char *what, const char *dir, const char *name,
                  struct err *err)
{
	int sys = errno;
	_cleanup_free_ char *path = shown_path(in, dir, name);

	if (sys == ENOENT || sys == ENOTDIR || sys == ELOOP)
		return err_set(err, in->blame, "%s changed while it was read", path);
	errno = sys;
	err_sys(err, sys == EACCES ? in->blame : ERR_IO, "cannot %s %s", what, path);
	return sys == EACCES ? err_hint(err, "give the owner read permission") : -1;
}

static const char *fault_of(const char *name, const struct stat *st)
{
	if (!str_is_utf8(str_of(name)))
		return "has a name that is not UTF-8, which a tree cannot hold";
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return st->st_mode & (S_ISUID | S_ISGID) ?
		               "is setuid or setgid, which a tree cannot hold" :
		               NULL;
	case S_IFDIR:
	case S_IFLNK:
		return NULL;
	case S_IFSOCK:
		return "is a socket, which a tree cannot hold";
	case S_IFIFO:
		return "is a fifo, which a tree cannot hold";
	default:
		return "is a device, which a tree cannot hold";
	}
}

int ingest_check(const struct ingest *in, const char *dir, const char *name, const struct stat *st,
                 struct err *err)
{
	const char *fault = fault_of(name, st);

	return fault ? ingest_refuse(in, dir, name, fault, err) : 0;
}

static bool is_excluded(const struct ingest *in, const char *name)
{
	_cleanup_free_ char *path = NULL;

	if (in->options->n_exclude == 0 && !in->options->keep)
		return false;
	path = path_join(buf_text(&in->path), name);
	for (size_t i = 0; i < in->options->n_exclude; i++)
		if (str_glob(in->options->exclude[i], path))
			return true;
	return in->options->keep && !in->options->keep(in->options->keep_data, path);
}

/* A file whose content is not known by its stamps is read later. */
static int take_file(struct ingest *in, const char *dir, const struct stat *st,
                     struct tree_node *node, struct err *err)
{
	node->kind = NODE_FILE;
	in->files++;
	if (!in->stamps || !in->stamps->find(in->stamps, st, &node->ref)) {
		array_push(&in->found, ((struct found_file){ dir, node, *st }));
		return in->found.n < FOUND_MOST ? 0 : ingest_read_found(in, err);
	}
	node->executable = (st->st_mode & S_IXUSR) != 0;
	if (in->options->non_empty && node->ref.size == 0)
		return ingest_refuse(in, dir, node->name, "is empty, but content is needed", err);
	return 0;
}

static int take_link(struct ingest *in, int fd, const char *dir, struct tree_node *node,
                     struct err *err)
{
	_cleanup_free_ char *target = NULL;

	if (fs_read_link(fd, node->name, &target, err) < 0)
		return -1;
	if (!str_is_utf8(str_of(target)))
		return ingest_refuse(in, dir, node->name,
		                     "is a link whose text is not UTF-8, which a tree cannot hold",
		                     err);
	node->kind = NODE_LINK;
	node->target = arena_str(in->arena, target);
	return 0;
}

/* Takes the entry that the node names of an open folder, a folder only by name. */
static int take_entry(struct ingest *in, int fd, const char *dir, struct tree_node *node,
                      struct err *err)
{
	struct stat st;

	if (failpoint("ingest-stat") || fstatat(fd, node->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return ingest_cannot(in, "look at", dir, node->name, err);
	if (ingest_check(in, dir, node->name, &st, err) < 0)
		return -1;
	if (in->stamps && in->stamps->entry && !S_ISDIR(st.st_mode))
		in->stamps->entry(in->stamps, node->name, &st);
	if (S_ISREG(st.st_mode))
		return take_file(in, dir, &st, node, err);
	if (S_ISLNK(st.st_mode))
		return take_link(in, fd, dir, node, err);
	node->kind = NODE_DIR;
	return 0;
}

static int take_names(struct ingest *in, int fd, const struct fs_names *names,
                      struct tree_dir *entries, struct err *err)
{
	const char *dir = arena_str(in->arena, buf_text(&in->path));

	entries->nodes = arena_array(in->arena, names->names.n, sizeof(*entries->nodes));
	for (size_t i = 0; i < names->names.n; i++) {
		struct tree_node *node = &entries->nodes[entries->n];

		if (is_excluded(in, names->names.v[i]))
			continue;
		node->name = arena_str(in->arena, names->names.v[i]);
		if (take_entry(in, fd, dir, node, err) < 0)
			return -1;
		entries->n++;
	}
	return 0;
}

/* Lists the folder that in->path names and takes all but what is in its folders. */
static int take_entries(struct ingest *in, struct tree_dir *entries, struct err *err)
{
	const char *path = in->path.n ? buf_text(&in->path) : ".";
	struct fs_names names = { 0 };
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int rc = fs_open_beneath(in->root, path, O_RDONLY | O_DIRECTORY, 0, true, &fd, err);

	if (rc == FS_MISSING)
		return ingest_refuse(in, buf_text(&in->path), "", "changed while it was read", err);
	if (rc < 0 || fstat(fd, &st) < 0 || fs_list(fd, ".", &names, err) < 0)
		return err_while(err, "taking %s into the store", in->shown);
	if (in->stamps && in->stamps->folder)
		in->stamps->folder(in->stamps, buf_text(&in->path), &st);
	rc = take_names(in, fd, &names, entries, err);
	fs_names_deinit(&names);
	return rc;
}

static int take_dir(struct walk *walk, struct tree_node *node, struct err *err);

static int take_dirs_below(struct walk *walk, const struct tree_dir *entries, struct err *err)
{
	struct buf *path = &walk->in.path;
	size_t n = path->n;

	for (size_t i = 0; i < entries->n; i++) {
		if (entries->nodes[i].kind != NODE_DIR)
			continue;
		if (n > 0)
			buf_add_char(path, '/');
		buf_add_str(path, entries->nodes[i].name);
		if (path->overflow)
			return ingest_refuse(&walk->in, buf_text(path), "", "is nested too deeply",
			                     err);
		if (take_dir(walk, &entries->nodes[i], err) < 0)
			return -1;
		path->n = n;
		path->p[n] = '\0';
	}
	return 0;
}

static int take_dir(struct walk *walk, struct tree_node *node, struct err *err)
{
	struct tree_dir entries = { 0 };

	if (take_entries(&walk->in, &entries, err) < 0)
		return -1;
	array_push(&walk->dirs, ((struct found_dir){ entries, node }));
	return take_dirs_below(walk, &entries, err);
}

/* From the back: what lies in a folder comes behind it. */
static int save_dirs(struct walk *walk, struct err *err)
{
	for (size_t i = walk->dirs.n; i-- > 0;) {
		struct found_dir *dir = &walk->dirs.v[i];

		if (directory_save(walk->in.blobs, &dir->entries, &dir->node->ref, err) < 0)
			return -1;
	}
	return 0;
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

/* Takes the entry of `parent` that the node names; for a folder, what is in it too. */
static int take_top(struct walk *walk, int parent, struct tree_node *node, struct err *err)
{
	struct ingest *in = &walk->in;
	_cleanup_fd_ int root = -1;

	in->root = parent;
	if (take_entry(in, parent, NULL, node, err) < 0)
		return -1;
	if (node->kind != NODE_DIR)
		return ingest_read_found(in, err);
	if (!failpoint("ingest-folder"))
		root = openat(parent, node->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return ingest_cannot(in, "open", NULL, "", err);
	in->root = root;
	if (take_dir(walk, node, err) < 0 || ingest_read_found(in, err) < 0 ||
	    save_dirs(walk, err) < 0)
		return -1;
	if (in->options->non_empty && in->files == 0)
		return ingest_refuse(in, NULL, "", "holds no file, but content is needed", err);
	return 0;
}

static uint64_t content_of(const struct walk *walk, const struct tree_node *top)
{
	uint64_t n = top->kind == NODE_FILE ? top->ref.size : 0;

	for (size_t d = 0; d < walk->dirs.n; d++) {
		const struct tree_dir *entries = &walk->dirs.v[d].entries;

		for (size_t i = 0; i < entries->n; i++)
			if (entries->nodes[i].kind == NODE_FILE)
				n += entries->nodes[i].ref.size;
	}
	return n;
}

int ingest_node_with(struct blobs *blobs, struct arena *arena, int dirfd, const char *path,
                     const struct ingest_options *options, struct ingest_stamps *stamps,
                     struct tree_node *ret, struct err *err)
{
	struct walk walk = { .in = {
				     .blobs = blobs,
				     .arena = arena_new(),
				     .options = options,
				     .stamps = stamps,
				     .blame = options->blame ? options->blame : ERR_STAGE,
				     .root = -1,
				     .base = path,
				     .shown = options->shown ? options->shown : path,
				     .path = BUF_INIT(TREE_PATH_MOST),
			     } };
	struct tree_node node = { .name = path[0] ? path_base(path) : "." };
	_cleanup_fd_ int parent = -1;
	int rc = open_parent(&walk.in, dirfd, path[0] ? path : ".", &parent, err);

	if (rc == 0 && faccessat(parent, node.name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT)
		rc = PLACE_MISSING;
	if (rc == 0)
		rc = take_top(&walk, parent, &node, err);
	if (rc == 0 && options->bytes)
		*options->bytes += content_of(&walk, &node);
	if (rc == 0) {
		node.name = "";
		if (node.kind == NODE_LINK)
			node.target = arena_str(arena, node.target);
		*ret = node;
	}
	array_deinit(&walk.dirs);
	array_deinit(&walk.in.found);
	buf_deinit(&walk.in.path);
	arena_free(walk.in.arena);
	return rc;
}

int ingest_node(struct blobs *blobs, struct arena *arena, int dirfd, const char *path,
                const struct ingest_options *options, struct tree_node *ret, struct err *err)
{
	return ingest_node_with(blobs, arena, dirfd, path, options, NULL, ret, err);
}
