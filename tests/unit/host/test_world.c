/* What of the world is read in one place each: clock, terminal, fail points. */
#include "unit/support.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "host/clock.h"
#include "host/failpoint.h"
#include "host/terminal.h"

static void clock_can_be_held(void **state)
{
	int64_t before, after;

	(void)state;
	setenv("KILN_CLOCK", "1700000000", 1);
	assert_true(clock_wall_us() == 1700000000000000);
	setenv("KILN_CLOCK", "soon", 1);
	assert_true(clock_wall_us() > 1700000000000000);
	unsetenv("KILN_CLOCK");
	before = clock_mono_us();
	after = clock_mono_us();
	assert_true(after >= before);
}

static void colour_is_asked_for(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_false(terminal_is(ends[1]));
	assert_false(terminal_wants_color(ends[1]));
	close(ends[0]);
	close(ends[1]);
	setenv("CI", "true", 1);
	assert_true(terminal_is_ci());
	setenv("CI", "false", 1);
	assert_false(terminal_is_ci());
	setenv("CI", "", 1);
	assert_false(terminal_is_ci());
	unsetenv("CI");
	assert_false(terminal_is_ci());
}

/* On a terminal of its own. */
static void colour_on_a_terminal(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int tty;

	(void)state;
	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	tty = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(tty >= 0 && terminal_is(tty));
	unsetenv("CI");
	unsetenv("NO_COLOR");
	setenv("TERM", "xterm", 1);
	assert_true(terminal_wants_color(tty) && terminal_moves(tty));
	setenv("TERM", "dumb", 1);
	assert_false(terminal_wants_color(tty) || terminal_moves(tty));
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	assert_false(terminal_wants_color(tty));
	unsetenv("NO_COLOR");
	setenv("CI", "true", 1);
	assert_false(terminal_wants_color(tty));
	unsetenv("CI");
	close(tty);
	close(master);
}

/* Without a record each process counts for itself: each case in a child of its own. */
static int in_child(const char *spec, int passings)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int failed_at = 0;

		setenv("KILN_FAILPOINT", spec, 1);
		failpoint_arm();
		for (int i = 1; i <= passings; i++) {
			errno = 0;
			if (failpoint("here"))
				failed_at = errno == ENOSPC ? i : 100 + errno;
		}
		_exit(failed_at);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void failpoints_fail_once(void **state)
{
	(void)state;
	unsetenv("KILN_FAILPOINT");
	failpoint_arm();
	assert_false(failpoint("here"));
	assert_int_equal(in_child("here:1", 3), 1);
	assert_int_equal(in_child("here:3", 3), 3);
	assert_int_equal(in_child("here:4", 3), 0);
	assert_int_equal(in_child("*:2", 3), 2);
	assert_int_equal(in_child("her:1", 3), 0);
	assert_int_equal(in_child("here2:1", 3), 0);
	assert_int_equal(in_child("here", 3), 0);
	assert_int_equal(in_child("here:2:kill", 3), -SIGKILL);
	assert_int_equal(in_child("here:2:5", 3), 105);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock_can_be_held),
		cmocka_unit_test(colour_is_asked_for),
		cmocka_unit_test(colour_on_a_terminal),
		cmocka_unit_test(failpoints_fail_once),
	};

	return cmocka_run_group_tests_name("host/world", tests, NULL, NULL);
}
