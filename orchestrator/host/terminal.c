/* Terminals, and whether to use colour (NO_COLOR wins, CI logs stay plain). */
#include "host/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool terminal_is(int fd)
{
	return isatty(fd) == 1;
}

bool terminal_moves(int fd)
{
	const char *term = getenv("TERM");

	return terminal_is(fd) && term && *term && strcmp(term, "dumb") != 0;
}

bool terminal_size(int fd, int *ret_columns, int *ret_rows)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return false;
	*ret_columns = size.ws_col;
	*ret_rows = size.ws_row;
	return true;
}

/* Where it is not this session's terminal nobody else has it either. */
bool terminal_is_ours(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp();
}

/* xterm and GNU screen cut lines instead. Within tmux it is tmux that counts. */
bool terminal_rewraps(void)
{
	return getenv("TMUX") || !(getenv("XTERM_VERSION") || getenv("STY"));
}

/*
 * By the names alone: the locale itself need not be installed for the terminal to know UTF-8, as in
 * many containers.
 */
bool terminal_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

bool terminal_is_ci(void)
{
	const char *ci = getenv("CI");

	return ci && *ci && strcmp(ci, "0") != 0 && strcmp(ci, "false") != 0;
}

bool terminal_wants_color(int fd)
{
	const char *no = getenv("NO_COLOR");

	if ((no && *no) || terminal_is_ci())
		return false;
	return terminal_moves(fd);
}
