/* Downloads from a server that does everything wrong, once at a time. */
#include "external/http.h"

#include "external/crypto.h"
#include "fakes/http_server.h"
#include "unit/support.h"

enum { SIZE = 300000 };

static char *file_text(void)
{
	char *text = alloc(SIZE + 1);

	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)('a' + (i * i / 7) % 26);
	return text;
}

struct outcome {
	int rc;
	struct err err;
	char *asked; /* what the server saw */
	char *got;   /* the file */
	size_t n;
};

static void outcome_deinit(struct outcome *outcome)
{
	free(outcome->asked);
	free(outcome->got);
}

/* Fetches by a script; `digest` NULL: the file's own. */
static struct outcome fetch(const enum http_answer *script, size_t steps,
                            struct http_request request, const struct digest *digest)
{
	struct outcome outcome = { .err = ERR_INIT };
	struct http_server server;
	char *text = file_text();
	FILE *file = tmpfile();

	http_server_start(&server, text, SIZE, script, steps);
	request.url = server.url;
	request.pause_ms = 1;
	if (digest)
		request.sha256 = *digest;
	else
		digest_of(text, SIZE, &request.sha256);
	outcome.rc = http_fetch(&request, fileno(file), &outcome.err);
	outcome.asked = http_server_stop(&server);
	outcome.got = alloc(SIZE + 100);
	outcome.n = (size_t)pread(fileno(file), outcome.got, SIZE + 99, 0);
	if (outcome.rc == 0) {
		assert_int_equal(outcome.n, SIZE);
		assert_memory_equal(outcome.got, text, SIZE);
	}
	fclose(file);
	free(text);
	return outcome;
}

#define FETCH(request, digest, ...)                                                                \
	fetch((const enum http_answer[]){ __VA_ARGS__ },                                           \
	      sizeof((const enum http_answer[]){ __VA_ARGS__ }) / sizeof(enum http_answer),        \
	      request, digest)

static const struct http_request usual;

static void test_whole(void **state)
{
	struct outcome o = FETCH(usual, NULL, HTTP_WHOLE);

	(void)state;
	must(o.rc, &o.err);
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\n");
	outcome_deinit(&o);
}

static void test_resumes_where_the_line_broke(void **state)
{
	struct outcome o = FETCH(usual, NULL, HTTP_CUT, HTTP_CUT, HTTP_RANGES);

	(void)state;
	must(o.rc, &o.err);
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\nGET /file HTTP/1.1 150000\n"
	                             "GET /file HTTP/1.1 225000\n");
	outcome_deinit(&o);
}

static void test_begins_anew_without_ranges(void **state)
{
	struct outcome o = FETCH(usual, NULL, HTTP_CUT, HTTP_WHOLE);

	(void)state;
	must(o.rc, &o.err);
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\nGET /file HTTP/1.1 150000\n");
	outcome_deinit(&o);
}

static void test_begins_anew_when_the_range_is_refused(void **state)
{
	struct outcome o = FETCH(usual, NULL, HTTP_CUT, HTTP_UNSATISFIED, HTTP_UNSATISFIED);

	(void)state;
	must(o.rc, &o.err);
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\nGET /file HTTP/1.1 150000\n"
	                             "GET /file HTTP/1.1 -1\n");
	outcome_deinit(&o);
}

/* The rest came from another file: the whole is fetched once more. */
static void test_a_mixed_file_is_fetched_again(void **state)
{
	struct outcome o = FETCH(usual, NULL, HTTP_CUT, HTTP_CHANGED, HTTP_WHOLE);

	(void)state;
	must(o.rc, &o.err);
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\nGET /file HTTP/1.1 150000\n"
	                             "GET /file HTTP/1.1 -1\n");
	outcome_deinit(&o);
}

/* An answer that says itself that it is another part never gets into the file. */
static void test_a_part_from_elsewhere_is_not_taken(void **state)
{
	struct digest anything = { 0 };
	struct outcome o = FETCH(usual, &anything, HTTP_CUT, HTTP_ASTRAY, HTTP_WHOLE);

	(void)state;
	must(o.rc, &o.err);
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\nGET /file HTTP/1.1 150000\n"
	                             "GET /file HTTP/1.1 -1\n");
	outcome_deinit(&o);
}

/* Wrong, and cut each time: that is another file, not a mixed one. */
static void test_a_wrong_file_is_fetched_twice_at_most(void **state)
{
	struct digest other;
	struct outcome o;

	(void)state;
	digest_of("else", 4, &other);
	o = FETCH(usual, &other, HTTP_CUT, HTTP_RANGES, HTTP_CUT, HTTP_RANGES, HTTP_CUT,
	          HTTP_RANGES, HTTP_GONE);
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_INPUT);
	assert_contains(o.err.cause, "got sha256:");
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\nGET /file HTTP/1.1 150000\n"
	                             "GET /file HTTP/1.1 -1\nGET /file HTTP/1.1 150000\n");
	outcome_deinit(&o);
}

static void test_tries_again_what_may_pass(void **state)
{
	struct outcome o = FETCH(usual, NULL, HTTP_BUSY, HTTP_HANG_UP, HTTP_BUSY, HTTP_WHOLE);

	(void)state;
	must(o.rc, &o.err);
	outcome_deinit(&o);
}

static void test_gives_up(void **state)
{
	struct http_request three = { .tries = 3 };
	struct outcome o = FETCH(three, NULL, HTTP_BUSY);

	(void)state;
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_IO);
	assert_contains(o.err.cause, "answers with status 503");
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\nGET /file HTTP/1.1 -1\n"
	                             "GET /file HTTP/1.1 -1\n");
	outcome_deinit(&o);
}

static void test_404_at_once(void **state)
{
	struct outcome o = FETCH(usual, NULL, HTTP_GONE);

	(void)state;
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_INPUT);
	assert_contains(o.err.cause, "answers with status 404");
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\n");
	assert_int_equal(o.n, 0); /* the page did not get into the file */
	outcome_deinit(&o);
}

static void test_another_file(void **state)
{
	struct digest other;
	struct outcome o;

	(void)state;
	digest_of("else", 4, &other);
	o = FETCH(usual, &other, HTTP_WHOLE);
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_INPUT);
	assert_contains(o.err.cause, "pinned sha256:");
	assert_contains(o.err.cause, DIGEST_TEXT(&other));
	assert_contains(o.err.cause, "got sha256:");
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\n");
	outcome_deinit(&o);
}

static void test_too_large(void **state)
{
	struct http_request small = { .most = SIZE - 1 };
	struct outcome o = FETCH(small, NULL, HTTP_WHOLE);

	(void)state;
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_INPUT);
	assert_contains(o.err.cause, "larger than 299999 bytes");
	outcome_deinit(&o);
}

static void test_stall_is_an_end(void **state)
{
	struct http_request impatient = { .tries = 1, .stall_ms = 1000 };
	struct outcome o = FETCH(impatient, NULL, HTTP_STALL);

	(void)state;
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_IO);
	assert_contains(o.err.hint, "--offline");
	outcome_deinit(&o);
}

static void test_follows_but_not_anywhere(void **state)
{
	struct outcome o = FETCH(usual, NULL, HTTP_REDIRECT, HTTP_WHOLE);

	(void)state;
	must(o.rc, &o.err);
	assert_string_equal(o.asked, "GET /file HTTP/1.1 -1\nGET /moved HTTP/1.1 -1\n");
	outcome_deinit(&o);
	o = FETCH(usual, NULL, HTTP_TO_FILE);
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.n, 0);
	outcome_deinit(&o);
	o = FETCH(usual, NULL, HTTP_ELSEWHERE, HTTP_WHOLE);
	assert_int_equal(o.rc, -1);
	assert_int_equal(o.err.code, ERR_INPUT);
	assert_contains(o.err.cause, "leads to http://0.0.0.0:");
	assert_contains(o.err.cause, "/moved, which is no https address");
	/* Nothing is asked there. The server may or may not have noticed that it was connected to. */
	assert_int_equal(strncmp(o.asked, "GET /file HTTP/1.1 -1\n", 22), 0);
	assert_true(str_eq(o.asked + 22, "") || str_eq(o.asked + 22, " -1\n"));
	outcome_deinit(&o);
}

static void test_refuses_addresses(void **state)
{
	static const char *const bad[] = { "file:///etc/passwd",
		                           "http://example.org/x",
		                           "ftp://127.0.0.1/x",
		                           "http://127.0.0.1.example.org/x",
		                           "gopher://localhost/x",
		                           "not an address",
		                           "" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(http_check_url(bad[i], &err), -1);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, "is no https address");
	}
	for (size_t i = 0; i < 3; i++) {
		static const char *const good[] = { "https://example.org/x", "http://127.0.0.1:8/x",
			                            "http://[::1]/x" };
		struct err err = ERR_INIT;

		must(http_check_url(good[i], &err), &err);
	}
}

static void test_no_server(void **state)
{
	struct http_request request = { .url = "http://127.0.0.1:9/x", .tries = 2, .pause_ms = 1 };
	FILE *file = tmpfile();
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(http_fetch(&request, fileno(file), &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, "http://127.0.0.1:9/x");
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_resumes_where_the_line_broke),
		cmocka_unit_test(test_begins_anew_without_ranges),
		cmocka_unit_test(test_begins_anew_when_the_range_is_refused),
		cmocka_unit_test(test_a_mixed_file_is_fetched_again),
		cmocka_unit_test(test_a_part_from_elsewhere_is_not_taken),
		cmocka_unit_test(test_a_wrong_file_is_fetched_twice_at_most),
		cmocka_unit_test(test_tries_again_what_may_pass),
		cmocka_unit_test(test_gives_up),
		cmocka_unit_test(test_404_at_once),
		cmocka_unit_test(test_another_file),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_stall_is_an_end),
		cmocka_unit_test(test_follows_but_not_anywhere),
		cmocka_unit_test(test_refuses_addresses),
		cmocka_unit_test(test_no_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
