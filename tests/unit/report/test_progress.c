/* Progress: plain lines, the board on small and large terminals, JSON lines. */
#include "fakes/scene.h"

#include "base/str.h"
#include "report/progress.h"

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
	struct stage_lowered lowered;
	struct scene s;

	(void)state;
	scene_init(&s, "plain");
	fixture_load_parts(&s.f,
	                   "[{'address':'t/plain/b','target':'t','variant':'plain','name':'b',"
	                   "'kind':'run','where':'demo.lua:5','options':{'argv':['cc','a b','',"
	                   "'it\\u0027s','$x'],'outputs':[]}}]",
	                   "");
	fixture_must_plan(&s.f);
	lowered = *s.f.plan->nodes[0].lowered;
	lowered.advice = "this or that";
	s.f.plan->nodes[0].lowered = &lowered;
	EVENT(&s, EVENT_FAILED, "t/plain/b", .wall_us = 2000000, .why = "exit\x9b 2\xe2\x80\xae",
	      .tail = "one\n\x1b]0;title\x07\ttwo\x7f é\nlast", .exit_code = 2);
	assert_string_equal(buf_text(&s.taken.text),
	                    "  failed  t/plain/b   exit\\x9b 2\\xe2\\x80\\xae after 2.00 s\n"
	                    "\n"
	                    "    command  cc 'a b' '' 'it'\\''s' '$x'\n"
	                    "      one\n"
	                    "      \\x1b]0;title\\x07\ttwo\\x7f é\n"
	                    "      last\n"
	                    "\n"
	                    "    log      kiln log t/plain/b\n"
	                    "    shell    kiln shell --failed t/plain/b\n"
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
	EVENT(&s, EVENT_FAILED, "t/shared/merge", .wall_us = 2000000,
	      .why = "the server does not listen on port 8080 after 2 s");
	assert_contains(buf_text(&s.taken.text),
	                "t/shared/merge   after 2.00 s: the server does not listen on port 8080 "
	                "after 2 s\n");
	EVENT(&s, EVENT_FAILED, "t/pgo+bolt/tar", .why = "x", .tail = "");
	assert_contains(buf_text(&s.taken.text), "    command  kiln:tar@1\n\n    log ");
	/* There is nothing to look at where Kiln itself was at work, or nothing at all. */
	assert_null(strstr(buf_text(&s.taken.text), "shell --failed t/pgo+bolt/tar"));
	EVENT(&s, EVENT_FAILED, "t/plain/build", .why = "its input is missing", .exit_code = -1);
	assert_null(strstr(buf_text(&s.taken.text), "shell --failed t/plain/build"));
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

/* The bytes of a write without the board's own ways (test_board.c plays those) and colours. */
static void assert_moves_nothing(const char *shape, const char *text, size_t n)
{
	static const char *const own[] = { "\033[?25l", "\033[?25h", "\033[K",  "\033[J",
		                           "\r",        "\033[C",    "\033[1A", "\033[2A",
		                           "\033[3A",   "\033[4A",   "\033[5A", NULL };
	struct str rest = { text, n };

	assert_true(str_is_utf8(rest));
	assert_null(memmem(rest.p, rest.n, "\xe2\x80\xae", 3));
	for (size_t i = 0; i < rest.n; i++) {
		size_t own_n = 0;

		for (size_t k = 0; str_eq(shape, "tty") && own[k]; k++)
			if (strncmp(rest.p + i, own[k], strlen(own[k])) == 0)
				own_n = strlen(own[k]);
		if (own_n > 0)
			i += own_n - 1;
		else if ((unsigned char)rest.p[i] < 0x20 && rest.p[i] != '\n' && rest.p[i] != '\t')
			fail_msg("%s: the byte %#x reaches the terminal", shape, rest.p[i]);
	}
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

			/* Whole lines, but for the board, which stands where it is drawn. */
			if (n && !str_eq(shape->name, "tty"))
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
		cmocka_unit_test(json_lines_parse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
