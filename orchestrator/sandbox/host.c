/*
 * The host runtime: no image, no walls, this machine's own tools. Only for when somebody asks for
 * it by name; what it makes is marked unpinned. /build is not there, so the work folder's path
 * takes its place in arguments and environment.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/str.h"
#include "host/failpoint.h"
#include "host/process.h"
#include "sandbox/explain.h"
#include "sandbox/identity.h"
#include "sandbox/limits.h"
#include "sandbox/spec.h"
#include "sandbox/stage.h"

enum { WORD_MAX = 1 << 20 };

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("._-/", c));
}

/* The text with /build as a whole path part replaced; the caller frees. */
static int translate(const char *text, const char *work, char **ret, struct err *err)
{
	struct buf out = BUF_INIT(WORD_MAX);
	const char *at = text, *hit;

	while ((hit = strstr(at, "/build"))) {
		bool whole = (hit == text || !is_name_char(hit[-1])) &&
		             (hit[6] == '/' || !is_name_char(hit[6]));

		buf_add(&out, at, (size_t)(hit - at));
		buf_add_str(&out, whole ? work : "/build");
		at = hit + 6;
	}
	buf_add_str(&out, at);
	if (out.overflow) {
		buf_deinit(&out);
		return err_set(err, ERR_STAGE, "an argument or variable is larger than %d bytes",
		               WORD_MAX);
	}
	*ret = buf_steal(&out);
	return 0;
}

static int host_probe(int *ret_userns_fd, struct err *err)
{
	(void)err;
	if (ret_userns_fd)
		*ret_userns_fd = 0;
	return 0;
}

static int host_prepare(struct sandbox_spec *spec, struct err *err)
{
	return sandbox_stage(spec, true, err);
}

/* Whether the program itself is the reason, and not a machine that has run out of something. */
static bool blames_program(int sys)
{
	return sys == ENOENT || sys == ENOTDIR || sys == EACCES || sys == ENOEXEC || sys == ELOOP ||
	       sys == ENAMETOOLONG || sys == EISDIR || sys == EINVAL;
}

static int host_enter(const struct sandbox_spec *spec, struct err *err)
{
	ARRAY(char *) argv = { 0 };
	ARRAY(char *) env = { 0 };
	_cleanup_free_ char *dir =
		spec->workdir[0] ? path_join(spec->work, spec->workdir) : str_dup(spec->work);
	char *word;

	setenv("PATH", "/usr/bin:/bin", 1); /* what execvpe looks at */
	for (size_t i = 0; spec->argv[i]; i++) {
		if (translate(spec->argv[i], spec->work, &word, err) < 0)
			return -1;
		array_push(&argv, word);
	}
	array_push(&argv, NULL);
	for (size_t i = 0; i < spec->n_env; i++) {
		_cleanup_free_ char *value = NULL;

		if (translate(spec->env[i].value, spec->work, &value, err) < 0)
			return -1;
		array_push(&env, str_fmt("%s=%s", spec->env[i].name, value));
		if (str_eq(spec->env[i].name, "PATH"))
			setenv("PATH", value, 1);
	}
	array_push(&env, NULL);
	if (dup2(spec->stdin_fd, 0) < 0 || dup2(spec->stdout_fd, 1) < 0 ||
	    dup2(spec->stderr_fd, 2) < 0)
		return err_sys(err, ERR_IO, "cannot set the standard streams");
	sandbox_fix_limits(spec->fixed_addresses);
	setsid();
	if (sandbox_drop(err) < 0)
		return -1;
	if (chdir(dir) < 0)
		return err_sys(err, ERR_STAGE, "cannot work in %s", dir);
	if (!process_die_with_parent(spec->runner))
		return err_set(err, ERR_INTERRUPTED, "the runner is gone");
	process_reset_signals();
	process_keep_fds(spec->jobs_fds, spec->jobs_fds[0] ? ARRAY_LEN(spec->jobs_fds) : 0);
	if (!failpoint("host-exec"))
		execvpe(argv.v[0], argv.v, env.v);
	if (errno == E2BIG)
		return sandbox_explain_too_long(argv.v[0], err);
	return err_sys(err, blames_program(errno) ? ERR_STAGE : ERR_MACHINE, "cannot run %s",
	               argv.v[0]);
}

const struct sandbox_runtime sandbox_host = {
	.name = "host",
	.pinned = false,
	.needs_rootfs = false,
	.probe = host_probe,
	.prepare = host_prepare,
	.enter = host_enter,
};
