#ifndef KILN_TESTS_MOUNTS_H
#define KILN_TESTS_MOUNTS_H

/* Tests that need a disk, or folders, of their own: a child with its own mounts, where one can be had. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "unit/support.h"

/* What such a child exits with where this machine lets no mount namespace be made. */
enum { TEST_NO_MOUNTS = 77 };

static inline bool test_write_proc(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	fs_close(fd);
	return good;
}

/* Enters a mount namespace, as root or as root of a user namespace. */
static inline bool test_enter_mounts(void)
{
	char *uids = str_fmt("0 %d 1", (int)geteuid()), *gids = str_fmt("0 %d 1", (int)getegid());
	bool good = geteuid() == 0 ? unshare(CLONE_NEWNS) == 0 :
	                             unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
	                                     test_write_proc("/proc/self/setgroups", "deny") &&
	                                     test_write_proc("/proc/self/uid_map", uids) &&
	                                     test_write_proc("/proc/self/gid_map", gids);

	free(uids);
	free(gids);
	return good && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/* How the child ended: that must be with 0; skips the test where it had no mounts. */
static inline void test_mounts_ended(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == TEST_NO_MOUNTS) {
		print_message("# SKIP: this machine lets no mount namespace be made\n");
		skip();
	}
	assert_int_equal(status, 0);
}

#endif
