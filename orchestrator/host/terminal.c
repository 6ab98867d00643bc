/* Terminals, and whether to use colour (NO_COLOR wins, CI logs stay plain). */
#include "host/terminal.h"

#include <stdlib.h>
#include <string.h>
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
