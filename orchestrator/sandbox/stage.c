/* Staging mounts as root, before privileges are dropped. */
#include "sandbox/stage.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "host/failpoint.h"
#include "sandbox/identity.h"
#include "sandbox/spec.h"

/* Folders of every Linux that nothing of ours is looked for in; the first that fits is covered. */
static const char *const covers[] = { "/mnt", "/media", "/srv", "/opt", "/tmp" };

static bool hides(const char *cover, const char *path)
{
	return path && path_is_below(path, cover);
}

static const char *choose_cover(const struct sandbox_spec *spec)
{
	for (size_t i = 0; i < ARRAY_LEN(covers); i++) {
		struct stat st;

		if (hides(covers[i], spec->work) || hides(covers[i], spec->rootfs) ||
		    hides(covers[i], spec->jobs))
			continue;
		if (lstat(covers[i], &st) == 0 && S_ISDIR(st.st_mode))
			return covers[i];
	}
	return NULL;
}

int sandbox_apart(struct staging *staging, struct err *err)
{
	if (staging->apart || !sandbox_drops())
		return 0;
	if (failpoint("stage-namespace") || unshare(CLONE_NEWNS) < 0) {
		err_sys(err, ERR_MACHINE, "cannot make a mount namespace");
		return err_hint(err,
		                "run kiln as a plain user, or give the container CAP_SYS_ADMIN");
	}
	if (failpoint("stage-apart") || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return err_sys(err, ERR_MACHINE, "cannot set a mount namespace apart");
	staging->apart = true;
	return 0;
}

static int lay_cover(struct staging *staging, const struct sandbox_spec *spec, struct err *err)
{
	const char *folder = choose_cover(spec);

	if (!folder)
		return err_set(err, ERR_MACHINE,
		               "none of /mnt, /media, /srv, /opt and /tmp can be mounted over");
	if (failpoint("stage-mount") ||
	    mount("kiln", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64k") < 0)
		return err_sys(err, ERR_MACHINE, "cannot stage mounts over %s", folder);
	staging->cover = folder;
	return 0;
}

static void unbind(struct staged *staged)
{
	if (staged->from)
		(void)umount2(staged->at, MNT_DETACH);
	free(staged->from);
	staged->from = NULL;
}

/* Whether it is bound already: a folder that was removed and made anew has the same name. */
static bool is_bound(const struct staged *staged, const char *from, const struct stat *st)
{
	return staged->from && str_eq(staged->from, from) && staged->dev == st->st_dev &&
	       staged->ino == st->st_ino;
}

/* Binds a folder below the cover, in the stead of what was there. */
static int bind_at(const char *cover, const char *name, const char *from, struct staged *staged,
                   struct err *err)
{
	struct stat st;

	if (stat(from, &st) < 0)
		return err_sys(err, ERR_IO, "cannot look at %s", from);
	if (is_bound(staged, from, &st))
		return 0;
	unbind(staged);
	snprintf(staged->at, sizeof(staged->at), "%s/%s", cover, name);
	if (failpoint("stage-bind") || (mkdir(staged->at, 0755) < 0 && errno != EEXIST) ||
	    mount(from, staged->at, NULL, MS_BIND | MS_REC, NULL) < 0)
		return err_sys(err, ERR_MACHINE, "cannot bind %s for the build user", from);
	staged->from = str_dup(from);
	staged->dev = st.st_dev;
	staged->ino = st.st_ino;
	return 0;
}

/* Where a path below what is bound stands. */
static const char *moved(const struct staged *staged, const char *path, char *ret, size_t size)
{
	snprintf(ret, size, "%s%s", staged->at, path + strlen(staged->from));
	return ret;
}

/* A work folder that is not in a place of a runner's is bound by itself, each time anew. */
static int stage_work(struct staging *staging, struct sandbox_spec *spec, struct err *err)
{
	const char *from = spec->place ? spec->place : spec->work;

	if (!spec->place)
		unbind(&staging->work);
	if (bind_at(staging->cover, "work", from, &staging->work, err) < 0)
		return -1;
	spec->work =
		moved(&staging->work, spec->work, spec->staged_work, sizeof(spec->staged_work));
	return 0;
}

/* All folders of a job server lie beside each other. */
static int stage_jobs(struct staging *staging, struct sandbox_spec *spec, bool alone,
                      struct err *err)
{
	_cleanup_free_ char *from = alone ? str_dup(spec->jobs) : path_dir(spec->jobs);

	if (bind_at(staging->cover, "jobs", from, &staging->jobs, err) < 0)
		return -1;
	spec->jobs =
		moved(&staging->jobs, spec->jobs, spec->staged_jobs, sizeof(spec->staged_jobs));
	return 0;
}

int sandbox_stage(struct sandbox_spec *spec, bool alone, struct err *err)
{
	struct staging *staging = &spec->common->staging;

	if (!sandbox_drops())
		return 0;
	if (sandbox_apart(staging, err) < 0 ||
	    (!staging->cover && lay_cover(staging, spec, err) < 0))
		return -1;
	if (spec->rootfs) {
		if (bind_at(staging->cover, "root", spec->rootfs, &staging->root, err) < 0)
			return -1;
		spec->rootfs = staging->root.at;
	}
	if (stage_work(staging, spec, err) < 0)
		return -1;
	return spec->jobs ? stage_jobs(staging, spec, alone, err) : 0;
}

void sandbox_unstage(struct staging *staging)
{
	free(staging->root.from);
	free(staging->work.from);
	free(staging->jobs.from);
	if (staging->cover)
		(void)umount2(staging->cover, MNT_DETACH);
	*staging = (struct staging){ .apart = staging->apart };
}
