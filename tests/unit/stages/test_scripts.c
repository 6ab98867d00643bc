/* The small shell scripts that some kinds lower to, run for real with tools that are scripts, and with
 * this program itself as a server. */
#include "fakes/fixture.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/str.h"
#include "stages/stage.h"

struct place {
	char *dir;
	int fd;
	struct arena *arena;
};

static void place_init(struct place *place)
{
	*place = (struct place){ .dir = test_folder(), .arena = arena_new() };
	place->fd = test_open_dir(place->dir);
}

static void place_deinit(struct place *place)
{
	close(place->fd);
	test_folder_remove(place->dir);
	arena_free(place->arena);
}

/* The text with each "/build/" made the test's folder. */
static char *moved(struct place *place, const char *text)
{
	struct buf out = BUF_INIT(1 << 20);
	const char *hit;
	char *copy;

	for (; (hit = strstr(text, "/build/")); text = hit + strlen("/build")) {
		buf_add(&out, text, (size_t)(hit - text));
		buf_add_str(&out, place->dir);
	}
	buf_add_str(&out, text);
	copy = arena_str(place->arena, buf_text(&out));
	buf_deinit(&out);
	return copy;
}

/* Lowers a stage, and lays out the small files that it brings along. */
static char **command_of(struct place *place, const char *kind, const char *text)
{
	json_t *options = fixture_json(text);
	const struct stage stage = { .address = "t/v/s",
		                     .target = "t",
		                     .variant = "v",
		                     .name = "s",
		                     .kind = kind,
		                     .where = "r.lua:1",
		                     .options = options };
	struct stage_lowered lowered;
	struct err err = ERR_INIT;
	char **argv;

	must(stage_lower(&stage, place->arena, &lowered, &err), &err);
	argv = arena_array(place->arena, lowered.action.n_argv + 1, sizeof(*argv));
	for (size_t i = 0; i < lowered.action.n_argv; i++)
		argv[i] = moved(place, lowered.action.argv[i]);
	for (size_t i = 0; i < lowered.n_inputs; i++)
		if (lowered.inputs[i].from.kind == REF_SCRIPT)
			test_write(place->fd, lowered.inputs[i].at, lowered.inputs[i].from.id,
			           0755);
	json_decref(options);
	return argv;
}

/* Runs it in the folder, output to "stdout" and "stderr"; returns its exit code. */
static int run(struct place *place, char **argv)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		int out = openat(place->fd, "stdout", O_WRONLY | O_CREAT | O_TRUNC, 0644);
		int log = openat(place->fd, "stderr", O_WRONLY | O_CREAT | O_TRUNC, 0644);

		if (fchdir(place->fd) < 0 || dup2(out, 1) < 0 || dup2(log, 2) < 0)
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_file(struct place *place, const char *path, const char *expected)
{
	char *text = test_read(place->fd, path);

	assert_string_equal(text, expected);
	free(text);
}

static void assert_log(struct place *place, const char *part)
{
	char *text = test_read(place->fd, "stderr");

	assert_contains(text, part);
	free(text);
}

/* ---- llvm-profdata ------------------------------------------------------------------------ */

/* A profdata that writes its arguments as the profile and prints counts out of a file. */
static const char fake_profdata[] =
	"#!/bin/sh\n"
	"case $1 in\n"
	"merge) shift; test \"$1 $2 $3\" = '--failure-mode=any -o merged.profdata' || exit 9\n"
	"  shift 3; echo \"$@\" >merged.profdata ;;\n"
	"show) cat counts ;;\n"
	"esac\n";

static char **profdata_command(struct place *place)
{
	test_write(place->fd, "profdata", fake_profdata, 0755);
	return command_of(place, "profdata-merge",
	                  "{'profiles':[{'from':{'$stage':'a','path':'prof'}},"
	                  "{'from':{'$stage':'b','path':'prof'},'weight':3}],"
	                  "'tool':'./profdata','functions':5}");
}

static void profdata_merges(void **state)
{
	struct place place;
	char **argv;

	(void)state;
	place_init(&place);
	argv = profdata_command(&place);
	test_write(place.fd, "counts",
	           "Total functions: 5\nMaximum function count: 10\nMaximum internal: 2\n", 0644);
	assert_int_equal(run(&place, argv), 0);
	assert_file(&place, "merged.profdata",
	            "--weighted-input=1,prof/0 --weighted-input=3,prof/1\n");
	assert_file(&place, "stderr", "");
	place_deinit(&place);
}

/* What llvm-profdata says of empty input is no failure of it, but it is one of the release. */
static void profdata_refuses_too_little(void **state)
{
	static const struct {
		const char *counts, *says;
	} cases[] = {
		{ "Total functions: 4\nMaximum function count: 10\n",
		  "covers 4 functions, fewer than 5" },
		{ "Total functions: 0\nMaximum function count: 0\n", "covers 0 functions" },
		{ "", "covers 0 functions" },
		{ "Total functions: 50\nMaximum function count: 0\n", "counts no call at all" },
		{ "Total functions: 50\n", "counts no call at all" },
	};
	struct place place;
	char **argv;

	(void)state;
	place_init(&place);
	argv = profdata_command(&place);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		test_write(place.fd, "counts", cases[i].counts, 0644);
		assert_int_equal(run(&place, argv), 1);
		assert_log(&place, cases[i].says);
	}
	test_write(place.fd, "profdata", "#!/bin/sh\nexit 7\n", 0755);
	assert_int_equal(run(&place, argv), 7);
	place_deinit(&place);
}

/* ---- merge-fdata -------------------------------------------------------------------------- */

static char **fdata_command(struct place *place)
{
	test_write(place->fd, "merge", "#!/bin/sh\ncat \"$@\"\n", 0755);
	return command_of(place, "fdata-merge",
	                  "{'profiles':[{'from':{'$stage':'a','path':'prof'}},"
	                  "{'from':{'$stage':'b','path':'prof'}}],'tool':'./merge'}");
}

/* The same runs give the same bytes, whatever the process ids were. */
static void fdata_is_sorted(void **state)
{
	struct place place;
	char **argv;

	(void)state;
	place_init(&place);
	argv = fdata_command(&place);
	test_write(place.fd, "prof/0/p.12.fdata", "1 main 3\n1 b 1\n", 0644);
	test_write(place.fd, "prof/1/p.7.fdata", "1 B 9\n1 a 2\n", 0644);
	test_write(place.fd, "prof/1/other", "not a profile\n", 0644);
	assert_int_equal(run(&place, argv), 0);
	assert_file(&place, "merged.fdata", "1 B 9\n1 a 2\n1 b 1\n1 main 3\n");
	place_deinit(&place);
}

/* Counts are multiplied, and nothing else of a line; a run of weight 1 stays as it is. */
static void fdata_is_weighted(void **state)
{
	struct place place;
	char **argv;

	(void)state;
	place_init(&place);
	test_write(place.fd, "merge", "#!/bin/sh\ncat \"$@\"\n", 0755);
	argv = command_of(&place, "fdata-merge",
	                  "{'profiles':[{'from':{'$stage':'a','path':'prof'},'weight':1},"
	                  "{'from':{'$stage':'b','path':'prof'},'weight':30},"
	                  "{'from':{'$stage':'c','path':'prof'},'weight':2}],'tool':'./merge'}");
	test_write(place.fd, "prof/0/p.12.fdata", "1 main 3fb 1 f\\ g 12 4 221\n", 0644);
	test_write(place.fd, "prof/1/p.7.fdata",
	           "boltedcollection\n1 main 10 1 f\\ g 12 0 221\n1 a 3 1 b 9 2 4000000000\n"
	           "4 a 10 4 heap  5 7\n",
	           0644);
	test_write(place.fd, "prof/1/p.8.fdata", "1 c 3 1 d 10 1 1\n", 0644);
	test_write(place.fd, "prof/2/p.1.fdata", "no_lbr cycles:u\n1 main 10 3\n", 0644);
	assert_int_equal(run(&place, argv), 0);
	assert_file(&place, "merged.fdata",
	            "1 a 3 1 b 9 60 120000000000\n1 c 3 1 d 10 30 30\n1 main 10 1 f\\ g 12 0 6630\n"
	            "1 main 10 6\n1 main 3fb 1 f\\ g 12 4 221\n4 a 10 4 heap  5 210\n"
	            "boltedcollection\nno_lbr cycles:u\n");
	place_deinit(&place);
}

/* However many files there are, the tool sees them together. */
static void fdata_is_merged_at_once(void **state)
{
	struct place place;
	char **argv;

	(void)state;
	place_init(&place);
	argv = fdata_command(&place);
	test_write(place.fd, "merge", "#!/bin/sh\necho once >>times; cat \"$@\"\n", 0755);
	for (int i = 0; i < 3000; i++) {
		_cleanup_free_ char *name = str_fmt("prof/0/p.%d-%0100d.fdata", i, i);

		test_write(place.fd, name, "1\n", 0644);
	}
	assert_int_equal(run(&place, argv), 0);
	assert_file(&place, "times", "once\n");
	place_deinit(&place);
}

static void fdata_refuses_nothing(void **state)
{
	struct place place;
	char **argv;

	(void)state;
	place_init(&place);
	argv = fdata_command(&place);
	test_write(place.fd, "prof/0/other", "x", 0644);
	test_write(place.fd, "prof/1/other", "x", 0644);
	assert_int_equal(run(&place, argv), 1);
	assert_log(&place, "no run left an fdata file");
	test_write(place.fd, "prof/0/p.1.fdata", "1\n", 0644);
	test_write(place.fd, "merge", "#!/bin/sh\nexit 4\n", 0755);
	assert_int_not_equal(run(&place, argv), 0);
	place_deinit(&place);
}

/* ---- workloads ---------------------------------------------------------------------------- */

#define BIN "'binary':{'$stage':'t/v/build','path':'bin/app'},'name':'app'"

static void workload_runs_its_program(void **state)
{
	struct place place;

	(void)state;
	place_init(&place);
	test_write(place.fd, "bin/app", "#!/bin/sh\nprintf '[%s]' \"$@\"; cat; exit 3\n", 0755);
	test_write(place.fd, "data/in", "from a file\n", 0644);
	assert_int_equal(run(&place, command_of(&place, "workload",
	                                        "{" BIN ",'argv':['a b','$HOME',';'],"
	                                        "'stdin':'data/in'}")),
	                 3);
	assert_file(&place, "stdout", "[a b][$HOME][;]from a file\n");
	/* Without a file there is nothing to read, and nothing of ours to wait for. */
	assert_int_equal(run(&place, command_of(&place, "workload", "{" BIN ",'argv':['x']}")), 3);
	assert_file(&place, "stdout", "[x]");
	assert_int_equal(run(&place, command_of(&place, "workload",
	                                        "{" BIN ",'emulator':['/bin/sh','-e'],"
	                                        "'argv':['y']}")),
	                 3);
	assert_file(&place, "stdout", "[y]");
	place_deinit(&place);
}

#define PROGRAM(name) "{'name':'" name "','from':{'$stage':'t/v/build','path':'x'}}"

static void script_finds_its_programs(void **state)
{
	static const char options[] =
		"{'programs':[" PROGRAM("app") "],'script':'bench/a.sh',"
					       "'interpreter':'sh','argv':['a b'],'stdin':'in'}";
	struct place place;

	(void)state;
	place_init(&place);
	test_write(place.fd, "bin/app", "#!/bin/sh\necho \"app $*\"; cat\n", 0755);
	test_write(place.fd, "bench/a.sh", "#!/bin/sh\napp \"$1\"; exit 5\n", 0755);
	test_write(place.fd, "in", "from a file\n", 0644);
	assert_int_equal(run(&place, command_of(&place, "workload", options)), 5);
	assert_file(&place, "stdout", "app a b\nfrom a file\n");
	place_deinit(&place);
}

/* Before anything runs it is said what the image lacks. */
static void script_needs_its_interpreter(void **state)
{
	static const char options[] =
		"{'programs':[" PROGRAM("app") "],'script':'a.x',"
					       "'interpreter':'no-such-program'}";
	struct place place;

	(void)state;
	place_init(&place);
	test_write(place.fd, "a.x", "#!/usr/bin/env no-such-program\n", 0755);
	assert_int_equal(run(&place, command_of(&place, "workload", options)), 127);
	assert_log(&place, "the image has no program no-such-program: tools = { \"NAME\" }");
	place_deinit(&place);
}

static void script_calls_foreign_programs(void **state)
{
	static const char options[] =
		"{'programs':[" PROGRAM("an app") "],'script':'a.sh',"
						  "'emulator':['/bin/sh','-u']}";
	struct place place;

	(void)state;
	place_init(&place);
	test_write(place.fd, "programs/an app", "echo \"$(basename \"$0\"): $*\"; exit 6\n", 0644);
	test_write(place.fd, "a.sh", "#!/bin/sh\n'an app' x 'y z'\n", 0755);
	assert_int_equal(run(&place, command_of(&place, "workload", options)), 6);
	assert_file(&place, "stdout", "an app: x y z\n");
	place_deinit(&place);
}

/* ---- servers ------------------------------------------------------------------------------ */

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* What this program is when it is called as bin/app: PORT HOW, a server with a weakness. */
static int serve(int port, const char *how)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_port = htons((uint16_t)port),
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sigaction action = { .sa_handler = stop };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, client;

	fprintf(stderr, "server %s\n", how);
	if (str_eq(how, "dies"))
		return 3;
	if (!str_eq(how, "deaf"))
		sigaction(SIGTERM, &action, NULL);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!str_eq(how, "idles") &&
	    (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 4)))
		return 9;
	while (!stopped) {
		client = str_eq(how, "idles") ? (int)pause() : accept(fd, NULL, NULL);
		if (client < 0)
			continue;
		dprintf(client, "hello\n");
		close(client);
		if (str_eq(how, "crashes"))
			return 7;
	}
	if (str_eq(how, "counts"))
		close(open("prof/server-1.profraw", O_WRONLY | O_CREAT | O_TRUNC, 0644));
	return str_eq(how, "complains") ? 4 : 0;
}

/* A port that nobody listens on. */
static int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	close(fd);
	return ntohs(at.sin_port);
}

/* Asks the server once, by bash alone. */
#define ASK "#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/$1; cat <&3; sleep 0.2; exit ${2:-0}\n"

/* Runs a server that is `how`, with further members of serve and what is collected. */
static int run_server(struct place *place, const char *how, const char *more, const char *collect)
{
	int port = free_port();
	char self[4096] = "";
	char *options = arena_fmt(
		place->arena,
		"{'programs':[" PROGRAM(
			"app") "],'name':'app','argv':['%d','%s'],'collect':'%s',"
			       "'serve':{'port':%d%s,'clients':[{'script':'ask.sh','argv':['%d']},"
			       "{'script':'ask.sh','argv':['%d','2'],'exit':[2],'env':{'A':'b'}}]}}",
		port, how, collect, port, more, port, port);

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	test_write(place->fd, "ask.sh", ASK, 0755);
	test_write(place->fd, "bin/app",
	           arena_fmt(place->arena, "#!/bin/sh\nexec '%s' serve \"$@\"\n", self), 0755);
	return run(place, command_of(place, "workload", options));
}

static void server_is_asked_and_stopped(void **state)
{
	struct place place;

	(void)state;
	place_init(&place);
	assert_int_equal(run_server(&place, "works", "", "none"), 0);
	assert_file(&place, "stdout", "hello\nhello\n");
	assert_file(&place, "stderr", "server works\n");
	assert_int_equal(run_server(&place, "complains", ",'exit':[4]", "none"), 0);
	assert_int_equal(run_server(&place, "deaf", ",'exit':[143]", "none"), 0);
	place_deinit(&place);
}

static void server_failures_are_told_apart(void **state)
{
	static const struct {
		const char *how, *more, *says;
	} cases[] = {
		{ "dies", "", "the server ended with status 3 before it listened on port" },
		{ "idles", ",'ready':1", "the server does not listen on port" },
		{ "deaf", "", "SIGTERM ended the server itself: it must catch the signal" },
		{ "complains", "", "the server ended with status 4 after SIGTERM; exit = { 4 }" },
		{ "crashes", "", "the server ended with status 7 while run 1 was at work" },
	};
	struct place place;

	(void)state;
	place_init(&place);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(run_server(&place, cases[i].how, cases[i].more, "none"), 1);
		assert_log(&place, cases[i].says);
		assert_log(&place, arena_fmt(place.arena, "server %s\n", cases[i].how));
	}
	place_deinit(&place);
}

/* An instrumented server that leaves no profile, or an empty one, has trained nothing. */
static void server_must_leave_its_profile(void **state)
{
	struct place place;

	(void)state;
	place_init(&place);
	test_write(place.fd, "prof/other.profraw", "counts", 0644);
	assert_int_equal(run_server(&place, "works", "", "profraw"), 1);
	assert_log(&place, "the server ended and wrote no profile");
	assert_int_equal(run_server(&place, "counts", "", "profraw"), 1);
	assert_log(&place, "the server ended and wrote no profile");
	test_write(place.fd, "prof/server-2.profraw", "counts", 0644);
	assert_int_equal(run_server(&place, "counts", "", "profraw"), 0);
	place_deinit(&place);
}

static void client_failures_are_named(void **state)
{
	struct place place;
	int port = free_port();

	(void)state;
	place_init(&place);
	assert_int_equal(run_server(&place, "works", "", "none"), 0);
	assert_int_equal(
		run(&place,
	            command_of(
			    &place, "workload",
			    arena_fmt(place.arena,
	                              "{'programs':[" PROGRAM(
					      "app") "],'name':'app','argv':["
	                                             "'%d','works'],'serve':{'port':%d,'clients':["
	                                             "{'script':'ask.sh','argv':['%d','6']}]}}",
	                              port, port, port))),
		1);
	assert_log(&place, arena_fmt(place.arena, "ask.sh %d 6) ended with status 6", port));
	place_deinit(&place);
}

/* ---- what training never saw -------------------------------------------------------------- */

static void unseen_is_a_share(void **state)
{
	struct place place;
	char **argv;

	(void)state;
	place_init(&place);
	test_write(
		place.fd, "profdata",
		"#!/bin/sh\ncase $1 in\n"
		"merge) test \"$*\" = 'merge --failure-mode=any -o held.profdata prof/0' ;;\n"
		"show) test \"$2 $3\" = '--all-functions --counts' && cat \"$4.shown\" ;;\nesac\n",
		0755);
	test_write(place.fd, "trained.profdata.shown",
	           "Counters:\n  a.c;seen:\n    Hash: 0x1\n    Counters: 2\n"
	           "    Block counts: [7, 0]\n  never:\n    Block counts: [0, 0]\n"
	           "Instrumentation level: IR  entry_first = 0\nFunctions shown: 2\n",
	           0644);
	test_write(place.fd, "held.profdata.shown",
	           "Counters:\n  a.c;seen:\n    Block counts: [9000000000, 0]\n  never:\n"
	           "    Block counts: [2, 500]\n  ns::\"odd\\name\"(int):\n"
	           "    Block counts: [999999498]\n  idle:\n    Block counts: [0]\n",
	           0644);
	argv = command_of(&place, "unseen",
	                  "{'trained':{'$stage':'t','path':'p'},'tool':'./profdata',"
	                  "'profiles':[{'from':{'$stage':'a','path':'prof'}}]}");
	assert_int_equal(run(&place, argv), 0);
	assert_file(&place, "unseen.json",
	            "{\"functions\":2,\"millionths\":100000,\"most\":["
	            "{\"count\":999999498,\"name\":\"ns::\\\"odd\\\\name\\\"(int)\"},"
	            "{\"count\":502,\"name\":\"never\"}],\"schema\":\"kiln.unseen/1\"}\n");
	/* All that is held out was trained. */
	test_write(place.fd, "held.profdata.shown", "  a.c;seen:\n    Block counts: [1]\n", 0644);
	assert_int_equal(run(&place, argv), 0);
	assert_file(
		&place, "unseen.json",
		"{\"functions\":0,\"millionths\":0,\"most\":[],\"schema\":\"kiln.unseen/1\"}\n");
	test_write(place.fd, "held.profdata.shown", "  a.c;seen:\n    Block counts: [0]\n", 0644);
	assert_int_equal(run(&place, argv), 1);
	assert_log(&place, "the held-out runs count nothing");
	place_deinit(&place);
}

/* Stands in for perf: says what it samples, and like perf gives back the status of what it ran. */
static const char fake_perf[] =
	"#!/bin/sh\nwhile [ \"$1\" != -- ]; do last=$1; shift; done; shift\n"
	"echo samples >\"$last\"; exec \"$@\"\n";

static void perf_place(struct place *place, char **ret_path)
{
	place_init(place);
	*ret_path = str_fmt("%s:%s", place->dir, getenv("PATH"));
	test_write(place->fd, "perf", fake_perf, 0755);
	test_write(place->fd, "perf2bolt", "#!/bin/sh\ntest -s \"$2\"; echo \"$5\" >\"$4\"\n",
	           0755);
	setenv("PATH", *ret_path, 1);
}

static void perf_leave(struct place *place, char *path)
{
	setenv("PATH", path + strlen(place->dir) + 1, 1);
	free(path);
	place_deinit(place);
}

static void perf_samples_and_translates(void **state)
{
	struct place place;
	char **argv;
	char *path;

	(void)state;
	perf_place(&place, &path);
	argv = command_of(&place, "perf-record", "{" BIN ",'argv':['a'],'tool':'./perf2bolt'}");
	test_write(place.fd, "bin/app", "#!/bin/sh\necho ran \"$@\"; cat\n", 0755);
	assert_int_equal(run(&place, argv), 0);
	assert_file(&place, "stdout", "ran a\n");
	assert_false(fs_exists(place.fd, "prof/perf.data"));
	assert_false(fs_exists(place.fd, "prof/status"));
	assert_true(fs_exists(place.fd, "prof/p.0.fdata"));
	/* The program has its standard input, in the same place. */
	test_write(place.fd, "data/in", "from a file\n", 0644);
	argv = command_of(&place, "perf-record",
	                  "{" BIN ",'argv':['a b'],'stdin':'data/in','tool':'./perf2bolt'}");
	assert_int_equal(run(&place, argv), 0);
	assert_file(&place, "stdout", "ran a b\nfrom a file\n");
	perf_leave(&place, path);
}

/* The program's status is the stage's, with its profile; any other failure leaves none. */
static void perf_failures_are_told_apart(void **state)
{
	struct place place;
	char **argv;
	char *path;

	(void)state;
	perf_place(&place, &path);
	argv = command_of(&place, "perf-record", "{" BIN ",'exit':[1],'tool':'./perf2bolt'}");
	test_write(place.fd, "bin/app", "#!/bin/sh\nexit 1\n", 0755);
	assert_int_equal(run(&place, argv), 1);
	assert_true(fs_exists(place.fd, "prof/p.0.fdata"));
	/* No sample, no profile. */
	test_write(place.fd, "perf2bolt", "#!/bin/sh\n: >\"$4\"\n", 0755);
	assert_int_equal(run(&place, argv), 125);
	assert_log(&place, "no sample");
	assert_false(fs_exists(place.fd, "prof"));
	test_write(place.fd, "perf2bolt", "#!/bin/sh\nexit 1\n", 0755);
	assert_int_equal(run(&place, argv), 125);
	assert_log(&place, "perf2bolt failed");
	assert_false(fs_exists(place.fd, "prof"));
	test_write(place.fd, "perf", "#!/bin/sh\nexit 1\n", 0755);
	assert_int_equal(run(&place, argv), 125);
	assert_log(&place, "perf record failed");
	assert_false(fs_exists(place.fd, "prof"));
	test_write(place.fd, "perf", "#!/bin/sh\nexit 0\n", 0755);
	assert_int_equal(run(&place, argv), 125);
	perf_leave(&place, path);
}

static void zip_is_sorted(void **state)
{
	struct place place;
	char **argv;

	(void)state;
	place_init(&place);
	argv = command_of(&place, "zip",
	                  "{'root':'d','files':[{'at':'x','from':{'$leaf':'s','path':''}}]}");
	test_write(place.fd, "zip", "#!/bin/sh\necho \"$@\"; cat\n", 0755);
	test_write(place.fd, "tree/d/b", "", 0644);
	test_write(place.fd, "tree/d/a/c", "", 0644);
	test_write(place.fd, "tree/d/B", "", 0644);
	argv[2] = arena_fmt(place.arena, "PATH=..:$PATH LC_ALL=C; export LC_ALL\n%s", argv[2]);
	assert_int_equal(run(&place, argv), 0);
	assert_file(&place, "stdout", "-q -X -9 -@ ../out.zip\nd\nd/B\nd/a\nd/a/c\nd/b\n");
	place_deinit(&place);
}

int main(int argc, char **argv)
{
	if (argc == 4 && str_eq(argv[1], "serve"))
		return serve(atoi(argv[2]), argv[3]);

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profdata_merges),
		cmocka_unit_test(profdata_refuses_too_little),
		cmocka_unit_test(fdata_is_sorted),
		cmocka_unit_test(fdata_is_weighted),
		cmocka_unit_test(fdata_is_merged_at_once),
		cmocka_unit_test(fdata_refuses_nothing),
		cmocka_unit_test(workload_runs_its_program),
		cmocka_unit_test(script_finds_its_programs),
		cmocka_unit_test(script_needs_its_interpreter),
		cmocka_unit_test(script_calls_foreign_programs),
		cmocka_unit_test(server_is_asked_and_stopped),
		cmocka_unit_test(server_failures_are_told_apart),
		cmocka_unit_test(server_must_leave_its_profile),
		cmocka_unit_test(client_failures_are_named),
		cmocka_unit_test(unseen_is_a_share),
		cmocka_unit_test(perf_samples_and_translates),
		cmocka_unit_test(perf_failures_are_told_apart),
		cmocka_unit_test(zip_is_sorted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
