/* Work folders: made, filled, removed. */
#include "exec/work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"
#include "sandbox/identity.h"
#include "store/place.h"

/* Makes a folder below `fd` for the build user. An existing one is opened. */
static int open_owned(int fd, const char *name, int *ret_fd, bool *ret_made, struct err *err)
{
	bool made = !failpoint("work-folder") && mkdirat(fd, name, 0755) == 0;
	_cleanup_fd_ int sub = -1;

	if (!made && errno != EEXIST)
		return err_sys(err, ERR_IO, "cannot make the folder %s", name);
	sub = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_sys(err, ERR_STAGE, "an input stands where the folder %s must be", name);
	if (made && sandbox_drops() &&
	    (failpoint("work-owner") || fchown(sub, sandbox_uid(), sandbox_gid()) < 0))
		return err_sys(err, ERR_IO, "cannot give the folder %s to the build user", name);
	*ret_fd = sub;
	*ret_made = made;
	sub = -1;
	return 0;
}

/* ---- places --------------------------------------------------------------------------------- */

static int make_place(struct work_place *place, const char *store_dir, struct err *err)
{
	_cleanup_free_ char *parent = path_join(store_dir, "work");
	_cleanup_free_ char *stem = str_fmt("%d", (int)getpid());

	if (fs_make_dirs(AT_FDCWD, parent, 0700, err) < 0)
		return -1;
	place->parent_fd =
		failpoint("work-open") ? -1 : open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->parent_fd < 0)
		return err_sys(err, ERR_IO, "cannot open %s", parent);
	if (lock_new_dir(place->parent_fd, stem, &place->name, &place->fd, err) < 0)
		return -1;
	place->path = path_join(parent, place->name);
	/* Through it alone: what is above lets nobody in. */
	if (sandbox_drops() && (failpoint("work-place") || fchmod(place->fd, 0711) < 0))
		return err_sys(err, ERR_IO, "cannot open the folder %s to the build user",
		               place->path);
	return 0;
}

int work_place_init(struct work_place *place, const char *store_dir, struct err *err)
{
	struct work_place made = WORK_PLACE_INIT;

	if (make_place(&made, store_dir, err) < 0) {
		work_place_deinit(&made);
		return err_while(err, "making a work folder");
	}
	*place = made;
	return 0;
}

void work_place_deinit(struct work_place *place)
{
	struct err ignored = ERR_INIT;

	if (place->name)
		fs_remove_tree(place->parent_fd, place->name, &ignored);
	fs_close(place->fd);
	fs_close(place->parent_fd);
	free(place->name);
	free(place->path);
	*place = WORK_PLACE_INIT;
}

/* ---- work folders --------------------------------------------------------------------------- */

static int open_parts(struct work *work, const struct work_place *place, struct err *err)
{
	bool made = false;

	work->fd = fcntl(place->fd, F_DUPFD_CLOEXEC, 3);
	if (work->fd < 0)
		return err_sys(err, ERR_IO, "cannot open %s", place->path);
	if (open_owned(work->fd, "build", &work->build_fd, &made, err) < 0)
		return -1;
	if (!made)
		return err_set(err, ERR_BUG, "%s is not empty", place->path);
	work->build_path = path_join(place->path, "build");
	return 0;
}

int work_init(struct work *work, const struct work_place *place, struct err *err)
{
	struct work made = WORK_INIT;

	umask(022);
	if (open_parts(&made, place, err) < 0) {
		work_deinit(&made);
		return err_while(err, "making a work folder");
	}
	*work = made;
	return 0;
}

bool work_deinit(struct work *work)
{
	struct err ignored = ERR_INIT;
	bool empty = true;

	fs_close(work->build_fd);
	layers_end(&work->layers);
	if (work->fd >= 0 && !work->stays)
		empty = fs_remove_tree(work->fd, "build", &ignored) == 0 &&
		        fs_remove_tree(work->fd, "over", &ignored) == 0;
	fs_close(work->fd);
	free(work->build_path);
	*work = WORK_INIT;
	return empty;
}

/* ---- what failed ---------------------------------------------------------------------------- */

enum { KEPT_MOST = 4, SETUID_DEPTH = 200 };

char *work_kept(const char *store_dir, const struct digest *action)
{
	return str_fmt("%s/failed/%s", store_dir, DIGEST_TEXT(action));
}

/* Removes the oldest until there is room for one more. */
static void make_room(int dir)
{
	struct fs_names list = { 0 };
	struct err ignored = ERR_INIT;
	char *oldest;

	if (fs_list(dir, ".", &list, &ignored) != 0)
		return;
	for (size_t left = list.names.n;
	     left >= KEPT_MOST && (oldest = fs_longest_unchanged(dir, &list)); left--) {
		fs_remove_tree(dir, oldest, &ignored);
		oldest[0] = '\0';
	}
	fs_names_deinit(&list);
}

/*
 * Nothing that runs as somebody else than who starts it stands in the store. Takes the descriptor over.
 * False: it goes deeper than was looked.
 */
static bool drop_setuid(int fd, int depth)
{
	DIR *dir = depth < SETUID_DEPTH ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool whole = dir;

	if (!dir)
		fs_close(fd);
	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct stat st;
		int sub;

		if (str_eq(name, ".") || str_eq(name, "..") ||
		    fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISREG(st.st_mode) && (st.st_mode & (S_ISUID | S_ISGID)))
			(void)!fchmodat(dirfd(dir), name, st.st_mode & 0777, 0);
		if (!S_ISDIR(st.st_mode))
			continue;
		sub = openat(dirfd(dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		whole = (sub < 0 || drop_setuid(sub, depth + 1)) && whole;
	}
	if (dir)
		closedir(dir);
	return whole;
}

static char *over_path(const struct work *work)
{
	_cleanup_free_ char *dir = path_dir(work->build_path);

	return path_join(dir, "over");
}

static int open_build_again(struct work *work, struct err *err)
{
	work->build_fd = fs_close(work->build_fd);
	return fs_must(fs_open_dir(AT_FDCWD, work->build_path, &work->build_fd, err),
	               work->build_path, err);
}

static int flatten_layers(struct work *work)
{
	_cleanup_free_ char *over = over_path(work);
	struct err ignored = ERR_INIT;

	if (work->layers.list.n == 0)
		return 0;
	return layers_flatten(&work->layers, over, &ignored) < 0 ? -1 :
	                                                           open_build_again(work, &ignored);
}

void work_keep(struct work *work, const char *store_dir, const struct digest *action)
{
	_cleanup_free_ char *failed = path_join(store_dir, "failed"), *to = NULL;
	_cleanup_fd_ int dir = -1;
	struct err ignored = ERR_INIT;
	char hex[DIGEST_HEX_SIZE];

	digest_hex(action, hex);
	if (flatten_layers(work) < 0)
		return;
	if (fs_make_dirs(AT_FDCWD, failed, 0700, &ignored) < 0 ||
	    fs_open_dir(AT_FDCWD, failed, &dir, &ignored) != 0 ||
	    fs_remove_tree(dir, hex, &ignored) < 0)
		return;
	make_room(dir);
	if (!drop_setuid(fcntl(work->build_fd, F_DUPFD_CLOEXEC, 3), 0))
		return;
	/* By paths: for layers the runner has entered another mount namespace than that of its descriptors. */
	to = path_join(failed, hex);
	if (!failpoint("failed-keep"))
		(void)!rename(work->build_path, to);
}

/* A folder's time changes with what is made in it. */
static int set_time(int fd, int64_t epoch, struct err *err)
{
	const struct timespec times[2] = { { .tv_sec = epoch }, { .tv_sec = epoch } };

	return failpoint("work-time") || futimens(fd, times) < 0 ?
	               err_sys(err, ERR_IO, "cannot set a folder's time") :
	               0;
}

/* Makes every folder on a tree path, following no link that an input may have put there. All look
 * as old as the inputs do. */
static int make_folders(int build_fd, const char *path, int64_t epoch, struct err *err)
{
	struct str rest = str_of(path);
	_cleanup_fd_ int at = fcntl(build_fd, F_DUPFD_CLOEXEC, 3);
	struct str part;

	while (rest.n && str_cut(&rest, '/', &part)) {
		_cleanup_free_ char *name = str_dup_n(part.p, part.n);
		bool made = false;
		int sub = -1;

		if (open_owned(at, name, &sub, &made, err) < 0)
			return err_while(err, "making the folder %s", path);
		if (made && (set_time(at, epoch, err) < 0 || set_time(sub, epoch, err) < 0)) {
			close(sub);
			return -1;
		}
		close(at);
		at = sub;
	}
	return 0;
}

int work_make_folders(struct work *work, const struct action *action, struct err *err)
{
	if (make_folders(work->build_fd, action->workdir ? action->workdir : "", work->epoch, err) <
	    0)
		return -1;
	for (size_t i = 0; i < action->n_outputs; i++) {
		_cleanup_free_ char *dir = path_dir(action->outputs[i].path);

		if (!str_eq(dir, ".") && make_folders(work->build_fd, dir, work->epoch, err) < 0)
			return -1;
	}
	return 0;
}

/* What is laid out, for those folders of it that may be layers. */
struct laying {
	struct work *work;
	struct blobs *blobs;
	struct checkout_options options; /* of a tree */
	char *over;
};

static bool is_layer(void *data, const struct tree_node *folder)
{
	struct laying *laying = data;

	return layers_take(&laying->work->layers, laying->over, laying->blobs, folder,
	                   &laying->options);
}

static int lay_out(struct laying *laying, const struct action *action, struct err *err)
{
	struct work *work = laying->work;
	struct checkout_options options = laying->options;

	options.bytes = &work->bytes;
	options.leave = is_layer;
	options.leave_data = laying;
	if (checkout_tree(laying->blobs, action->input_root, work->build_fd, &options, err) < 0)
		return -1;
	if (work->layers.list.n == 0)
		return 0;
	if (layers_mount(&work->layers, work->build_path, laying->over, laying->blobs,
	                 &laying->options, err) < 0)
		return -1;
	return open_build_again(work, err);
}

int work_lay_out(struct work *work, struct blobs *blobs, const struct action *action, int64_t epoch,
                 struct err *err)
{
	struct laying laying = {
		.work = work,
		.blobs = blobs,
		.options = { .epoch = epoch,
		             .uid = sandbox_drops() ? (int64_t)sandbox_uid() : -1,
		             .gid = sandbox_drops() ? (int64_t)sandbox_gid() : -1 },
		.over = over_path(work),
	};
	int rc;

	work->epoch = epoch;
	rc = lay_out(&laying, action, err);
	free(laying.over);
	if (rc < 0)
		return err_while(err, "laying out the inputs");
	return work_make_folders(work, action, err);
}
