/* Pipes between a runner and its stage. */
#include "exec/pipes.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/failpoint.h"
#include "host/fs.h"
#include "sandbox/identity.h"

void pipes_close_ends(struct pipes *p, int end)
{
	for (int i = 0; i < N_PIPES; i++)
		p->fd[i][end] = fs_close(p->fd[i][end]);
}

void pipes_close(struct pipes *p)
{
	pipes_close_ends(p, 0);
	pipes_close_ends(p, 1);
	p->err_file = fs_close(p->err_file);
}

int pipes_open(struct pipes *p, struct err *err)
{
	memset(p, -1, sizeof(*p));
	p->err_file = failpoint("stage-error-file") ? -1 : memfd_create("error", MFD_CLOEXEC);
	if (p->err_file < 0)
		return err_sys(err, ERR_IO, "cannot make a file in memory");
	for (int i = 0; i < N_PIPES; i++) {
		if (!failpoint("stage-pipe") && pipe2(p->fd[i], O_CLOEXEC) == 0)
			continue;
		err_sys(err, ERR_IO, "cannot make a pipe");
		pipes_close(p);
		return -1;
	}
	/* A program that opens /dev/stderr anew needs to own the pipe. */
	if (sandbox_drops()) {
		(void)!fchown(p->fd[PIPE_OUT][1], sandbox_uid(), sandbox_gid());
		(void)!fchown(p->fd[PIPE_LOG][1], sandbox_uid(), sandbox_gid());
	}
	fcntl(p->fd[PIPE_OUT][1], F_SETPIPE_SZ, 1 << 20);
	fcntl(p->fd[PIPE_STATUS][0], F_SETFL, O_NONBLOCK);
	return 0;
}

struct supervise_streams pipes_streams(const struct pipes *p)
{
	return (struct supervise_streams){ p->fd[PIPE_OUT][1], p->fd[PIPE_LOG][1],
		                           p->fd[PIPE_STATUS][1], p->err_file };
}

/* Of a builtin that a build's output has taken over maybe: texts are ended here. */
void pipes_read_error(const struct pipes *p, struct err *ret)
{
	struct err err;

	*ret = ERR_INIT;
	if (pread(p->err_file, &err, sizeof(err), 0) != (ssize_t)sizeof(err))
		return;
	err.cause[sizeof(err.cause) - 1] = '\0';
	err.trail[sizeof(err.trail) - 1] = '\0';
	err.hint[sizeof(err.hint) - 1] = '\0';
	if ((unsigned int)err.code > ERR_BUG)
		err.code = ERR_BUG;
	*ret = err;
}
