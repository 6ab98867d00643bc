#ifndef KILN_MODEL_TIMES_H
#define KILN_MODEL_TIMES_H

#include <stdint.h>

#include "base/array.h"
#include "base/buf.h"
#include "external/json.h"

/*
 * When what a stage printed came: marks of both streams, kept beside the streams as a blob of its result. It
 * is taken down as it passes, a hundredth of a second exact, and less so of a stage that prints for very
 * long: there are never more than TIMES_MOST marks.
 */
enum { TIMES_MOST = 4096 };

struct times_mark {
	uint64_t at; /* bytes of the stream before it */
	int64_t us;  /* since the stage was started */
};

struct times {
	ARRAY(struct times_mark) marks; /* in order */
	int64_t pace_us;                /* between two marks at least */
};

/* Behind `at` bytes more came at that time. */
void times_note(struct times *times, uint64_t at, int64_t us);
void times_deinit(struct times *times);

/* {"schema":"kiln.times/1","stdout":[[AT,US],…],"stderr":[…]}; a new reference, or as text. */
json_t *times_json(const struct times *out, const struct times *log);
void times_write(const struct times *out, const struct times *log, struct buf *text);
/* ERR_IO: it is none. */
int times_read(struct str text, struct times *ret_out, struct times *ret_log, struct err *err);
/* When what stands behind `at` bytes came; 0 where that is not known. */
int64_t times_at(const struct times *times, uint64_t at);

#endif
