/*
 * The bubblewrap runtime. What a build sees is the image, read-only; its work folder at /build;
 * private, bounded /tmp and /dev/shm; a process tree, a host name, accounts and a loopback of its
 * own; nothing else of this machine. Options go through a file descriptor, so that they show in no
 * process list and have no length limit; the build's environment never reaches bubblewrap itself.
 */
#include "sandbox/bwrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/path.h"
#include "host/child.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/process.h"
#include "host/stamps.h"
#include "sandbox/explain.h"
#include "sandbox/filter.h"
#include "sandbox/identity.h"
#include "sandbox/limits.h"
#include "sandbox/spec.h"
#include "sandbox/stage.h"
#include "sandbox/userns.h"

enum { MAX_FDS = 12, ARGS_MAX = 16 << 20, HOST_FILE_MAX = 16 << 20 };

/* Files laid over the image's: the same accounts and names wherever the image comes from. */
static const struct laid_over {
	const char *path, *text;
	bool of_host; /* the machine's own where there is a network */
} laid_over[] = {
	{ "etc/passwd",
	  "root:x:0:0:root:/root:/bin/sh\n"
	  "builder:x:1000:1000:builder:/tmp:/bin/sh\n"
	  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
	  false },
	{ "etc/group", "root:x:0:\nbuilder:x:1000:\nnogroup:x:65534:\n", false },
	{ "etc/hosts", "127.0.0.1 localhost builder\n::1 localhost\n", true },
	{ "etc/hostname", "builder\n", false },
	{ "etc/resolv.conf", "", true },
};

/* Of sandbox_common's data. */
enum { DATA_FILTER, DATA_LAID_OVER };
_Static_assert(DATA_LAID_OVER + ARRAY_LEN(laid_over) == SANDBOX_DATA, "one for each");

struct bwrap_args {
	struct sandbox_common *common; /* borrowed */
	struct buf text;               /* NUL-ended words */
	int pass[MAX_FDS];             /* descriptors that bubblewrap gets, … */
	bool own[MAX_FDS];             /* … and which of them are closed afterwards */
	size_t n_pass;
	ARRAY(const char *) argv; /* bubblewrap's */
};

#define add(args, ...) add_words((args), (const char *const[]){ __VA_ARGS__, NULL })

static void add_words(struct bwrap_args *args, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		buf_add(&args->text, words[i], strlen(words[i]) + 1);
}

static void add_number(struct bwrap_args *args, long long number)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", number);
	add(args, text);
}

static void pass_fd(struct bwrap_args *args, int fd, bool own)
{
	bug_on(args->n_pass == MAX_FDS);
	args->own[args->n_pass] = own;
	args->pass[args->n_pass++] = fd;
}

static void args_deinit(struct bwrap_args *args)
{
	for (size_t i = 0; i < args->n_pass; i++)
		if (args->own[i])
			close(args->pass[i]);
	array_deinit(&args->argv);
	buf_deinit(&args->text);
}

/* Bytes as a descriptor at their begin. */
static int make_data(const void *p, size_t n, unsigned int flags, struct err *err)
{
	_cleanup_fd_ int fd =
		failpoint("bwrap-data") ? -1 : memfd_create("kiln", MFD_CLOEXEC | flags);
	int ret;

	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot pass data to bubblewrap");
	if (fs_write_all(fd, p, n, "bubblewrap's options", err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot pass data to bubblewrap");
	ret = fd;
	fd = -1;
	return ret;
}

/* Bytes as a descriptor that bubblewrap inherits. */
static int add_data(struct bwrap_args *args, const void *p, size_t n, struct err *err)
{
	int fd = make_data(p, n, 0, err);

	if (fd >= 0)
		pass_fd(args, fd, true);
	return fd;
}

/* The same for what every run of this process gets: made once, and sealed, so that none changes it for the next.
 * One run at a time reads it. */
static int add_kept_data(struct bwrap_args *args, int i, const void *p, size_t n, struct err *err)
{
	static const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int *kept = &args->common->data[i];

	if (!*kept) {
		int fd = make_data(p, n, MFD_ALLOW_SEALING, err);

		if (fd < 0)
			return -1;
		if (fcntl(fd, F_ADD_SEALS, seals) < 0) { /* it is this run's */
			pass_fd(args, fd, true);
			return fd;
		}
		*kept = fd;
	}
	if (lseek(*kept, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot pass data to bubblewrap");
	pass_fd(args, *kept, false);
	return *kept;
}

/* A container may show /proc/sys read-only; bubblewrap forbids nested namespaces through it. */
static bool can_forbid_nesting(void)
{
	struct statvfs fs;

	return statvfs("/proc/sys/user", &fs) < 0 || !(fs.f_flag & ST_RDONLY);
}

/* Namespaces, identity and the parts of the file system that no image brings. */
static void add_walls(struct bwrap_args *args, bool network)
{
	if (!network)
		add(args, "--unshare-net");
	add(args, "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts",
	    "--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "builder",
	    "--uid");
	add_number(args, SANDBOX_INNER_UID);
	add(args, "--gid");
	add_number(args, SANDBOX_INNER_GID);
	add(args, "--cap-drop", "ALL");
	if (can_forbid_nesting())
		add(args, "--disable-userns");
}

static int add_filter(struct bwrap_args *args, struct err *err)
{
	_cleanup_buf_ struct buf filter = BUF_INIT(1 << 16);
	int fd;

	if (!args->common->data[DATA_FILTER])
		sandbox_filter_write(&filter);
	fd = add_kept_data(args, DATA_FILTER, filter.p, filter.n, err);
	if (fd < 0)
		return -1;
	add(args, "--seccomp");
	add_number(args, fd);
	return 0;
}

/* The job server's folder stands in /dev, which nobody writes to and no package owns. */
static void add_system(struct bwrap_args *args, int64_t tmp_bytes, const char *jobs)
{
	int64_t size = tmp_bytes > 0 ? tmp_bytes : (int64_t)1 << 30;

	add(args, "--proc", "/proc", "--dev", "/dev");
	add(args, "--perms", "1777", "--size");
	add_number(args, size);
	add(args, "--tmpfs", "/dev/shm");
	if (jobs)
		add(args, "--ro-bind", jobs, SANDBOX_JOBS);
	add(args, "--remount-ro", "/dev");
	add(args, "--perms", "1777", "--size");
	add_number(args, size);
	add(args, "--tmpfs", "/tmp");
}

/* The machine's own is read each time. */
static int add_laid_over(struct bwrap_args *args, size_t i, bool network, struct err *err)
{
	const struct laid_over *file = &laid_over[i];
	_cleanup_buf_ struct buf host = BUF_INIT(HOST_FILE_MAX);
	_cleanup_free_ char *path = str_fmt("/%s", file->path);
	int rc, fd;

	if (network && file->of_host) {
		rc = fs_read(AT_FDCWD, path, &host, err);
		if (rc < 0)
			return -1;
		fd = rc == 0 ? add_data(args, host.p, host.n, err) :
		               add_data(args, file->text, strlen(file->text), err);
	} else {
		fd = add_kept_data(args, DATA_LAID_OVER + (int)i, file->text, strlen(file->text),
		                   err);
	}
	if (fd < 0)
		return -1;
	add(args, "--perms", "0644", "--ro-bind-data");
	add_number(args, fd);
	add(args, path);
	return 0;
}

/* A read-only root can be covered only where it has a file. */
static int add_files(struct bwrap_args *args, const char *rootfs, bool network, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(laid_over); i++) {
		_cleanup_free_ char *there = path_join(rootfs, laid_over[i].path);
		struct stat st;

		if (lstat(there, &st) == 0 && S_ISREG(st.st_mode) &&
		    add_laid_over(args, i, network, err) < 0)
			return -1;
	}
	return 0;
}

/* The certificates that the machine trusts, for images have none. */
static int add_certificates(struct bwrap_args *args, const struct sandbox_network *network,
                            struct err *err)
{
	_cleanup_buf_ struct buf bundle = BUF_INIT(HOST_FILE_MAX);
	int fd;

	if (!network || !network->ca)
		return 0;
	if (fs_must(fs_read(AT_FDCWD, network->ca, &bundle, err), network->ca, err) < 0)
		return err_while(err, "reading the machine's certificates");
	fd = add_data(args, bundle.p, bundle.n, err);
	if (fd < 0)
		return -1;
	add(args, "--perms", "0644", "--ro-bind-data");
	add_number(args, fd);
	add(args, SANDBOX_CA_FILE);
	return 0;
}

/* All options; *ret_fd holds them. */
static int make_args(struct bwrap_args *args, const struct sandbox_spec *spec, int *ret_fd,
                     struct err *err)
{
	_cleanup_free_ char *dir =
		str_fmt("/build%s%s", spec->workdir[0] ? "/" : "", spec->workdir);

	add_walls(args, spec->network != NULL);
	if (add_filter(args, err) < 0)
		return -1;
	if (spec->status_fd >= 0) {
		add(args, "--json-status-fd");
		add_number(args, spec->status_fd);
	}
	add(args, "--ro-bind", spec->rootfs, "/");
	add_system(args, spec->tmp_bytes, spec->jobs);
	if (add_files(args, spec->rootfs, spec->network != NULL, err) < 0 ||
	    add_certificates(args, spec->network, err) < 0)
		return -1;
	add(args, "--bind", spec->work, "/build", "--chdir", dir);
	add(args, "--clearenv");
	for (size_t i = 0; i < spec->n_env; i++)
		add(args, "--setenv", spec->env[i].name, spec->env[i].value);
	if (args->text.overflow)
		return err_set(err, ERR_STAGE, "the environment is larger than %d bytes", ARGS_MAX);
	*ret_fd = add_data(args, args->text.p, args->text.n, err);
	return *ret_fd < 0 ? -1 : 0;
}

static int fill_args(struct bwrap_args *args, const struct sandbox_spec *spec, struct err *err)
{
	static char number[16]; /* outlives the call, and no other comes before the exec */
	int fd = -1;

	if (make_args(args, spec, &fd, err) < 0)
		return -1;
	snprintf(number, sizeof(number), "%d", fd);
	array_push(&args->argv, "bwrap");
	array_push(&args->argv, "--args");
	array_push(&args->argv, number);
	array_push(&args->argv, "--");
	for (size_t i = 0; spec->argv[i]; i++)
		array_push(&args->argv, spec->argv[i]);
	array_push(&args->argv, NULL);
	if (spec->status_fd >= 0)
		pass_fd(args, spec->status_fd, false);
	for (size_t i = 0; spec->jobs_fds[0] && i < ARRAY_LEN(spec->jobs_fds); i++)
		pass_fd(args, spec->jobs_fds[i], false);
	return 0;
}

static int bwrap_load(struct sandbox_spec *spec, struct err *err)
{
	struct bwrap_args *args;

	/* Looked for once: what is no longer there then cannot be run. */
	if (!spec->common->program && !child_find("bwrap", &spec->common->program))
		return err_set(err, ERR_MACHINE, "bubblewrap is not installed");
	args = alloc(sizeof(*args));
	args->text = BUF_INIT(ARGS_MAX);
	args->common = spec->common;
	spec->args = args;
	return fill_args(args, spec, err);
}

static void bwrap_unload(struct sandbox_spec *spec)
{
	if (spec->args)
		args_deinit(spec->args);
	free(spec->args);
	spec->args = NULL;
}

static int bwrap_enter(const struct sandbox_spec *spec, struct err *err)
{
	const struct bwrap_args *args = spec->args;
	const char *program = spec->common->program;

	if (dup2(spec->stdin_fd, 0) < 0 || dup2(spec->stdout_fd, 1) < 0 ||
	    dup2(spec->stderr_fd, 2) < 0)
		return err_sys(err, ERR_IO, "cannot set the standard streams");
	sandbox_fix_limits(spec->fixed_addresses);
	if (sandbox_drop_to_exec(err) < 0 || userns_join(spec->userns_fd, err) < 0)
		return -1;
	if (!process_die_with_parent(spec->runner))
		return err_set(err, ERR_INTERRUPTED, "the runner is gone");
	process_reset_signals();
	process_keep_fds(args->pass, args->n_pass);
	if (!failpoint("bwrap-exec"))
		execve(program, (char *const *)args->argv.v, (char *const[]){ NULL });
	return errno == E2BIG ? sandbox_explain_too_long(spec->argv[0], err) :
	                        err_sys(err, ERR_MACHINE, "cannot run %s", program);
}

static int bwrap_prepare(struct sandbox_spec *spec, struct err *err)
{
	static const char *const needed[] = { "build", "dev", "proc", "tmp" };

	for (size_t i = 0; i < ARRAY_LEN(needed); i++) {
		_cleanup_free_ char *path = path_join(spec->rootfs, needed[i]);
		struct stat st;

		if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
			return err_set(err, ERR_INPUT, "the image at %s has no folder /%s",
			               spec->rootfs, needed[i]);
	}
	return sandbox_stage(spec, false, err);
}

/* The options of a sandbox around bubblewrap's own --version, and it. */
static int make_trial(struct bwrap_args *args, const char *program, struct err *err)
{
	add(args, program);
	add_walls(args, false);
	if (add_filter(args, err) < 0)
		return -1;
	add(args, "--ro-bind", "/", "/");
	add_system(args, 1 << 20, NULL);
	add(args, "--", program, "--version");
	return 0;
}

static int run_trial(const char *program, int userns_fd, struct child_result *ret, struct err *err)
{
	struct sandbox_common common = { 0 };
	struct bwrap_args args = { .common = &common, .text = BUF_INIT(ARGS_MAX) };
	struct child_spec spec = { .timeout_ms = 20000, .kept = true, .userns_fd = userns_fd };
	/* In a namespace of a plain user's there is nobody to become. */
	const bool drops = !userns_fd && sandbox_drops();
	int rc = make_trial(&args, program, err);

	for (size_t at = 0; at < args.text.n; at += strlen(args.text.p + at) + 1)
		array_push(&args.argv, args.text.p + at);
	array_push(&args.argv, NULL);
	spec.argv = args.argv.v;
	spec.keep_fds = args.pass;
	spec.n_keep_fds = args.n_pass;
	spec.uid = drops ? sandbox_uid() : 0;
	spec.gid = drops ? sandbox_gid() : 0;
	if (rc == 0)
		rc = child_run(&spec, ret, err);
	if (rc == 0 && ret->exit_code > 128) /* killed: that says nothing about the machine */
		rc = child_fail(&spec, ret, err);
	args_deinit(&args);
	sandbox_common_deinit(&common);
	return rc;
}

int bwrap_try(int userns_fd, struct err *err)
{
	_cleanup_child_result_ struct child_result result = { 0 };
	_cleanup_fd_ int sysctl = open("/proc/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *program = NULL;

	if (!child_find("bwrap", &program)) {
		err_set(err, ERR_MACHINE,
		        "bubblewrap, which keeps builds apart from this machine, "
		        "is not installed");
		return err_hint(err, "sudo apt-get install bubblewrap");
	}
	if (run_trial(program, userns_fd, &result, err) < 0)
		return -1;
	if (result.exit_code == 0)
		return 0;
	if (!userns_fd)
		return sandbox_explain(sysctl, buf_text(&result.log), err);
	return err_set(err, ERR_MACHINE,
	               "bubblewrap cannot make a sandbox in the user namespace that podman opens: "
	               "%.*s",
	               (int)strcspn(buf_text(&result.log), "\n"), buf_text(&result.log));
}

static int bwrap_probe(int *ret_userns_fd, struct err *err)
{
	if (ret_userns_fd)
		*ret_userns_fd = 0;
	return bwrap_try(0, err);
}

static int bwrap_premises(struct buf *ret)
{
	_cleanup_fd_ int sysctl = open("/proc/sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *program = NULL;
	char namespace[64] = "";
	struct stamps stamps;
	struct stat st;

	if (!child_find("bwrap", &program) || stat(program, &st) < 0 ||
	    readlink("/proc/self/ns/user", namespace, sizeof(namespace) - 1) < 0)
		return -1;
	stamps = stamps_of(&st);
	buf_add(ret, &stamps, sizeof(stamps));
	buf_fmt(ret, "%s %s\n", program, namespace);
	sandbox_switches(sysctl, ret);
	return 0;
}

const struct sandbox_runtime sandbox_bwrap = {
	.name = "bwrap",
	.pinned = true,
	.needs_rootfs = true,
	.only_execs = true,
	.trial = "bwrap --unshare-all --ro-bind / / true",
	.probe = bwrap_probe,
	.premises = bwrap_premises,
	.prepare = bwrap_prepare,
	.load = bwrap_load,
	.enter = bwrap_enter,
	.unload = bwrap_unload,
};
