/* Trees of the store under work folders. */
#include "exec/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "host/copy.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "sandbox/overlay.h"

enum {
	/* Files and links: from here on a tree is worth the namespace, the mount and the probe, a few ms. */
	LARGE = 500,
	MOST = 8, /* in one work folder */
};

/* The last of a disk is for what is built. */
static const uint64_t LEAST_ROOM = (uint64_t)1 << 30;

static size_t large(void)
{
	const char *told = getenv(LAYERS_FROM);
	long n = told ? strtol(told, NULL, 10) : 0;

	return n > 0 ? (size_t)n : LARGE;
}

bool layers_take(struct layers *layers, const char *over, struct blobs *blobs,
                 const struct tree_node *folder, const struct checkout_options *options)
{
	struct layer layer = { .directory = folder->ref };
	struct err ignored = ERR_INIT;

	if (!layers->store_dir || layers->works == LAYERS_FAIL || layers->list.n == MOST ||
	    !trees_is_large(blobs, &folder->ref, large()))
		return false;
	if (layers->works == LAYERS_UNKNOWN)
		layers->works =
			fs_make_dirs(AT_FDCWD, over, 0755, &ignored) == 0 && overlay_works(over) ?
				LAYERS_WORK :
				LAYERS_FAIL;
	/* Whatever is wrong with it is wrong with a copy, too, which says so. */
	if (layers->works == LAYERS_FAIL ||
	    trees_use(layers->store_dir, blobs, &folder->ref, options, &layer.tree, &ignored) != 0)
		return false;
	layer.name = str_dup(folder->name);
	array_push(&layers->list, layer);
	return true;
}

/* ---- mounting ------------------------------------------------------------------------------- */

/* The upper is the root of what is seen: it looks as any folder of the inputs. */
static int make_upper(const char *upper, const struct checkout_options *options, struct err *err)
{
	const struct timespec time = { .tv_sec = options->epoch, .tv_nsec = options->ns };
	const struct timespec times[2] = { time, time };

	if (fs_make_dirs(AT_FDCWD, upper, 0755, err) < 0)
		return -1;
	if ((options->uid != -1 && lchown(upper, (uid_t)options->uid, (gid_t)options->gid) < 0) ||
	    chmod(upper, 0755) < 0 || utimensat(AT_FDCWD, upper, times, 0) < 0)
		return err_sys(err, ERR_IO, "cannot set up %s", upper);
	return 0;
}

static int mount_one(struct layer *layer, const char *build, const char *over,
                     const struct checkout_options *options, struct err *err)
{
	_cleanup_free_ char *upper = str_fmt("%s/%s/upper", over, layer->name);
	_cleanup_free_ char *work = str_fmt("%s/%s/work", over, layer->name);
	_cleanup_free_ char *at = path_join(build, layer->name);
	const struct overlay overlay = { at, layer->tree.root, upper, work };

	if (make_upper(upper, options, err) < 0 || fs_make_dirs(AT_FDCWD, work, 0700, err) < 0 ||
	    overlay_mount(&overlay, err) < 0)
		return -1;
	layer->at = at;
	at = NULL;
	return 0;
}

static int copy_instead(const struct layer *layer, const char *build, struct blobs *blobs,
                        const struct checkout_options *options, struct err *err)
{
	_cleanup_free_ char *at = path_join(build, layer->name);
	_cleanup_fd_ int fd = -1;

	if (fs_must(fs_open_dir(AT_FDCWD, at, &fd, err), at, err) < 0)
		return -1;
	return checkout_tree(blobs, &layer->directory, fd, options, err);
}

int layers_mount(struct layers *layers, const char *build, const char *over, struct blobs *blobs,
                 const struct checkout_options *options, struct err *err)
{
	struct err ignored = ERR_INIT;
	const int rc = overlay_enter(err);

	if (rc < 0)
		return -1;
	layers->entered = rc == 0;
	for (size_t i = 0; i < layers->list.n; i++) {
		struct layer *layer = &layers->list.v[i];

		if (layers->entered && mount_one(layer, build, over, options, &ignored) == 0)
			continue;
		if (copy_instead(layer, build, blobs, options, err) < 0)
			return -1;
	}
	return 0;
}

void layers_end(struct layers *layers)
{
	for (size_t i = 0; i < layers->list.n; i++) {
		struct layer *layer = &layers->list.v[i];

		if (layer->at)
			overlay_unmount(layer->at);
		trees_end_use(&layer->tree);
		free(layer->name);
		free(layer->at);
	}
	array_deinit(&layers->list);
	*layers = (struct layers){ 0 };
}

/* ---- as plain folders ----------------------------------------------------------------------- */

/* Copied beside it, then put in its place. */
static int flatten(struct layer *layer, const char *over, struct err *err)
{
	_cleanup_free_ char *dir = path_join(over, layer->name), *plain = path_join(dir, "plain");
	_cleanup_fd_ int from = -1, to = -1;

	if (fs_make_dirs(AT_FDCWD, plain, 0700, err) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, layer->at, &from, err), layer->at, err) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, plain, &to, err), plain, err) < 0)
		return -1;
	if (copy_tree(from, to, err) < 0)
		return -1;
	overlay_unmount(layer->at);
	/* Renaming over it works as it is empty. */
	if (failpoint("flatten-rename") || rename(plain, layer->at) < 0)
		return err_sys(err, ERR_IO, "cannot put %s in its place", layer->name);
	free(layer->at);
	layer->at = NULL;
	return 0;
}

int layers_flatten(struct layers *layers, const char *over, struct err *err)
{
	_cleanup_fd_ int fd = open(over, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (layers->list.n > 0 && fs_room(fd) < LEAST_ROOM) {
		errno = ENOSPC;
		return err_sys(err, ERR_IO, "cannot keep what is in overlays");
	}
	for (size_t i = 0; i < layers->list.n; i++)
		if (layers->list.v[i].at && flatten(&layers->list.v[i], over, err) < 0)
			return -1;
	return 0;
}
