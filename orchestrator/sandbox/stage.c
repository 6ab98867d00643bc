/* Staging mounts as root, before privileges are dropped. */
#include "sandbox/stage.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/failpoint.h"
#include "sandbox/identity.h"

/* Folders of every Linux that nothing of ours is looked for in; the first that fits is covered. */
static const char *const places[] = { "/mnt", "/media", "/srv", "/opt", "/tmp" };

static const char *choose_place(const struct sandbox_spec *spec)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct stat st;

		if (path_is_below(spec->work, places[i]) ||
		    (spec->rootfs && path_is_below(spec->rootfs, places[i])))
			continue;
		if (lstat(places[i], &st) == 0 && S_ISDIR(st.st_mode))
			return places[i];
	}
	return NULL;
}

/* Binds one folder below the place and writes its new path. */
static int bind_at(const char *place, const char *name, const char *from, char *ret, size_t size,
                   struct err *err)
{
	char at[64];

	snprintf(at, sizeof(at), "%s/%s", place, name);
	if (failpoint("stage-bind") || mkdir(at, 0755) < 0 ||
	    mount(from, at, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_sys(err, ERR_MACHINE, "cannot bind %s for the build user", from);
	snprintf(ret, size, "%s", at);
	return 0;
}

int sandbox_stage(struct sandbox_spec *spec, struct err *err)
{
	const char *place;

	if (!sandbox_drops())
		return 0;
	place = choose_place(spec);
	if (!place)
		return err_set(err, ERR_MACHINE,
		               "none of /mnt, /media, /srv, /opt and /tmp can be mounted over");
	if (failpoint("stage-namespace") || (!spec->own_mounts && unshare(CLONE_NEWNS) < 0)) {
		err_sys(err, ERR_MACHINE, "cannot make a mount namespace");
		return err_hint(err,
		                "run kiln as a plain user, or give the container CAP_SYS_ADMIN");
	}
	if (failpoint("stage-mount") || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0 ||
	    mount("kiln", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") < 0)
		return err_sys(err, ERR_MACHINE, "cannot stage mounts over %s", place);
	if (spec->rootfs) {
		if (bind_at(place, "root", spec->rootfs, spec->staged[0], sizeof(spec->staged[0]),
		            err) < 0)
			return -1;
		spec->rootfs = spec->staged[0];
	}
	if (bind_at(place, "work", spec->work, spec->staged[1], sizeof(spec->staged[1]), err) < 0)
		return -1;
	spec->work = spec->staged[1];
	if (!spec->jobs)
		return 0;
	if (bind_at(place, "jobs", spec->jobs, spec->staged[2], sizeof(spec->staged[2]), err) < 0)
		return -1;
	spec->jobs = spec->staged[2];
	return 0;
}

void sandbox_unstage(struct sandbox_spec *spec)
{
	_cleanup_free_ char *place = spec->staged[1][0] ? path_dir(spec->staged[1]) : NULL;

	if (place)
		(void)umount2(place, MNT_DETACH);
	memset(spec->staged, 0, sizeof(spec->staged));
}
