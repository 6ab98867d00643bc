/* The last line of a stage: what is told of it, how often, and that nothing ever waits for it. */
#include "unit/support.h"

#include <fcntl.h>
#include <unistd.h>

#include "exec/said.h"
#include "exec/wire.h"
#include "fakes/lab.h"
#include "host/clock.h"

static void lines(void **state)
{
	static const struct {
		const char *text, *line;
	} cases[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "one\ntwo\n", "two" },
		{ "one\ntwo", "two" },
		{ "one\n \t\n\n", "one" },
		{ " 10%\r 20%\r", "20%" },
		{ "done\r\n", "done" },
		{ "\033[1;31mred\033[0m and \033]0;title\aplain\033[K\n", "red and plain" },
		{ "\033]8;;x\033\\link\n", "link" },
		{ "first\n\033[2J\033[H\n", "first" },
		{ "a\tb\x01\x7f\b c", "a b c" },
		{ "\xa9 rest of a character", "rest of a character" },
		{ "caf\xc3\xa9 \xff", "caf\xc3\xa9 \\xff" },
		{ "turned \xe2\x80\xae round", "turned \\xe2\\x80\\xae round" },
		{ "cut short \033[3", "cut short" },
		{ "cut short \033", "cut short" },
	};
	char line[SAID_MOST];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		said_line(str_of(cases[i].text), line);
		assert_string_equal(line, cases[i].line);
	}
}

static void long_lines_are_cut_between_characters(void **state)
{
	char text[3000], line[SAID_MOST];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	text[2998] = '\0';
	said_line(str_of(text), line);
	assert_true(strlen(line) < SAID_MOST && strlen(line) > SAID_MOST - 4);
	assert_true(str_is_utf8(str_of(line)));
}

static int file_with(const char *text)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

/* What is in the pipe now. */
static struct str came(int fd, char *bytes, size_t size)
{
	ssize_t n = read(fd, bytes, size);

	return (struct str){ bytes, n > 0 ? (size_t)n : 0 };
}

static void told_when_it_is_time_and_new(void **state)
{
	int file = file_with("one\ntwo\n"), ends[2];
	char bytes[4096];
	struct said said;
	struct str line = { 0 };

	(void)state;
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	said_init(&said, ends[1]);
	said_tell(&said);
	assert_int_equal(came(ends[0], bytes, sizeof(bytes)).n, 0);
	assert_int_equal(said_within(&said, -1), -1);
	said_more(&said, file);
	assert_true(said_within(&said, 10000) <= 1);
	said_tell(&said);
	assert_true(wire_take_said(came(ends[0], bytes, sizeof(bytes)), &line) > 0);
	assert_int_equal(line.n, 3);
	assert_memory_equal(line.p, "two", 3);
	/* More came, but not yet the time; then it is the same again. */
	said_more(&said, file);
	said_tell(&said);
	assert_true(said.file >= 0);
	assert_in_range(said_within(&said, -1), 1, 1000);
	said.next_us = 0;
	said_tell(&said);
	assert_int_equal(came(ends[0], bytes, sizeof(bytes)).n, 0);
	close(file);
	close(ends[0]);
	close(ends[1]);
}

static void a_full_pipe_is_not_waited_for(void **state)
{
	int file = file_with("one\n"), ends[2];
	struct said said;
	char block[4096] = { 0 };

	(void)state;
	assert_int_equal(pipe2(ends, 0), 0);
	said_init(&said, ends[1]);
	while (write(ends[1], block, sizeof(block)) > 0)
		;
	alarm(20);
	said_more(&said, file);
	said_tell(&said);
	alarm(0);
	assert_string_equal(said.last, "");
	assert_true(said.file < 0);
	/* The reply waits for its reader, as ever. */
	said_end(&said);
	assert_false(fcntl(ends[1], F_GETFL) & O_NONBLOCK);
	close(file);
	close(ends[0]);
	close(ends[1]);
}

/* Without anybody who asks nothing is done at all. */
static void nobody_asks(void **state)
{
	struct said said;

	(void)state;
	said_init(&said, -1);
	said_more(&said, 0);
	assert_true(said.file < 0);
	assert_int_equal(said_within(&said, 77), 77);
	said_tell(&said);
	said_end(&said);
}

/* ---- through a runner ---------------------------------------------------------------------- */

static struct executor *asking(struct lab *lab)
{
	struct executor_local_options options = { .server = lab->server,
		                                  .store_dir = lab->dir,
		                                  .images_dir = lab->images,
		                                  .runtime = lab->runtime,
		                                  .userns_fd = lab->userns_fd,
		                                  .slots = 2,
		                                  .said = true };
	struct executor *executor;
	struct err err = ERR_INIT;

	must(executor_local_new(&options, &executor, &err), &err);
	return executor;
}

static void said_while_it_runs(void **state)
{
	struct lab lab = **(struct lab **)state;
	struct action a = { .argv = LAB_LIST("sh", "-c",
		                             "echo one; printf '\\033[1mtwo\\n' >&2; sleep 1.2; "
		                             "echo three; sleep 1.2"),
		            .n_argv = 3 };
	const char *wanted[] = { "two", "three" };
	struct exec_completion c;
	struct err err = ERR_INIT;
	size_t n = 0;

	lab.executor = asking(&lab);
	lab_submit(&lab, &a, 0, 7);
	for (;;) {
		int rc = lab.executor->ops->wait(lab.executor, lab.arena, 50, &c, &err);
		const char *line;

		if (rc < 0)
			fail_msg("%s", err.cause);
		if (rc == 0)
			break;
		line = lab.executor->ops->said(lab.executor, 7);
		if (n < 2 && line && strcmp(line, wanted[n]) == 0)
			n++;
		assert_null(lab.executor->ops->said(lab.executor, 8));
	}
	assert_int_equal(n, 2);
	assert_int_equal(c.status, EXEC_OK);
	assert_string_equal(lab_text(&lab, &c.result.out), "one\nthree\n");
	assert_string_equal(lab_text(&lab, &c.result.log), "\033[1mtwo\n");
	assert_null(lab.executor->ops->said(lab.executor, 7));
	lab.executor->ops->free(lab.executor);
	lab_assert_no_work(&lab);
}

/* Who does not read in between holds up nobody, and gets the reply behind all that was said. */
static void nobody_reads_until_the_end(void **state)
{
	struct lab lab = **(struct lab **)state;
	struct action a = { .argv = LAB_LIST("sh", "-c",
		                             "for i in 1 2 3 4 5 6 7; do echo line $i; sleep 0.2; "
		                             "done"),
		            .n_argv = 3 };
	struct exec_completion c;

	lab.executor = asking(&lab);
	lab_submit(&lab, &a, 0, 7);
	usleep(2500000);
	lab_wait(&lab, &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_contains(lab_text(&lab, &c.result.out), "line 7\n");
	lab.executor->ops->free(lab.executor);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(long_lines_are_cut_between_characters),
		cmocka_unit_test(told_when_it_is_time_and_new),
		cmocka_unit_test(a_full_pipe_is_not_waited_for),
		cmocka_unit_test(nobody_asks),
		cmocka_unit_test(said_while_it_runs),
		cmocka_unit_test(nobody_reads_until_the_end),
	};

	return cmocka_run_group_tests_name("exec/said", tests, lab_setup, lab_teardown);
}

int main(void)
{
	return lab_main(run);
}
