/*
 * The podman runtime: bubblewrap's walls, reached through podman. Some machines forbid user namespaces
 * to programs that AppArmor has no profile of, as bubblewrap, and allow them to podman; in a namespace
 * that podman opened, bubblewrap may make its own. So a stage sees byte for byte what it sees under
 * bubblewrap alone, and its results are shared.
 *
 * `podman run --rootfs` is not used: it shows what no other runtime shows (/sys, /dev/tty, an own /run,
 * a HOME that was not asked for, by its version and the user's settings), makes folders in the unpacked
 * image, has a monitor that outlives who started it, and costs each stage a fifth of a second.
 */
#include <unistd.h>

#include "host/child.h"
#include "host/fs.h"
#include "sandbox/bwrap.h"
#include "sandbox/spec.h"
#include "sandbox/userns.h"

/* What can be told without starting anything. */
static int check_programs(struct err *err)
{
	_cleanup_free_ char *podman = NULL, *bwrap = NULL;

	if (!child_find("podman", &podman)) {
		err_set(err, ERR_MACHINE, "podman is not installed");
		return err_hint(err, "sudo apt-get install podman uidmap");
	}
	if (!child_find("bwrap", &bwrap)) {
		err_set(err, ERR_MACHINE, "podman only lets bubblewrap in, which is not installed");
		return err_hint(err, "sudo apt-get install bubblewrap");
	}
	if (geteuid() == 0) {
		err_set(err, ERR_MACHINE,
		        "podman opens user namespaces for plain users, and this is root");
		return err_hint(err, "run kiln as a plain user");
	}
	return 0;
}

static int podman_probe(int *ret_userns_fd, struct err *err)
{
	int fd = -1;

	if (check_programs(err) < 0 || userns_of_podman(&fd, err) < 0)
		return -1;
	if (bwrap_try(fd, err) < 0) {
		fs_close(fd);
		return -1;
	}
	if (ret_userns_fd)
		*ret_userns_fd = fd;
	else
		fs_close(fd);
	return 0;
}

static int podman_prepare(struct sandbox_spec *spec, struct err *err)
{
	return sandbox_bwrap.prepare(spec, err);
}

static int podman_load(struct sandbox_spec *spec, struct err *err)
{
	if (!spec->userns_fd) {
		err_set(err, ERR_IO, "the user namespace that podman opened did not come through");
		return err_hint(err, "is the limit of open files reached (ulimit -n)?");
	}
	return sandbox_bwrap.load(spec, err);
}

static int podman_enter(const struct sandbox_spec *spec, struct err *err)
{
	return sandbox_bwrap.enter(spec, err);
}

static void podman_unload(struct sandbox_spec *spec)
{
	sandbox_bwrap.unload(spec);
}

const struct sandbox_runtime sandbox_podman = {
	.name = "podman",
	.pinned = true,
	.needs_rootfs = true,
	.only_execs = true,
	.trial = "podman unshare bwrap --unshare-all --ro-bind / / true",
	.probe = podman_probe,
	.prepare = podman_prepare,
	.load = podman_load,
	.enter = podman_enter,
	.unload = podman_unload,
};
