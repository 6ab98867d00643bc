/* Taking down, writing, reading. */
#include "model/times.h"

#include "base/alloc.h"

enum { PACE_US = 10000 };

static const char schema[] = "kiln.times/1";

/* Every second mark goes, and from now on they come half as often. */
static void thin_out(struct times *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->marks.n; i += 2)
		t->marks.v[n++] = t->marks.v[i];
	t->marks.n = n;
	t->pace_us *= 2;
}

void times_note(struct times *t, uint64_t at, int64_t us)
{
	if (!t->pace_us)
		t->pace_us = PACE_US;
	if (t->marks.n && us - t->marks.v[t->marks.n - 1].us < t->pace_us)
		return;
	if (t->marks.n == TIMES_MOST)
		thin_out(t);
	array_push(&t->marks, ((struct times_mark){ at, us }));
}

void times_deinit(struct times *t)
{
	array_deinit(&t->marks);
}

static json_t *marks_json(const struct times *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->marks.n; i++)
		json_array_append_new(list, json_pack("[I,I]", (json_int_t)t->marks.v[i].at,
		                                      (json_int_t)t->marks.v[i].us));
	return list;
}

json_t *times_json(const struct times *out, const struct times *log)
{
	return json_pack("{s:s,s:o,s:o}", "schema", schema, "stdout", marks_json(out), "stderr",
	                 marks_json(log));
}

void times_write(const struct times *out, const struct times *log, struct buf *text)
{
	_cleanup_json_ json_t *json = times_json(out, log);

	json_write_canonical(json, text);
}

static int read_marks(const json_t *list, struct times *ret, struct err *err)
{
	json_int_t at, us;
	json_t *mark;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > TIMES_MOST)
		return err_set(err, ERR_IO, "times of lines are malformed");
	json_array_foreach (list, i, mark) {
		if (json_unpack(mark, "[I,I]", &at, &us) < 0 || at < 0 || us < 0)
			return err_set(err, ERR_IO, "times of lines are malformed");
		array_push(&ret->marks, ((struct times_mark){ (uint64_t)at, us }));
	}
	return 0;
}

int times_read(struct str text, struct times *ret_out, struct times *ret_log, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	struct err ignored = ERR_INIT;

	if (json_parse(text.p, text.n, "times of lines", &json, &ignored) < 0)
		return err_set(err, ERR_IO, "times of lines are malformed");
	if (read_marks(json_object_get(json, "stdout"), ret_out, err) == 0 &&
	    read_marks(json_object_get(json, "stderr"), ret_log, err) == 0)
		return 0;
	times_deinit(ret_out);
	times_deinit(ret_log);
	return -1;
}

int64_t times_at(const struct times *t, uint64_t at)
{
	size_t from = 0, to = t->marks.n;

	while (from < to) {
		size_t middle = (from + to) / 2;

		if (t->marks.v[middle].at <= at)
			from = middle + 1;
		else
			to = middle;
	}
	return from ? t->marks.v[from - 1].us : 0;
}
