/* Dropping from root to the build user. */
#include "sandbox/identity.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>

int sandbox_drop(struct err *err)
{
	gid_t gid = sandbox_gid();
	uid_t uid = sandbox_uid();

	if (!sandbox_drops())
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0) {
		int sys = errno;

		err_sys(err, ERR_MACHINE, "cannot become the build user %u", (unsigned int)uid);
		if (sys == EINVAL)
			err_hint(err, "this container does not map that user id: run kiln as a "
			              "plain user");
		return -1;
	}
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return err_sys(err, ERR_MACHINE, "cannot stay dumpable");
	return 0;
}
