/* Waits for the end of a pipe: a last word means success, silence means that Kiln was killed. */
#include "image/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/path.h"
#include "host/fs.h"
#include "host/process.h"

enum { GONE_STEPS = 100, STEP_MS = 50 };

static const char all_is_well = 'w';

static void rest(void)
{
	struct timespec left = { 0, STEP_MS * 1000000L };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* What mmdebstrap's user owns can be removed by that user alone: mmdebstrap becomes it. */
static void remove_as_other(const char *work)
{
	_cleanup_free_ char *tmp = path_join(work, "tmp");
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;

	/* The attempt to remove them closed them for others. */
	if (chmod(work, 0711) == 0 && chmod(tmp, 01777) == 0 &&
	    fs_list(AT_FDCWD, tmp, &names, &ignored) == 0)
		for (size_t i = 0; i < names.names.n; i++) {
			_cleanup_free_ char *path = path_join(tmp, names.names.v[i]);
			const char *const argv[] = {
				"mmdebstrap", "--unshare-helper", "rm", "-rf", "--", path, NULL
			};
			_cleanup_child_result_ struct child_result result = { 0 };

			err_clear(&ignored);
			child_run(&(struct child_spec){ .argv = argv }, &result, &ignored);
		}
	fs_names_deinit(&names);
}

int guard_remove(const char *work, struct err *err)
{
	struct err first = ERR_INIT;

	if (fs_remove_tree(AT_FDCWD, work, &first) == 0)
		return 0;
	if (geteuid() != 0)
		remove_as_other(work);
	return fs_remove_tree(AT_FDCWD, work, err);
}

static void keep_watch(int pipe, pid_t group, const char *work)
{
	struct err ignored = ERR_INIT;
	char word = 0;
	ssize_t n;

	do
		n = read(pipe, &word, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1 && word == all_is_well)
		return;
	for (int i = 0; i < GONE_STEPS; i++) {
		if (kill(-group, SIGKILL) < 0 && errno == ESRCH)
			break;
		rest();
	}
	guard_remove(work, &ignored);
}

int guard_start(const struct child *child, const char *work, struct guard *ret, struct err *err)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, ERR_IO, "cannot make a pipe");
	pid = fork();
	if (pid == 0) {
		setsid(); /* Ctrl-C is not meant for it */
		process_reset_signals();
		process_close_fds(ends, 1);
		keep_watch(ends[0], child->pid, work);
		_exit(0);
	}
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return err_sys(err, ERR_IO, "cannot start the guard of mmdebstrap");
	}
	*ret = (struct guard){ pid, ends[1] };
	return 0;
}

void guard_end(struct guard *guard)
{
	ssize_t n;

	do
		n = write(guard->pipe, &all_is_well, 1);
	while (n < 0 && errno == EINTR);
	close(guard->pipe);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
