/*
 * Namespaces for Kiln's own builtins. Nothing is executed inside, so a pivoted root, an empty
 * network, a PID namespace of one and no capability are enough; there is no /proc and no device.
 */
#include "sandbox/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/failpoint.h"
#include "host/fs.h"
#include "host/process.h"
#include "sandbox/explain.h"
#include "sandbox/filter.h"
#include "sandbox/identity.h"
#include "sandbox/limits.h"
#include "sandbox/userns.h"

/* *ret_root: there is a machine's root to give up. */
static int enter_namespaces(int userns_fd, bool *ret_root, struct err *err)
{
	int flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID;
	uid_t uid = geteuid(), outer_uid;
	gid_t gid = getegid(), outer_gid;

	if (userns_join(userns_fd, err) < 0)
		return -1;
	outer_uid = geteuid();
	outer_gid = getegid();
	*ret_root = sandbox_drops();
	if (!*ret_root)
		flags |= CLONE_NEWUSER;
	if (failpoint("confine-namespaces") || unshare(flags) < 0) {
		_cleanup_fd_ int sysctl = open("/proc/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		return sandbox_explain(sysctl, strerror(errno), err);
	}
	return *ret_root ? 0 : userns_map_self(uid, gid, outer_uid, outer_gid, err);
}

static int pivot(const char *dir, struct err *err)
{
	if (failpoint("confine-pivot") || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    mount(dir, dir, NULL, MS_BIND, NULL) < 0 || chdir(dir) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(err, ERR_MACHINE, "cannot make %s the root", dir);
	/* Flags that only the mount's owner may drop are kept as they are. */
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) <
	            0 &&
	    errno != EPERM)
		return err_sys(err, ERR_MACHINE, "cannot harden the root %s", dir);
	return 0;
}

static int drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    syscall(SYS_capset, &header, none) < 0)
		return err_sys(err, ERR_MACHINE, "cannot drop capabilities");
	return 0;
}

static void stand_by(pid_t inner) __attribute__((noreturn));
static void stand_by(pid_t inner)
{
	int status = 0;

	while (waitpid(inner, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

/*
 * A PID namespace begins with the next fork. Its first process cannot ask for its parent's pid, which
 * is 0 there: a pidfd says whether the parent is still alive.
 */
static int enter_pid_namespace(struct err *err)
{
	_cleanup_fd_ int outer = process_pidfd(getpid());
	struct pollfd p = { outer, POLLIN, 0 };
	pid_t pid = failpoint("confine-fork") || outer < 0 ? -1 : fork();

	if (pid < 0)
		return err_sys(err, ERR_IO, "cannot fork");
	if (pid > 0)
		stand_by(pid);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (poll(&p, 1, 0) != 0)
		return err_set(err, ERR_INTERRUPTED, "the runner is gone");
	return 0;
}

int sandbox_confine(const char *dir, pid_t parent, int userns_fd, const int *keep, size_t n_keep,
                    struct err *err)
{
	bool root;

	if (enter_namespaces(userns_fd, &root, err) < 0 || pivot(dir, err) < 0)
		return -1;
	sandbox_fix_limits(false);
	if (root && sandbox_drop(err) < 0)
		return -1;
	if (drop_capabilities(err) < 0 || sandbox_filter_apply(err) < 0)
		return -1;
	if (!process_die_with_parent(parent))
		return err_set(err, ERR_INTERRUPTED, "the runner is gone");
	process_close_fds(keep, n_keep);
	return enter_pid_namespace(err);
}
