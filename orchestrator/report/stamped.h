#ifndef KILN_REPORT_STAMPED_H
#define KILN_REPORT_STAMPED_H

#include "base/buf.h"
#include "model/times.h"

/*
 * Lines of two streams in the order in which they came, each behind its time in UTC, with milliseconds, and
 * a blank: "2026-01-31T12:00:00.123Z text". Of two that came at once the first stream's goes first. A last
 * line without its end gets one.
 */
void stamped_lines(struct str out, const struct times *out_times, struct str log,
                   const struct times *log_times, int64_t started_us, struct buf *ret);

#endif
