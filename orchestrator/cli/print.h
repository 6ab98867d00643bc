#ifndef KILN_CLI_PRINT_H
#define KILN_CLI_PRINT_H

#include <stddef.h>

#include "base/err.h"
#include "cli/command.h"
#include "external/json.h"

/* Whether progress is drawn in place: --progress tty, or a terminal that can, outside CI. */
bool print_is_live(const struct cli *cli);
/* Results on stdout. A broken pipe or a full disk at the other end is ERR_IO. */
int print_text(const char *text, size_t n, struct err *err);
/* The same of a command whose next run may say it again without having run. */
int print_result(struct cli *cli, const char *text, size_t n, struct err *err);
int print_json(const json_t *json, struct err *err);
/* Notes on stderr. */
void print_note(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An error as a user reads it: what, while what, what to do. */
void print_err(const struct err *err, bool colour);
/* The log that cli->log points to: notes and warnings as lines on stderr. */
void print_log(struct log *log, enum log_level level, const char *line);

#endif
