/* The board's terminal: who has it, how large it is now. */
#include "cli/screen.h"

#include "cli/signals.h"
#include "host/terminal.h"

void screen_look(struct progress_output *output, int fd)
{
	int columns, rows;

	if (terminal_size(fd, &columns, &rows)) {
		output->columns = columns;
		output->rows = rows;
	}
	output->away = !terminal_is_ours(fd);
}

static void on_event(struct event_sink *sink, const struct event *event)
{
	struct screen *screen = (struct screen *)sink;
	const bool stops = signals_is_stopping();

	screen_look(screen->output, screen->fd);
	screen->output->away |= stops;
	screen->board->event(screen->board, event);
	if (stops)
		signals_stop();
}

void screen_init(struct screen *screen, struct event_sink *board, struct progress_output *output,
                 int fd)
{
	*screen = (struct screen){ { on_event }, board, output, fd };
	output->utf8 = terminal_is_utf8();
	output->rewraps = terminal_rewraps();
	screen_look(output, fd);
	signals_watch_terminal();
}

void screen_deinit(struct screen *screen)
{
	if (screen->board)
		signals_leave_terminal();
	screen->board = NULL;
}
