#ifndef KILN_REPORT_FAILURE_H
#define KILN_REPORT_FAILURE_H

#include "report/progress.h"

/*
 * Adds what a person needs of a stage that failed (an EVENT_FAILED): its address, why, the command
 * as one would type it, the last lines of its log, the command that shows the whole log, where the
 * recipe says it, what to try. Nothing in it moves a cursor, whatever the stage printed.
 */
void failure_add(struct buf *text, const struct event *event, const struct progress_output *output);
/* An action's command in one line: of a shell that is given a script and words, the words. */
void failure_add_brief_command(struct buf *text, const struct action *action);

#endif
