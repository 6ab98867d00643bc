/* Merging by time. */
#include "report/stamped.h"

#include <string.h>

#include "base/str.h"
#include "evidence/facts.h"

struct stream {
	struct str text;
	const struct times *times;
	size_t at; /* where its next line begins */
	int64_t us;
};

static bool is_over(const struct stream *s)
{
	return s->at >= s->text.n;
}

static void find_time(struct stream *s)
{
	if (!is_over(s))
		s->us = times_at(s->times, s->at);
}

static void put_line(struct stream *s, int64_t started_us, struct buf *ret)
{
	const char *from = s->text.p + s->at;
	const char *end = memchr(from, '\n', s->text.n - s->at);
	size_t n = end ? (size_t)(end - from) : s->text.n - s->at;
	int64_t us = started_us + s->us;
	char second[FACTS_TIME_SIZE];

	facts_time(us / 1000000, second);
	buf_fmt(ret, "%.*s.%03dZ ", (int)strcspn(second, "Z"), second, (int)(us % 1000000 / 1000));
	buf_add(ret, from, n);
	buf_add_char(ret, '\n');
	s->at += n + 1;
	find_time(s);
}

void stamped_lines(struct str out, const struct times *out_times, struct str log,
                   const struct times *log_times, int64_t started_us, struct buf *ret)
{
	struct stream a = { .text = out, .times = out_times };
	struct stream b = { .text = log, .times = log_times };

	find_time(&a);
	find_time(&b);
	while (!is_over(&a) || !is_over(&b)) {
		bool first = !is_over(&a) && (is_over(&b) || a.us <= b.us);

		put_line(first ? &a : &b, started_us, ret);
	}
}
