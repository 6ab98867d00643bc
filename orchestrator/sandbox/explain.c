/*
 * The reasons why machines forbid sandboxes, each with what mends it: kernel switches first, since
 * bubblewrap's own words are the same for all of them.
 */
#include "sandbox/explain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/fs.h"

struct kernel_switch {
	const char *path;   /* below /proc/sys */
	long forbids;       /* the value that forbids user namespaces */
	const char *name;   /* for sysctl */
	const char *allows; /* the value to set */
};

static const struct kernel_switch switches[] = {
	{ "user/max_user_namespaces", 0, "user.max_user_namespaces", "15000" },
	{ "kernel/unprivileged_userns_clone", 0, "kernel.unprivileged_userns_clone", "1" },
	{ "kernel/apparmor_restrict_unprivileged_userns", 1,
	  "kernel.apparmor_restrict_unprivileged_userns", "0" },
};

static const char *sudo(void)
{
	return geteuid() == 0 ? "" : "sudo ";
}

/* The switch's value, or `otherwise` where this kernel has none. */
static long switch_value(int dirfd, const char *path, long otherwise)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64);
	struct err ignored = ERR_INIT;

	if (fs_read(dirfd, path, &text, &ignored) != 0 || text.n == 0)
		return otherwise;
	return strtol(buf_text(&text), NULL, 10);
}

void sandbox_switches(int sysctl_dirfd, struct buf *ret)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++)
		buf_fmt(ret, "%s=%ld\n", switches[i].name,
		        switch_value(sysctl_dirfd, switches[i].path, -1));
}

int sandbox_explain(int sysctl_dirfd, const char *said, struct err *err)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		const struct kernel_switch *s = &switches[i];

		if (switch_value(sysctl_dirfd, s->path, !s->forbids) != s->forbids)
			continue;
		err_set(err, ERR_MACHINE,
		        "this machine forbids sandboxes for plain users: %s is %ld", s->name,
		        s->forbids);
		return err_hint(err, "%ssysctl -w %s=%s", sudo(), s->name, s->allows);
	}
	err_set(err, ERR_MACHINE, "bubblewrap cannot make a sandbox here: %.*s",
	        (int)strcspn(said, "\n"), *said ? said : "it says nothing");
	if (strstr(said, "Unknown option"))
		return err_hint(err, "install bubblewrap 0.8 or later (Debian 12 has it)");
	if (strstr(said, "proc"))
		return err_hint(err, "this looks like a container that hides /proc: start it with "
		                     "--security-opt systempaths=unconfined");
	return err_hint(err, "in a container: start it with --security-opt seccomp=unconfined "
	                     "--security-opt apparmor=unconfined; in a virtual machine: allow "
	                     "user namespaces");
}

int sandbox_explain_too_long(const char *program, struct err *err)
{
	err_set(err, ERR_STAGE,
	        "cannot run %.200s: Linux takes no argument or variable longer than 128 KiB, nor 2 MiB of "
	        "them together",
	        program);
	return err_hint(err, "give it a file of them, as an input");
}
