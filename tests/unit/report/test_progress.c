/* Progress: plain lines, the board on small and large terminals, JSON lines. */
#include "fakes/fixture.h"

#include "base/str.h"
#include "report/progress.h"

/* Takes what would go to the terminal, and where each write begins. */
struct taken {
	struct progress_output output;
	struct buf text;
	size_t writes[1000], n_writes; /* one more stands behind the last */
};

static void take(struct progress_output *output, const char *text, size_t n)
{
	struct taken *t = (struct taken *)output;

	assert_true(t->n_writes + 1 < ARRAY_LEN(t->writes));
	buf_add(&t->text, text, n);
	t->writes[++t->n_writes] = t->text.n;
}

struct scene {
	struct fixture f;
	struct taken taken;
	struct progress *progress;
	struct event counts;
};

static void scene_init(struct scene *s, const char *shape)
{
	fixture_init(&s->f);
	s->taken = (struct taken){ .output = { .write = take }, .text = BUF_INIT(64 << 20) };
	s->progress = progress_new(shape, &s->taken.output);
	s->counts = (struct event){ .left_us = -1 };
}

static void scene_deinit(struct scene *s)
{
	progress_free(s->progress);
	buf_deinit(&s->taken.text);
	fixture_deinit(&s->f);
}

static void tell(struct scene *s, enum event_kind kind, const char *address, struct event event)
{
	event.kind = kind;
	event.plan = s->f.plan;
	event.node = address ? &s->f.plan->nodes[fixture_node(&s->f, address)] : NULL;
	event.n_done = s->counts.n_done;
	event.n_left = s->counts.n_left;
	event.n_running = s->counts.n_running;
	event.n_failed = s->counts.n_failed;
	event.n_cached = s->counts.n_cached;
	if (!event.left_us)
		event.left_us = -1;
	progress_sink(s->progress)->event(progress_sink(s->progress), &event);
}

#define EVENT(s, kind, address, ...) tell(s, kind, address, (struct event){ __VA_ARGS__ })

/* ---- durations ---------------------------------------------------------------------------- */

static void durations(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} cases[] = {
		{ 0, "0.00 s" },          { -5, "0.00 s" },        { 420000, "0.42 s" },
		{ 9949999, "9.95 s" },    { 9950000, "9.9 s" },    { 12340000, "12.3 s" },
		{ 99999999, "100.0 s" },  { 100000000, "1m40s" },  { 134000000, "2m14s" },
		{ 3599999999, "59m59s" }, { 3600000000, "1h00m" }, { 3725000000, "1h02m" },
		{ INT64_MAX, NULL },
	};
	char text[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		progress_duration(cases[i].us, text);
		assert_true(strlen(text) < sizeof(text));
		if (cases[i].text)
			assert_string_equal(text, cases[i].text);
	}
}

/* ---- plain lines -------------------------------------------------------------------------- */

static void plain_lines(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "plain");
	fixture_pipeline(&s.f);
	fixture_must_plan(&s.f);
	EVENT(&s, EVENT_BEGIN, NULL, 0);
	EVENT(&s, EVENT_START, "t/plain/build", 0);
	EVENT(&s, EVENT_TICK, NULL, 0);
	EVENT(&s, EVENT_DONE, "t/plain/build", .wall_us = 1500000);
	EVENT(&s, EVENT_CACHED, "t/shared/counted", .wall_us = 1);
	EVENT(&s, EVENT_SKIPPED, "t/shared/train", 0);
	EVENT(&s, EVENT_END, NULL, 0);
	assert_string_equal(buf_text(&s.taken.text), "  start   t/plain/build\n"
	                                             "  done    t/plain/build   1.50 s\n"
	                                             "  cached  t/shared/counted\n"
	                                             "  skipped t/shared/train\n");
	scene_deinit(&s);
}

static void plain_failure(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "plain");
	fixture_load_parts(&s.f,
	                   "[{'address':'t/plain/b','target':'t','variant':'plain','name':'b',"
	                   "'kind':'run','where':'demo.lua:5','options':{'argv':['cc','a b','',"
	                   "'it\\u0027s','$x'],'outputs':[]}}]",
	                   "");
	fixture_must_plan(&s.f);
	s.f.plan->nodes[0].lowered.advice = "this or that";
	EVENT(&s, EVENT_FAILED, "t/plain/b", .wall_us = 2000000, .why = "exit\x9b 2\xe2\x80\xae",
	      .tail = "one\n\x1b]0;title\x07\ttwo\x7f é\nlast", .exit_code = 2);
	assert_string_equal(buf_text(&s.taken.text),
	                    "  failed  t/plain/b   exit\\x9b 2\\xe2\\x80\\xae after 2.00 s\n"
	                    "\n"
	                    "    command  cc 'a b' '' 'it'\\''s' '$x'\n"
	                    "    one\n"
	                    "    \\x1b]0;title\\x07\ttwo\\x7f é\n"
	                    "    last\n"
	                    "\n"
	                    "    log      kiln log t/plain/b\n"
	                    "    recipe   demo.lua:5\n"
	                    "    try      this or that\n");
	scene_deinit(&s);
}

static void plain_failure_elsewhere(void **state)
{
	static const char *const again[] = { "-C", "a b", "my.lua", NULL };
	char line[1200] = { 0 };
	struct scene s;

	(void)state;
	scene_init(&s, "plain");
	s.taken.output.again = again;
	fixture_pipeline(&s.f);
	fixture_must_plan(&s.f);
	/* The thousandth byte lies in the middle of a character. */
	memset(line, 'x', 999);
	strcpy(line + 999, "éé");
	EVENT(&s, EVENT_FAILED, "t/shared/merge", .why = "exit status 1", .tail = line);
	assert_contains(buf_text(&s.taken.text), "  kiln log -C 'a b' my.lua t/shared/merge\n");
	assert_contains(buf_text(&s.taken.text), "xxx…\n");
	scene_deinit(&s);
}

static void plain_failure_of_a_script(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "plain");
	s.taken.output.colour = true;
	fixture_pipeline(&s.f);
	fixture_must_plan(&s.f);
	EVENT(&s, EVENT_FAILED, "t/shared/merge", .why = "exit status 1");
	assert_contains(buf_text(&s.taken.text), "  \033[31mfailed\033[0m  t/shared/merge   ");
	assert_contains(buf_text(&s.taken.text), "    command  /bin/sh -euc '…' sh profdata 1 ");
	EVENT(&s, EVENT_FAILED, "t/pgo+bolt/tar", .why = "x", .tail = "");
	assert_contains(buf_text(&s.taken.text), "    command  kiln:tar@1\n\n    log ");
	scene_deinit(&s);
}

/* ---- the board ---------------------------------------------------------------------------- */

/* The width of a line on a terminal: characters, without colours. */
static size_t cells_of(struct str line)
{
	size_t n = 0;

	for (size_t i = 0; i < line.n; i++) {
		if (line.p[i] == '\033') {
			while (i < line.n && line.p[i] != 'm')
				i++;
			continue;
		}
		n += (line.p[i] & 0xc0) != 0x80;
	}
	return n;
}

/* Takes the cursor's way up from the front of a drawing: how many lines it goes. */
static size_t lines_up(const char **text)
{
	size_t n = 0;
	int used = 0;

	if (sscanf(*text, "\033[%zuA\r\033[J%n", &n, &used) == 1 && used > 0) {
		*text += used;
		return n;
	}
	return 0;
}

/* Every drawing fits the terminal and erases just the one before it. */
static void check_drawings(const struct scene *s, size_t columns, size_t rows)
{
	size_t drawn = 0;

	assert_true(s->taken.n_writes > 1);
	for (size_t i = 0; i < s->taken.n_writes; i++) {
		const char *text = buf_text(&s->taken.text) + s->taken.writes[i];
		const char *end = buf_text(&s->taken.text) + s->taken.writes[i + 1];

		assert_int_equal(lines_up(&text), drawn);
		for (drawn = 0; text < end; drawn++) {
			const char *newline = strchr(text, '\n');

			assert_true(newline && newline < end);
			assert_true(cells_of((struct str){ text, (size_t)(newline - text) }) <=
			            columns);
			text = newline + 1;
		}
		assert_true(drawn < rows);
	}
	assert_int_equal(drawn, 0); /* nothing is left behind */
}

static void load_targets(struct scene *s, int n)
{
	struct buf text = BUF_INIT(1 << 20);

	buf_add_str(&text, "{'schema':'kiln.recipe/1','name':'d','leaves':{},'targets':[");
	for (int i = 0; i < n; i++)
		buf_fmt(&text,
		        "%s{'triple':'target-%02d-of-a-long-name','toolchain':'c','image':"
		        "'trixie','variants':['plain'],'ship':'plain'}",
		        i ? "," : "", i);
	buf_add_str(&text, "],'stages':[");
	for (int i = 0; i < n * 2; i++)
		buf_fmt(&text,
		        "%s{'address':'target-%02d-of-a-long-name/plain/s%d','target':"
		        "'target-%02d-of-a-long-name','variant':'plain','name':'s%d','kind':"
		        "'run','where':'d:1','options':{'argv':['a'],'outputs':['o']}}",
		        i ? "," : "", i / 2, i % 2, i / 2, i % 2);
	buf_add_str(&text, "]}");
	fixture_load(&s->f, buf_text(&text));
	buf_deinit(&text);
	must(fixture_plan(&s->f,
	                  &(struct plan_request){ .until = (const char *const[]){ "**", NULL } }),
	     &s->f.err);
	s->counts.n_left = s->f.plan->n_wanted;
}

static void play(struct scene *s)
{
	EVENT(s, EVENT_BEGIN, NULL, .left_us = 4000000000);
	for (size_t i = 0; i < s->f.plan->n_wanted; i++) {
		const char *address = s->f.plan->nodes[i].stage->address;

		s->counts.n_running++;
		EVENT(s, EVENT_START, address, 0);
		EVENT(s, EVENT_TICK, NULL, .left_us = 4000000000);
		s->counts.n_running--;
		s->counts.n_left--;
		if (i % 7 == 3) {
			s->counts.n_failed++;
			EVENT(s, EVENT_SKIPPED, address, 0);
		} else {
			s->counts.n_done++;
			EVENT(s, EVENT_DONE, address, .wall_us = 1000);
		}
	}
	EVENT(s, EVENT_END, NULL, 0);
}

static void boards_fit_their_terminal(void **state)
{
	static const struct {
		int columns, rows, targets;
		bool colour;
	} cases[] = {
		{ 80, 24, 2, false }, { 80, 24, 60, false }, { 20, 60, 60, false },
		{ 20, 60, 2, true },  { 200, 60, 60, true }, { 0, 0, 60, false },
		{ 1, 1, 3, false },   { 10, 5, 3, true },    { 40, 7, 10, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s;

		scene_init(&s, "tty");
		s.taken.output.columns = cases[i].columns;
		s.taken.output.rows = cases[i].rows;
		s.taken.output.colour = cases[i].colour;
		load_targets(&s, cases[i].targets);
		play(&s);
		check_drawings(&s, cases[i].columns ? (size_t)cases[i].columns : 80,
		               cases[i].rows > 6 ? (size_t)cases[i].rows :
		               cases[i].rows     ? 6 :
		                                   24);
		scene_deinit(&s);
	}
}

/* The drawing of the last event, without what erases the one before it. */
static const char *last_drawing(const struct scene *s)
{
	const char *text = buf_text(&s->taken.text) + s->taken.writes[s->taken.n_writes - 1];

	lines_up(&text);
	return text;
}

static void a_board_at_80_columns(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "tty");
	s.taken.output.columns = 80;
	s.taken.output.rows = 24;
	load_targets(&s, 2);
	EVENT(&s, EVENT_BEGIN, NULL, .left_us = 90000000);
	assert_string_equal(last_drawing(&s),
	                    "  target-00-of-a-long-name  ····················  waiting\n"
	                    "  target-01-of-a-long-name  ····················  waiting\n"
	                    "\n  0 done · 0 cached · 0 running · 4 to go · about 90.0 s\n");
	s.counts.n_running = 1;
	EVENT(&s, EVENT_START, "target-00-of-a-long-name/plain/s0", 0);
	assert_contains(last_drawing(&s), "····  plain/s0  0.0");
	assert_contains(last_drawing(&s), "1 running · 3 to go\n");
	s.counts = (struct event){ .n_done = 1, .n_left = 3 };
	EVENT(&s, EVENT_DONE, "target-00-of-a-long-name/plain/s0", .wall_us = 1);
	assert_contains(last_drawing(&s), "name  ██████████··········  waiting\n");
	s.counts = (struct event){ .n_done = 1, .n_cached = 1, .n_left = 2 };
	EVENT(&s, EVENT_CACHED, "target-00-of-a-long-name/plain/s1", 0);
	assert_contains(last_drawing(&s), "name  ████████████████████  done\n");
	s.counts = (struct event){ .n_done = 1, .n_cached = 1, .n_failed = 1, .n_left = 1 };
	EVENT(&s, EVENT_FAILED, "target-01-of-a-long-name/plain/s0", .why = "exit status 1");
	/* The failure stands above the board, and stays there when that is drawn again. */
	assert_true(str_starts(last_drawing(&s), "  failed  target-01-of-a-long-name/plain/s0   "));
	assert_contains(last_drawing(&s), "··········  failed\n");
	assert_contains(last_drawing(&s), " · 1 failed\n");
	s.counts.n_left = 0;
	EVENT(&s, EVENT_SKIPPED, "target-01-of-a-long-name/plain/s1", 0);
	EVENT(&s, EVENT_END, NULL, 0);
	assert_string_equal(last_drawing(&s), "");
	scene_deinit(&s);
}

/* Two at once: when the newer one ends, the row shows the older one that still runs. */
static void rows_show_what_runs(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "tty");
	s.taken.output.columns = 80;
	s.taken.output.rows = 24;
	load_targets(&s, 1);
	EVENT(&s, EVENT_BEGIN, NULL, 0);
	s.counts.n_running = 2;
	EVENT(&s, EVENT_START, "target-00-of-a-long-name/plain/s0", 0);
	EVENT(&s, EVENT_START, "target-00-of-a-long-name/plain/s1", 0);
	assert_contains(last_drawing(&s), "plain/s1");
	s.counts = (struct event){ .n_running = 1, .n_left = 1 };
	EVENT(&s, EVENT_DONE, "target-00-of-a-long-name/plain/s1", 0);
	assert_contains(last_drawing(&s), "plain/s0");
	s.counts = (struct event){ 0 };
	EVENT(&s, EVENT_SKIPPED, "target-00-of-a-long-name/plain/s0", 0);
	assert_contains(last_drawing(&s), "  skipped\n");
	scene_deinit(&s);
}

/* More targets than rows: what runs is shown, and how many are not. */
static void running_rows_come_first(void **state)
{
	struct scene s;

	(void)state;
	scene_init(&s, "tty");
	s.taken.output.columns = 80;
	s.taken.output.rows = 10;
	load_targets(&s, 60);
	EVENT(&s, EVENT_BEGIN, NULL, 0);
	assert_contains(last_drawing(&s), "target-04");
	assert_contains(last_drawing(&s), "  … and 55 more\n");
	s.counts.n_running = 1;
	EVENT(&s, EVENT_START, "target-59-of-a-long-name/plain/s0", 0);
	assert_contains(last_drawing(&s), "target-59");
	assert_null(strstr(last_drawing(&s), "target-04"));
	scene_deinit(&s);
}

/* ---- JSON lines --------------------------------------------------------------------------- */

static void json_lines_parse(void **state)
{
	struct scene s;
	struct str rest, line;
	size_t n = 0;

	(void)state;
	scene_init(&s, "json");
	fixture_pipeline(&s.f);
	fixture_must_plan(&s.f);
	s.counts = (struct event){ .n_left = 3, .n_cached = 4 };
	EVENT(&s, EVENT_BEGIN, NULL, 0);
	EVENT(&s, EVENT_TICK, NULL, 0);
	EVENT(&s, EVENT_START, "t/plain/build", .action = fixture_digest("x"));
	EVENT(&s, EVENT_FAILED, "t/plain/build", .exit_code = 3, .why = "exit \"status\"\n3",
	      .wall_us = 17);
	EVENT(&s, EVENT_FAILED, "t/plain/build", .why = "not UTF-8: \xff");
	EVENT(&s, EVENT_END, NULL, 0);
	for (rest = buf_str(&s.taken.text); str_cut(&rest, '\n', &line) && line.n;) {
		static const char *const events[] = { "begin", "start", "failed", "failed", "end" };
		json_t *v = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, NULL);

		assert_non_null(v);
		assert_string_equal(json_str_or(v, "schema", ""), "kiln.events/1");
		assert_string_equal(json_str_or(v, "event", ""), events[n]);
		assert_int_equal(json_integer_value(json_object_get(v, "left")), 3);
		assert_int_equal(json_integer_value(json_object_get(v, "cached")), 4);
		assert_true(json_integer_value(json_object_get(v, "time_us")) > 0);
		if (n == 1)
			assert_int_equal(strlen(json_str_or(v, "action", "")), 64);
		if (n == 2) {
			assert_string_equal(json_str_or(v, "stage", ""), "t/plain/build");
			assert_string_equal(json_str_or(v, "why", ""), "exit \"status\"\n3");
			assert_int_equal(json_integer_value(json_object_get(v, "exit")), 3);
			assert_int_equal(json_integer_value(json_object_get(v, "wall_us")), 17);
		}
		if (n == 3)
			assert_contains(json_str_or(v, "why", ""), "not UTF-8: ");
		json_decref(v);
		n++;
	}
	assert_int_equal(n, 5);
	scene_deinit(&s);
}

/* ---- the contract --------------------------------------------------------------------------- */

static const char nasty[] = "a\x1b[2Jb\x9b"
			    "31mc\xff\n\xe2\x80\xae"
			    "d\r";

/* Every kind of event, with words that a stage may print. */
static void tell_everything(struct scene *s)
{
	EVENT(s, EVENT_BEGIN, NULL, 0);
	EVENT(s, EVENT_CACHED, "t/plain/build", .wall_us = 1);
	EVENT(s, EVENT_START, "t/shared/counted", 0);
	EVENT(s, EVENT_TICK, NULL, .left_us = 1000000);
	EVENT(s, EVENT_DONE, "t/shared/counted", .wall_us = 5);
	EVENT(s, EVENT_START, "t/shared/train", 0);
	EVENT(s, EVENT_FAILED, "t/shared/train", .why = nasty, .tail = nasty, .exit_code = 1);
	EVENT(s, EVENT_FAILED, "t/shared/train", .why = NULL, .tail = NULL);
	EVENT(s, EVENT_SKIPPED, "t/shared/merge", 0);
	EVENT(s, EVENT_CACHED, "t/pgo/build", .wall_us = 1);
	s->counts.n_done = 1;
	EVENT(s, EVENT_END, NULL, 0);
}

/* The bytes of a write without the board's own way of erasing itself and without colours. */
static void assert_moves_nothing(const char *shape, const char *text, size_t n)
{
	struct str rest = { text, n };

	if (str_eq(shape, "tty") && n > 2 && text[0] == '\033') {
		const char *erased = strstr(text, "\033[J");

		assert_non_null(erased);
		rest = (struct str){ erased + 3, n - (size_t)(erased + 3 - text) };
	}
	assert_true(str_is_utf8(rest));
	for (size_t i = 0; i < rest.n; i++)
		if ((unsigned char)rest.p[i] < 0x20 && rest.p[i] != '\n' && rest.p[i] != '\t')
			fail_msg("%s: the byte %#x reaches the terminal", shape, rest.p[i]);
	assert_null(memmem(rest.p, rest.n, "\xe2\x80\xae", 3));
}

static void every_shape_keeps_the_contract(void **state)
{
	(void)state;
	assert_null(progress_new("none", NULL));
	assert_null(progress_new("", NULL));
	for (const struct progress_shape *shape = progress_shapes; shape->name; shape++) {
		struct scene s;

		scene_init(&s, shape->name);
		fixture_pipeline(&s.f);
		fixture_must_plan(&s.f);
		tell_everything(&s);
		assert_true(s.taken.n_writes > 0);
		for (size_t i = 0; i < s.taken.n_writes; i++) {
			const char *from = buf_text(&s.taken.text) + s.taken.writes[i];
			size_t n = s.taken.writes[i + 1] - s.taken.writes[i];

			/* Whole lines, but for the erasing of a board that is followed by nothing. */
			if (n && !(str_eq(shape->name, "tty") && from[n - 1] == 'J'))
				assert_int_equal(from[n - 1], '\n');
			assert_moves_nothing(shape->name, from, n);
		}
		/* What was held back for a stage that runs is there at the end. */
		if (!str_eq(shape->name, "tty"))
			assert_contains(buf_text(&s.taken.text), "t/pgo/build");
		scene_deinit(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations),
		cmocka_unit_test(every_shape_keeps_the_contract),
		cmocka_unit_test(plain_lines),
		cmocka_unit_test(plain_failure),
		cmocka_unit_test(plain_failure_elsewhere),
		cmocka_unit_test(plain_failure_of_a_script),
		cmocka_unit_test(boards_fit_their_terminal),
		cmocka_unit_test(a_board_at_80_columns),
		cmocka_unit_test(rows_show_what_runs),
		cmocka_unit_test(running_rows_come_first),
		cmocka_unit_test(json_lines_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
