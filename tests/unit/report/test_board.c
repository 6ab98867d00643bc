/* The board, as a terminal shows it. */
#include "fakes/scene.h"
#include "fakes/terminal.h"

#include "report/board.h"
#include "report/failure.h"

enum { TARGETS_MOST = 60 };

static void load_targets(struct scene *s, int n)
{
	struct buf text = BUF_INIT(1 << 20);

	buf_add_str(&text, "{'schema':'kiln.recipe/1','name':'d','leaves':{},'targets':[");
	for (int i = 0; i < n; i++)
		buf_fmt(&text,
		        "%s{'triple':'target%02d-of-a-long-name','toolchain':'c','image':"
		        "'trixie','variants':['plain'],'ship':'plain'}",
		        i ? "," : "", i);
	buf_add_str(&text, "],'stages':[");
	for (int i = 0; i < n * 2; i++)
		buf_fmt(&text,
		        "%s{'address':'target%02d-of-a-long-name/plain/s%d','target':"
		        "'target%02d-of-a-long-name','variant':'plain','name':'s%d','kind':"
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

/* A board of so many targets on a terminal of that size, with a line that was there before. */
struct stage_set {
	struct scene s;
	struct terminal t;
	size_t seen; /* writes that reached the terminal */
};

static void set_init(struct stage_set *set, int columns, int rows, int targets)
{
	scene_init(&set->s, "tty");
	progress_free(set->s.progress);
	set->s.taken.output.columns = columns;
	set->s.taken.output.rows = rows;
	set->s.taken.output.utf8 = true;
	set->s.taken.output.rewraps = true;
	set->s.progress = progress_new("tty", &set->s.taken.output);
	load_targets(&set->s, targets);
	terminal_init(&set->t, columns, rows);
	terminal_write(&set->t, "$\n", 2);
	set->seen = 0;
}

static void set_deinit(struct stage_set *set)
{
	scene_deinit(&set->s);
	terminal_deinit(&set->t);
}

/* Brings what was written since to the terminal. */
static const char *look(struct stage_set *set)
{
	const struct taken *taken = &set->s.taken;

	for (; set->seen < taken->n_writes; set->seen++)
		terminal_write(&set->t, buf_text(&taken->text) + taken->writes[set->seen],
		               taken->writes[set->seen + 1] - taken->writes[set->seen]);
	return terminal_text(&set->t);
}

static const char *show(struct stage_set *set, enum event_kind kind, const char *address,
                        struct event event)
{
	scene_tell(&set->s, kind, address, event);
	return look(set);
}

#define SHOW(set, kind, address, ...) show(set, kind, address, (struct event){ __VA_ARGS__ })

/* ---- sizes -------------------------------------------------------------------------------- */

/* What was there before and what failed, and no line of a board. */
static void check_left(struct stage_set *set, const struct buf *failures)
{
	_cleanup_buf_ struct buf got = BUF_INIT(1 << 20), wanted = BUF_INIT(1 << 20);
	struct terminal t;

	buf_add(&got, set->t.gone.p, set->t.gone.n);
	buf_add_str(&got, terminal_text(&set->t));
	terminal_init(&t, set->t.columns, set->t.rows);
	terminal_write(&t, "$\n", 2);
	terminal_write(&t, buf_text(failures), failures->n);
	buf_add(&wanted, t.gone.p, t.gone.n);
	buf_add_str(&wanted, terminal_text(&t));
	buf_deinit(&t.gone);
	while (got.n > 0 && got.p[got.n - 1] == '\n')
		got.p[--got.n] = '\0';
	while (wanted.n > 0 && wanted.p[wanted.n - 1] == '\n')
		wanted.p[--wanted.n] = '\0';
	assert_string_equal(buf_text(&got), buf_text(&wanted));
	assert_false(set->t.hidden);
}

static void play(struct stage_set *set, struct buf *failures)
{
	struct scene *s = &set->s;

	SHOW(set, EVENT_BEGIN, NULL, .left_us = 4000000000);
	for (size_t i = 0; i < s->f.plan->n_wanted; i++) {
		struct event failed = { .kind = EVENT_FAILED,
			                .node = &s->f.plan->nodes[i],
			                .why = "exit status 1",
			                .tail = "one\ntwo" };
		const char *address = s->f.plan->nodes[i].stage->address;

		s->counts.n_running++;
		SHOW(set, EVENT_START, address, 0);
		assert_true(set->t.hidden);
		SHOW(set, EVENT_TICK, NULL, .left_us = 4000000000);
		s->counts.n_running--;
		s->counts.n_left--;
		if (i % 7 == 3) {
			s->counts.n_failed++;
			failure_add(failures, &failed, &s->taken.output);
			SHOW(set, EVENT_FAILED, address, .why = failed.why, .tail = failed.tail);
		} else {
			s->counts.n_done++;
			SHOW(set, EVENT_DONE, address, .wall_us = 1000);
		}
	}
	SHOW(set, EVENT_END, NULL, 0);
}

static void boards_fit_and_leave_nothing(void **state)
{
	static const struct {
		int columns, rows, targets;
		bool colour;
	} cases[] = {
		{ 80, 24, 1, false },   { 80, 24, 60, false }, { 20, 60, 60, false },
		{ 20, 60, 2, true },    { 200, 50, 1, true },  { 200, 50, 60, true },
		{ 200, 66, 60, false }, { 10, 5, 3, true },    { 40, 7, 10, false },
		{ 80, 3, 60, false },   { 80, 2, 60, false },  { 2, 24, 2, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_buf_ struct buf failures = BUF_INIT(1 << 20);
		struct stage_set set;

		set_init(&set, cases[i].columns, cases[i].rows, cases[i].targets);
		set.s.taken.output.colour = cases[i].colour;
		play(&set, &failures);
		check_left(&set, &failures);
		set_deinit(&set);
	}
}

/* One that begins in the first row: nothing of it scrolls out when it is taken away. */
static void a_board_at_the_top_leaves_nothing(void **state)
{
	_cleanup_buf_ struct buf failures = BUF_INIT(1 << 20);
	struct stage_set set;

	(void)state;
	set_init(&set, 80, 24, 1);
	terminal_write(&set.t, "\033[1A\033[K", 7);
	play(&set, &failures);
	assert_int_equal(set.t.gone.n, 0);
	assert_string_equal(look(&set), "\n");
	set_deinit(&set);
}

/* Sizes that no terminal has, or that nobody told. */
static void odd_sizes_are_survived(void **state)
{
	static const int sizes[][2] = { { 0, 0 }, { 1, 1 }, { 1, 24 }, { 80, 1 }, { 0, 3 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		_cleanup_buf_ struct buf failures = BUF_INIT(1 << 20);
		struct stage_set set;

		set_init(&set, 80, 24, 3);
		set.s.taken.output.columns = sizes[i][0];
		set.s.taken.output.rows = sizes[i][1];
		play(&set, &failures);
		assert_false(set.t.hidden);
		set_deinit(&set);
	}
}

static void lines_that_a_narrower_terminal_wraps_count(void **state)
{
	static const int cells[] = { 79, 80, 0, 40 };

	(void)state;
	assert_int_equal(drawing_rows(cells, 4, 80), 4);
	assert_int_equal(drawing_rows(cells, 4, 79), 5);
	assert_int_equal(drawing_rows(cells, 4, 40), 6);
	assert_int_equal(drawing_rows(cells, 4, 20), 4 + 4 + 1 + 2);
	assert_int_equal(drawing_rows(cells, 0, 20), 0);
}

/* ---- what it shows ------------------------------------------------------------------------ */

static void a_board_at_80_columns(void **state)
{
	static const char *const about[] = { "demo 1.0", "2 targets", NULL };
	struct stage_set set;

	(void)state;
	set_init(&set, 80, 24, 2);
	set.s.taken.output.about = about;
	SHOW(&set, EVENT_BEGIN, NULL, .left_us = 90000000);
	set.s.counts.n_running = 1;
	assert_string_equal(SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0),
	                    "$\n"
	                    "  demo 1.0 · 2 targets\n"
	                    "\n"
	                    "  target00-of-a-long-name  ··········  plain  s0 0:00\n"
	                    "  target01-of-a-long-name  ··········         waiting\n"
	                    "\n"
	                    "  0 done · 0 cached · 1 running · 3 to go · about 1:30\n"
	                    "  target00/plain/s0 ▸ a\n");
	set.s.counts = (struct event){ .n_done = 1, .n_left = 3 };
	assert_contains(SHOW(&set, EVENT_DONE, "target00-of-a-long-name/plain/s0", .wall_us = 1),
	                "name  █████·····         waiting\n");
	set.s.counts = (struct event){ .n_done = 1, .n_cached = 1, .n_left = 2 };
	assert_contains(SHOW(&set, EVENT_CACHED, "target00-of-a-long-name/plain/s1", 0),
	                "name  ██████████         done\n");
	set.s.counts = (struct event){ .n_done = 1, .n_cached = 1, .n_failed = 1, .n_left = 1 };
	SHOW(&set, EVENT_FAILED, "target01-of-a-long-name/plain/s0", .why = "exit status 1");
	/* The failure stands above the board, and stays there when that is drawn again. */
	assert_true(str_starts(look(&set), "$\n  ✗  target01-of-a-long-name/plain/s0   "));
	assert_contains(look(&set), "name  █████·····         failed\n");
	assert_contains(look(&set), " · 1 failed · about 1:30\n");
	/* So does what people should know. */
	SHOW(&set, EVENT_NOTE, "target01-of-a-long-name/plain/s1", .why = "it is so");
	assert_contains(look(&set), "\n  note    target01-of-a-long-name/plain/s1   it is so\n");
	assert_contains(look(&set), " · 1 failed · about 1:30\n");
	set_deinit(&set);
}

/* What the longest running stage printed last, from the moment on that one printed anything. */
static void the_last_line_of_what_runs_longest(void **state)
{
	struct engine_node nodes[4] = { 0 };
	struct engine_stint stints[4] = { 0 };
	struct stage_set set;
	const char *text;
	size_t s0, s1;

	(void)state;
	set_init(&set, 60, 24, 2);
	set.s.counts.nodes = nodes;
	s0 = fixture_node(&set.s.f, "target00-of-a-long-name/plain/s0");
	s1 = fixture_node(&set.s.f, "target01-of-a-long-name/plain/s0");
	nodes[s0].stint = &stints[s0];
	nodes[s1].stint = &stints[s1];
	SHOW(&set, EVENT_BEGIN, NULL, 0);
	SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0);
	SHOW(&set, EVENT_START, "target01-of-a-long-name/plain/s0", 0);
	assert_null(strstr(look(&set), "»"));
	stints[s1].said = "second";
	assert_contains(SHOW(&set, EVENT_TICK, NULL, 0), "▸ a\n  target01/plain/s0 » second\n");
	stints[s0].said = "first\033[2J, and so much more that no line of this width has it all";
	text = SHOW(&set, EVENT_TICK, NULL, 0);
	assert_contains(text, "  target00/plain/s0 » first [2J, and so much more that no l\n");
	assert_null(strstr(text, "second"));
	/* It stands until the next is told, and goes with its stage; the line keeps its place. */
	stints[s0].said = stints[s1].said = NULL;
	assert_contains(SHOW(&set, EVENT_DONE, "target00-of-a-long-name/plain/s0", 0),
	                "  target01/plain/s0 » second\n");
	SHOW(&set, EVENT_DONE, "target01-of-a-long-name/plain/s0", 0);
	assert_null(strstr(look(&set), "»"));
	SHOW(&set, EVENT_END, NULL, 0);
	assert_string_equal(look(&set), "$\n");
	set_deinit(&set);
}

/* The first to go where there is no room is not the count. */
static void a_low_terminal_has_no_last_line(void **state)
{
	static const struct {
		int rows;
		bool shown;
	} cases[] = { { 2, false }, { 4, false }, { 5, true }, { 9, true }, { 24, true } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct engine_stint stint = { .said = "here" };
		struct engine_node nodes[12] = { 0 };
		struct stage_set set;

		set_init(&set, 80, cases[i].rows, 6);
		set.s.counts.nodes = nodes;
		SHOW(&set, EVENT_BEGIN, NULL, 0);
		SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0);
		nodes[fixture_node(&set.s.f, "target00-of-a-long-name/plain/s0")].stint = &stint;
		SHOW(&set, EVENT_TICK, NULL, 0);
		assert_contains(look(&set), " 0 done ");
		assert_int_equal(strstr(look(&set), "» here") != NULL, cases[i].shown);
		SHOW(&set, EVENT_END, NULL, 0);
		assert_null(strstr(look(&set), " 0 done "));
		set_deinit(&set);
	}
}

static void a_board_in_ascii(void **state)
{
	struct stage_set set;
	const char *text;

	(void)state;
	set_init(&set, 80, 24, 2);
	set.s.taken.output.utf8 = false;
	set.s.progress = progress_free(set.s.progress);
	set.s.progress = progress_new("tty", &set.s.taken.output);
	SHOW(&set, EVENT_BEGIN, NULL, 0);
	set.s.counts.n_running = 1;
	text = SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0);
	assert_contains(text, "  ..........  plain  s0 0:00\n");
	assert_contains(text, "0 done, 0 cached, 1 running");
	for (const char *p = text; *p; p++)
		assert_true((unsigned char)*p < 0x80);
	set_deinit(&set);
}

/* Two at once: when the older one ends, the row shows the one that still runs. */
static void rows_show_what_runs(void **state)
{
	struct stage_set set;

	(void)state;
	set_init(&set, 80, 24, 1);
	SHOW(&set, EVENT_BEGIN, NULL, 0);
	set.s.counts.n_running = 2;
	SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0);
	assert_contains(SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s1", 0),
	                "plain  s0 0:00 +1\n");
	set.s.counts = (struct event){ .n_running = 1, .n_left = 1 };
	assert_contains(SHOW(&set, EVENT_DONE, "target00-of-a-long-name/plain/s0", 0),
	                "plain  s1 0:00\n");
	set.s.counts = (struct event){ 0 };
	assert_contains(SHOW(&set, EVENT_SKIPPED, "target00-of-a-long-name/plain/s1", 0),
	                "██████████         skipped\n");
	set_deinit(&set);
}

/* More targets than rows: what runs is shown, and how many are not. */
static void running_rows_come_first(void **state)
{
	struct stage_set set;
	const char *text;

	(void)state;
	set_init(&set, 80, 10, TARGETS_MOST);
	SHOW(&set, EVENT_BEGIN, NULL, 0);
	set.s.counts.n_running = 1;
	text = SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0);
	assert_contains(text, "target04");
	assert_null(strstr(text, "target05"));
	assert_contains(text, "  … and 55 more\n");
	text = SHOW(&set, EVENT_START, "target59-of-a-long-name/plain/s0", 0);
	assert_contains(text, "target59");
	assert_null(strstr(text, "target04"));
	set_deinit(&set);
}

/* ---- how it is drawn ---------------------------------------------------------------------- */

static const char *last_write(const struct stage_set *set)
{
	return buf_text(&set->s.taken.text) + set->s.taken.writes[set->s.taken.n_writes - 1];
}

/* Lines are written over: nothing is erased first, and what is the same is not written again. */
static void nothing_flickers(void **state)
{
	struct stage_set set;
	size_t n;

	(void)state;
	set_init(&set, 80, 24, 2);
	SHOW(&set, EVENT_BEGIN, NULL, 0);
	SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0);
	n = set.s.taken.n_writes;
	SHOW(&set, EVENT_TICK, NULL, 0);
	SHOW(&set, EVENT_TICK, NULL, 0);
	assert_int_equal(set.s.taken.n_writes, n);
	SHOW(&set, EVENT_DONE, "target00-of-a-long-name/plain/s0", 0);
	assert_int_equal(set.s.taken.n_writes, n + 1);
	assert_true(str_starts(last_write(&set), "\r\033["));
	assert_true(strstr(last_write(&set), "\033[J") > strstr(last_write(&set), "to go"));
	set_deinit(&set);
}

/* All of it found in the store is no reason for a board. */
static void what_is_cached_shows_nothing(void **state)
{
	struct stage_set set;

	(void)state;
	set_init(&set, 80, 24, 2);
	SHOW(&set, EVENT_BEGIN, NULL, 0);
	for (size_t i = 0; i < set.s.f.plan->n_wanted; i++)
		SHOW(&set, EVENT_CACHED, set.s.f.plan->nodes[i].stage->address, 0);
	SHOW(&set, EVENT_END, NULL, 0);
	assert_int_equal(set.s.taken.n_writes, 0);
	set_deinit(&set);
}

/* In the background nothing is drawn; what failed is said, and the board comes back. */
static void somebody_else_has_the_terminal(void **state)
{
	struct stage_set set;

	(void)state;
	set_init(&set, 80, 24, 2);
	SHOW(&set, EVENT_BEGIN, NULL, 0);
	SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0);
	set.s.taken.output.away = true;
	assert_string_equal(SHOW(&set, EVENT_TICK, NULL, 0), "$\n");
	assert_false(set.t.hidden);
	SHOW(&set, EVENT_FAILED, "target00-of-a-long-name/plain/s0", .why = "exit status 1");
	assert_contains(look(&set), "  ✗  target00");
	assert_null(strstr(look(&set), "to go"));
	set.s.taken.output.away = false;
	assert_contains(SHOW(&set, EVENT_TICK, NULL, 0), "to go");
	assert_true(set.t.hidden);
	assert_string_equal(SHOW(&set, EVENT_END, NULL, 0) + strlen(look(&set)) - 1, "\n");
	assert_null(strstr(look(&set), "to go"));
	assert_false(set.t.hidden);
	set_deinit(&set);
}

/* A run that ends before it could say so: the cursor is there again. */
static void a_board_that_is_dropped_takes_itself_away(void **state)
{
	struct stage_set set;

	(void)state;
	set_init(&set, 80, 24, 2);
	SHOW(&set, EVENT_BEGIN, NULL, 0);
	SHOW(&set, EVENT_START, "target00-of-a-long-name/plain/s0", 0);
	assert_true(set.t.hidden);
	set.s.progress = progress_free(set.s.progress);
	assert_string_equal(look(&set), "$\n");
	assert_false(set.t.hidden);
	set_deinit(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boards_fit_and_leave_nothing),
		cmocka_unit_test(a_board_at_the_top_leaves_nothing),
		cmocka_unit_test(odd_sizes_are_survived),
		cmocka_unit_test(lines_that_a_narrower_terminal_wraps_count),
		cmocka_unit_test(a_board_at_80_columns),
		cmocka_unit_test(the_last_line_of_what_runs_longest),
		cmocka_unit_test(a_low_terminal_has_no_last_line),
		cmocka_unit_test(a_board_in_ascii),
		cmocka_unit_test(rows_show_what_runs),
		cmocka_unit_test(running_rows_come_first),
		cmocka_unit_test(nothing_flickers),
		cmocka_unit_test(what_is_cached_shows_nothing),
		cmocka_unit_test(somebody_else_has_the_terminal),
		cmocka_unit_test(a_board_that_is_dropped_takes_itself_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
