/* Overlays, mounted as root or in a user namespace. */
#include "sandbox/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/tmpfile.h"
#include "sandbox/identity.h"
#include "sandbox/userns.h"

enum { OPTIONS_MOST = 4095 }; /* mount(2) takes a page, and cuts off the rest */

int overlay_enter(struct err *err)
{
	const bool root = sandbox_drops();
	const uid_t uid = geteuid();
	const gid_t gid = getegid();

	if (failpoint("overlay-enter") || unshare(CLONE_NEWNS | (root ? 0 : CLONE_NEWUSER)) < 0)
		return OVERLAY_NONE;
	if (!root && userns_map_self(uid, gid, uid, gid, err) < 0)
		return -1;
	if (failpoint("overlay-apart") || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(err, ERR_MACHINE, "cannot set a mount namespace apart");
	return 0;
}

/* Commas and colons part options and lowers. */
static void add_path(struct buf *options, const char *name, const char *path)
{
	buf_fmt(options, "%s%s=", options->n ? "," : "", name);
	for (; *path; path++) {
		if (*path == ',' || *path == ':' || *path == '\\')
			buf_add_char(options, '\\');
		buf_add_char(options, *path);
	}
}

/* What a stage changed is thrown away, so its disk need not be waited for at the end ("volatile", since
 * Linux 5.10). */
static int mount_with(const struct overlay *overlay, const char *more, struct err *err)
{
	_cleanup_buf_ struct buf options = BUF_INIT(OPTIONS_MOST);

	add_path(&options, "lowerdir", overlay->lower);
	add_path(&options, "upperdir", overlay->upper);
	add_path(&options, "workdir", overlay->work);
	if (!sandbox_drops())
		buf_add_str(&options, ",userxattr");
	buf_add_str(&options, more);
	errno = ENAMETOOLONG;
	if (options.overflow || failpoint("overlay-mount") ||
	    mount("kiln", overlay->at, "overlay", MS_NOSUID | MS_NODEV, buf_text(&options)) < 0)
		return err_sys(err, ERR_MACHINE, "cannot lay an overlay over %s", overlay->at);
	return 0;
}

int overlay_mount(const struct overlay *overlay, struct err *err)
{
	struct err ignored = ERR_INIT;

	return mount_with(overlay, ",volatile", &ignored) == 0 ? 0 : mount_with(overlay, "", err);
}

void overlay_unmount(const char *at)
{
	(void)umount2(at, MNT_DETACH);
}

/* ---- whether they work ---------------------------------------------------------------------- */

static int make_parts(int dir, struct err *err)
{
	static const char *const parts[] = { "lower/a/b", "upper", "work", "at" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (fs_make_dirs(dir, parts[i], 0755, err) < 0)
			return -1;
	return 0;
}

/* In a child: a folder that is removed and made again is empty. */
static bool try_out(const char *dir)
{
	_cleanup_free_ char *at = path_join(dir, "at"), *lower = path_join(dir, "lower");
	_cleanup_free_ char *upper = path_join(dir, "upper"), *work = path_join(dir, "work");
	const struct overlay overlay = { at, lower, upper, work };
	_cleanup_fd_ int fd = -1;
	struct err err = ERR_INIT;

	return overlay_enter(&err) == 0 && overlay_mount(&overlay, &err) == 0 &&
	       fs_open_dir(AT_FDCWD, at, &fd, &err) == 0 && fs_exists(fd, "a/b") &&
	       fs_remove_tree(fd, "a", &err) == 0 && !fs_exists(fd, "a") &&
	       mkdirat(fd, "a", 0755) == 0 && fs_exists(fd, "a") && !fs_exists(fd, "a/b");
}

static bool works_in_child(const char *dir)
{
	pid_t pid = failpoint("overlay-fork") ? -1 : fork();
	int status = 1;

	if (pid == 0)
		_exit(try_out(dir) ? 0 : 1);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool overlay_works(const char *dir)
{
	struct tmpdir probe = { 0 };
	_cleanup_fd_ int fd = -1;
	struct err ignored = ERR_INIT;
	bool works = false;

	if (fs_open_dir(AT_FDCWD, dir, &fd, &ignored) == 0 &&
	    tmpdir_init(&probe, fd, "overlay", &ignored) == 0) {
		_cleanup_free_ char *path = path_join(dir, probe.name);

		works = make_parts(probe.fd, &ignored) == 0 && works_in_child(path);
	}
	tmpdir_deinit(&probe);
	return works;
}
