/* Dropping from root to the build user. */
#include "sandbox/identity.h"

#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/fs.h"

/* Whether an id has a line in a map of /proc ("inside outside count" each); a map that cannot be
 * read is the whole one, as of now. */
static bool is_mapped(const char *path, unsigned long id, bool *ret_read)
{
	_cleanup_buf_ struct buf map = BUF_INIT(1 << 16);
	struct err ignored = ERR_INIT;
	const char *at;
	char *end;

	if (fs_read(AT_FDCWD, path, &map, &ignored) != 0) {
		*ret_read = false;
		return true;
	}
	for (at = buf_text(&map);; at = end) {
		unsigned long inside = strtoul(at, &end, 10), count;

		if (end == at)
			return false;
		strtoul(end, &end, 10);
		count = strtoul(end, &end, 10);
		if (id >= inside && id - inside < count)
			return true;
	}
}

/*
 * Root asks many times for each stage, and enters no other user namespace before the answers are used: it
 * is looked up once, by the runner server for all runners. Others, who may enter one, are told before it
 * comes to this.
 */
static bool is_mapped_here(void)
{
	static enum { UNKNOWN, NO, YES } known;
	bool read = true, mapped;

	if (known != UNKNOWN)
		return known == YES;
	mapped = is_mapped("/proc/self/uid_map", SANDBOX_UID, &read) &&
	         is_mapped("/proc/self/gid_map", SANDBOX_GID, &read);
	if (read)
		known = mapped ? YES : NO;
	return mapped;
}

bool sandbox_drops(void)
{
	return geteuid() == 0 && is_mapped_here();
}

uid_t sandbox_uid(void)
{
	return sandbox_drops() ? (uid_t)SANDBOX_UID : geteuid();
}

gid_t sandbox_gid(void)
{
	return sandbox_drops() ? (gid_t)SANDBOX_GID : getegid();
}

int sandbox_drop_to_exec(struct err *err)
{
	gid_t gid = sandbox_gid();
	uid_t uid = sandbox_uid();

	if (!sandbox_drops())
		return 0;
	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return err_sys(err, ERR_MACHINE, "cannot become the build user %u",
		               (unsigned int)uid);
	return 0;
}

int sandbox_drop(struct err *err)
{
	const bool drops = sandbox_drops();

	if (sandbox_drop_to_exec(err) < 0)
		return -1;
	if (drops && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
		return err_sys(err, ERR_MACHINE, "cannot stay dumpable");
	return 0;
}
