/* What each stage kind lowers its options to, and what it refuses. */
#include "fakes/fixture.h"

#include "base/str.h"
#include "stages/stage.h"

#define BIN "'binary':{'$stage':'t/v/build','path':'bin/app'}"

struct golden {
	const char *kind, *options, *expected;
};

static int lower(struct arena *arena, const char *kind, const json_t *options,
                 struct stage_lowered *ret, struct err *err)
{
	const struct stage stage = {
		.address = "t/v/name",
		.target = "t",
		.variant = "v",
		.name = "name",
		.kind = kind,
		.where = "recipe.lua:7",
		.options = options,
	};

	return stage_lower(&stage, arena, ret, err);
}

static void check_golden(const struct golden *g)
{
	struct arena *arena = arena_new();
	json_t *options = fixture_json(g->options);
	struct buf text = BUF_INIT(1 << 16);
	struct stage_lowered lowered;
	struct err err = ERR_INIT;

	must(lower(arena, g->kind, options, &lowered, &err), &err);
	fixture_show(&lowered, &text);
	assert_string_equal(buf_text(&text), g->expected);
	buf_deinit(&text);
	json_decref(options);
	arena_free(arena);
}

static void check_refused(const struct golden *g)
{
	struct arena *arena = arena_new();
	json_t *options = fixture_json(g->options);
	struct stage_lowered lowered;
	struct err err = ERR_INIT;

	if (lower(arena, g->kind, options, &lowered, &err) == 0)
		fail_msg("%s takes %s", g->kind, g->options);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "recipe.lua:7");
	assert_contains(err.cause, "t/v/name");
	assert_contains(err.cause, g->expected);
	json_decref(options);
	arena_free(arena);
}

/* Limits end a stage and change nothing that it makes: they are beside the action, not in it. */
static void limits_are_in_no_key(void **state)
{
	struct arena *arena = arena_new();
	json_t *plain = fixture_json("{'argv':['a'],'outputs':[]}");
	json_t *limited =
		fixture_json("{'argv':['a'],'outputs':[],'memory':5,'processes':6,'disk':7,"
	                     "'timeout':8}");
	struct buf a = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16);
	struct stage_lowered lowered;
	struct err err = ERR_INIT;

	(void)state;
	must(lower(arena, "run", plain, &lowered, &err), &err);
	assert_int_equal(lowered.needs->memory + lowered.needs->processes + lowered.needs->disk, 0);
	lowered.action.arch = "amd64";
	action_encode(&lowered.action, &a);
	must(lower(arena, "run", limited, &lowered, &err), &err);
	assert_int_equal(lowered.needs->memory, 5);
	assert_int_equal(lowered.needs->processes, 6);
	assert_int_equal(lowered.needs->disk, 7);
	lowered.action.arch = "amd64";
	action_encode(&lowered.action, &b);
	assert_int_equal(a.n, b.n);
	assert_memory_equal(a.p, b.p, a.n);
	buf_deinit(&a);
	buf_deinit(&b);
	json_decref(plain);
	json_decref(limited);
	arena_free(arena);
}

/* ---- commands ----------------------------------------------------------------------------- */

static void commands(void **state)
{
	static const struct golden goldens[] = {
		{ "run", "{'argv':['true'],'outputs':[]}", "argv true\n" },
		{ "run",
		  "{'argv':['make','-C','src'],'outputs':['out',{'path':'log','exclude':['*.tmp','a'],"
		  "'non_empty':true}],'fixed_addresses':true,'env':{'A':'1'},"
		  "'inputs':[{'at':'src','from':{'$leaf':'source','path':''}},"
		  "{'at':'','from':{'$stage':'t/shared/unpack','path':'tree'}}],'workdir':'src',"
		  "'exit':[0,3],'reject':['warning:'],'timeout':60,'cpus':2,'memory':1048576,"
		  "'exclusive':true,'image':'other'}",
		  "argv make -C src\nenv A=1\nout out\nout log non-empty -*.tmp -a\n"
		  "reject warning:\nexit 3\nworkdir src\nfixed-addresses\n"
		  "in src <- leaf source:\nin  <- t/shared/unpack:tree\nimage other\n"
		  "cpus 2 memory 1048576 timeout 60000 ms\nexclusive\n" },
		{ "build", "{'argv':['make'],'outputs':['app']}", "argv make\nout app\n" },
		{ "instrument", "{'argv':['make'],'outputs':['app']}",
		  "argv make\nout app\nnever-ships\n" },
		{ "rebuild",
		  "{'argv':['cc','-fprofile-use=/build/kiln.profdata'],'outputs':['app'],"
		  "'reject':['mine'],'profile':{'$stage':'t/shared/merge','path':'merged.profdata'}}",
		  "argv cc -fprofile-use=/build/kiln.profdata\nout app\nreject mine\n"
		  "reject [-Werror,-Wbackend-plugin]\nreject [-Wbackend-plugin]\n"
		  "reject profile data may be out of date\n"
		  "reject Function control flow change detected (hash mismatch)\n"
		  "in kiln.profdata <- t/shared/merge:merged.profdata\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
		check_golden(&goldens[i]);
}

static void commands_refuse(void **state)
{
	static const struct golden bad[] = {
		{ "run", "{'argv':[],'outputs':[]}", "argv must name a command" },
		{ "run", "{'argv':[''],'outputs':[]}", "argv must name a command" },
		{ "run", "{'argv':['a'],'outputs':['/out']}",
		  "outputs: the path \"/out\" is absolute" },
		{ "run", "{'argv':['a'],'outputs':['a/../b']}", "\"a/../b\" has a '..' part" },
		{ "run", "{'argv':['a'],'outputs':['']}", "an output path must not be empty" },
		{ "run", "{'argv':['a'],'outputs':[],'workdir':'../up'}",
		  "workdir \"../up\" has a '..' part" },
		{ "run",
		  "{'argv':['a'],'outputs':[],'inputs':[{'at':'/etc','from':{'$leaf':'s','path':''}}]}",
		  "the input path \"/etc\" is absolute" },
		{ "run", "{'argv':['a'],'outputs':[],'inputs':[{'at':'x','from':{'path':''}}]}",
		  "from: expected an output of a stage or a source, got " },
		{ "run",
		  "{'argv':['a'],'outputs':[],'inputs':[{'at':'x','from':{'$leaf':'s','$stage':'t',"
		  "'path':''}}]}",
		  "from" },
		{ "rebuild", "{'argv':['a'],'outputs':['b']}", "the field \"profile\" is missing" },
		{ "bulid", "{}", "did you mean \"build\"?" },
		{ "zzzzzzzz", "{}", "unknown stage kind \"zzzzzzzz\"" },
		{ "run", "{'argv':['a'],'outputs':[],'processes':2147483648}",
		  "processes must be 0 to 2147483647" },
		{ "run", "{'argv':['a'],'outputs':[],'disk':-1}",
		  "disk: expected a whole number, 0 or more" },
		{ "run", "{'argv':['a'],'outputs':[],'timeout':9223372036854775807}",
		  "timeout must be 0 to " },
		{ "run", "{'argv':['a'],'outputs':[],'cpus':4294967296}", "cpus must be 0 to " },
		{ "run", "{'argv':['a'],'outputs':[],'exit':[4294967296]}",
		  "exit[1] is 4294967296; exit codes are 0 to 255" },
		{ "run", "{'argv':['a'],'outputs':[],'exit':[-1]}",
		  "exit[1] is -1; exit codes are 0 to 255" },
		{ "run", "{'argv':['a'],'outputs':[],'env':{'A=B':'c'}}",
		  "\"A=B\" is no name of an environment variable" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_refused(&bad[i]);
}

/* ---- workloads ---------------------------------------------------------------------------- */

static void workloads(void **state)
{
	static const struct golden goldens[] = {
		{ "workload", "{" BIN ",'name':'app'}",
		  "argv /bin/sh -ec exec \"$@\" </dev/null sh /build/bin/app\n"
		  "in bin/app <- t/v/build:bin/app\n" },
		{ "workload",
		  "{" BIN ",'name':'app','argv':['-x','1'],'emulator':['qemu-aarch64','-L','/x'],"
		  "'stdin':'data/in.txt','collect':'profraw','run':2,"
		  "'inputs':[{'at':'data','from':{'$leaf':'work','path':'train'}}]}",
		  "argv /bin/sh -ec exec \"$@\" <\"$0\" /build/data/in.txt qemu-aarch64 -L /x "
		  "/build/bin/app -x 1\n"
		  "env LLVM_PROFILE_FILE=/build/prof/%m-%p.profraw\nenv KILN_RUN=2\n"
		  "out prof non-empty\nfixed-addresses\nin data <- leaf work:train\n"
		  "in bin/app <- t/v/build:bin/app\n" },
		{ "workload", "{" BIN ",'name':'app','collect':'none','run':1}",
		  "argv /bin/sh -ec exec \"$@\" </dev/null sh /build/bin/app\n"
		  "in bin/app <- t/v/build:bin/app\n" },
		{ "bolt-workload", "{" BIN ",'name':'app','argv':['a b']}",
		  "argv /bin/sh -ec exec \"$@\" </dev/null sh /build/bin/app a b\n"
		  "out prof non-empty -.keep\nfixed-addresses\nin bin/app <- t/v/build:bin/app\n"
		  "in prof/.keep <- text \n" },
		{ "perf-record", "{" BIN ",'name':'app','argv':['a'],'tool':'/usr/bin/perf2bolt'}",
		  "argv /bin/sh -euc {script} sh /usr/bin/perf2bolt /build/bin/app prof -- "
		  "/bin/sh -ec exec \"$@\" </dev/null sh /build/bin/app a\n"
		  "out prof non-empty\nfixed-addresses\nin bin/app <- t/v/build:bin/app\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
		check_golden(&goldens[i]);
}

#define PROGRAMS                                                                                   \
	"'programs':[{'name':'app','from':{'$stage':'t/v/build','path':'app'}},"                   \
	"{'name':'aid','from':{'$stage':'t/v/build','path':'aid'}}]"
#define PROGRAMS_IN "in bin/app <- t/v/build:app\nin bin/aid <- t/v/build:aid\n"

static void scripts(void **state)
{
	static const struct golden goldens[] = {
		{ "workload",
		  "{" PROGRAMS ",'script':'bench/a.sh','interpreter':'python3','argv':['x'],"
		  "'stdin':'in','collect':'profraw'}",
		  "argv /bin/sh -euc {script} /build/in 1 python3 /build/bench/a.sh x\n"
		  "env LLVM_PROFILE_FILE=/build/prof/%m.profraw\nout prof non-empty\n"
		  "fixed-addresses\n" PROGRAMS_IN },
		/* Foreign programs are called through a line of shell of the same name. */
		{ "workload",
		  "{'programs':[{'name':'app','from':{'$stage':'t/v/build','path':'app'}}],"
		  "'script':'a.sh','emulator':['qemu-aarch64','-R','a b']}",
		  "argv /bin/sh -euc {script} /dev/null 0 /build/a.sh\n"
		  "in programs/app <- t/v/build:app\nin bin/app <- script #!/bin/sh\n"
		  "exec qemu-aarch64 -R 'a b' \"${0%/*}\"/../programs/app \"$@\"\n\n" },
		/* One of several programs, run by itself. */
		{ "workload", "{" PROGRAMS ",'name':'aid','emulator':['qemu']}",
		  "argv /bin/sh -ec exec \"$@\" </dev/null sh qemu /build/bin/aid\n" PROGRAMS_IN },
		{ "bolt-workload", "{" PROGRAMS ",'script':'a.sh','profiled':['app','aid']}",
		  "argv /bin/sh -euc {script} /dev/null 0 /build/a.sh\n"
		  "out prof non-empty -.keep -*/.keep\nfixed-addresses\n" PROGRAMS_IN
		  "in prof/app/.keep <- text \nin prof/aid/.keep <- text \n" },
		{ "perf-record",
		  "{" PROGRAMS ",'script':'a.sh','profiled':['app','aid'],'tool':'perf2bolt'}",
		  "argv /bin/sh -euc {script} sh perf2bolt /build/bin/app prof/app /build/bin/aid "
		  "prof/aid -- /bin/sh -euc {script} /dev/null 0 /build/a.sh\n"
		  "out prof non-empty\nfixed-addresses\n" PROGRAMS_IN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
		check_golden(&goldens[i]);
}

static void servers(void **state)
{
	static const struct golden goldens[] = {
		/* NEEDS, PORT SECONDS SIGNAL LEFT CODES, N SERVER…, then N STDIN CODES CLIENT… */
		{ "workload",
		  "{" PROGRAMS ",'name':'app','argv':['80'],'collect':'profraw','serve':{'port':80,"
		  "'clients':[{'name':'aid'}]}}",
		  "argv /bin/bash -euc {script} serve 0 80 60 TERM /build/prof/server-*  2 "
		  "/build/bin/app 80 1 /dev/null  /build/bin/aid\n"
		  "env LLVM_PROFILE_FILE=/build/prof/%m.profraw\nout prof non-empty\n"
		  "fixed-addresses\n" PROGRAMS_IN },
		{ "workload",
		  "{" PROGRAMS ",'script':'s.sh','interpreter':'/bin/sh','serve':{'port':8080,"
		  "'ready':5,'stop':'INT','exit':[2,3],'clients':["
		  "{'command':'curl','argv':['-s','u'],'env':{'A':'1 2'}},"
		  "{'script':'c.py','interpreter':'python3','stdin':'in','exit':[1]}]}}",
		  "argv /bin/bash -euc {script} serve 3 /bin/sh curl python3 8080 5 INT  2 3 1 "
		  "/build/s.sh 5 /dev/null  env A=1 2 curl -s u 1 /build/in 1 /build/c.py\n" PROGRAMS_IN },
		{ "bolt-workload",
		  "{" PROGRAMS ",'name':'app','profiled':['app'],'serve':{'port':80,"
		  "'clients':[{'name':'aid'}]}}",
		  "argv /bin/bash -euc {script} serve 0 80 60 TERM /build/prof/app/*.fdata  1 "
		  "/build/bin/app 1 /dev/null  /build/bin/aid\n"
		  "out prof non-empty -.keep -*/.keep\nfixed-addresses\n" PROGRAMS_IN
		  "in prof/app/.keep <- text \n" },
		/* A server without counters leaves nothing. */
		{ "bolt-workload",
		  "{" PROGRAMS ",'name':'app','profiled':['aid'],'serve':{'port':80,"
		  "'clients':[{'name':'aid'}]}}",
		  "argv /bin/bash -euc {script} serve 0 80 60 TERM   1 "
		  "/build/bin/app 1 /dev/null  /build/bin/aid\n"
		  "out prof non-empty -.keep -*/.keep\nfixed-addresses\n" PROGRAMS_IN
		  "in prof/aid/.keep <- text \n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
		check_golden(&goldens[i]);
}

static void unseen(void **state)
{
	static const struct golden goldens[] = {
		{ "unseen",
		  "{'trained':{'$stage':'t/v/merge','path':'merged.profdata'},'profiles':["
		  "{'from':{'$stage':'t/v/h1','path':'prof'}},{'from':{'$stage':'t/v/h2','path':'prof'}}],"
		  "'tool':'/llvm/profdata'}",
		  "argv /bin/sh -euc {script} sh /llvm/profdata prof/0 prof/1\nenv LC_ALL=C\n"
		  "out unseen.json non-empty\nin trained.profdata <- t/v/merge:merged.profdata\n"
		  "in prof/0 <- t/v/h1:prof\nin prof/1 <- t/v/h2:prof\n" },
	};
	static const struct golden bad[] = {
		{ "unseen", "{'profiles':[],'tool':'p'}", "trained" },
		{ "unseen",
		  "{'trained':{'$stage':'t/v/merge','path':'m'},'profiles':[],'tool':'p'}",
		  "profiles must name at least one run" },
		{ "unseen",
		  "{'trained':{'$stage':'t/v/merge','path':'m'},'profiles':[{'from':{'path':'x'}}],"
		  "'tool':'p'}",
		  "from: expected an output of a stage or a source, got " },
	};

	(void)state;
	check_golden(&goldens[0]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_refused(&bad[i]);
}

static void workloads_refuse(void **state)
{
	static const struct golden bad[] = {
		{ "workload", "{'name':'app'}",
		  "neither \"binary\" nor \"programs\" says what is run" },
		{ "workload", "{" BIN ",'name':'a/b'}", "name must be a file name" },
		{ "workload", "{" BIN ",'name':''}", "name must be a file name" },
		{ "workload", "{" BIN ",'name':'..'}", "name must be a file name" },
		{ "workload", "{" BIN ",'name':'app','stdin':'/etc/passwd'}",
		  "stdin \"/etc/passwd\" is absolute" },
		{ "bolt-workload", "{'name':'app'}", "binary" },
		{ "perf-record", "{'name':'app','tool':'t'}", "binary" },
		{ "perf-record", "{" PROGRAMS ",'script':'a','tool':'t'}",
		  "profiled must say which programs a script runs" },
		{ "workload", "{" PROGRAMS ",'name':'other'}",
		  "\"other\" is none of its programs" },
		{ "workload", "{" PROGRAMS "}", "a command has a name, a script or a command" },
		{ "workload", "{" PROGRAMS ",'name':'app','script':'a'}", "a name, a script" },
		{ "workload", "{" PROGRAMS "," BIN ",'name':'app'}",
		  "binary and programs exclude each other" },
		{ "workload", "{" PROGRAMS ",'script':'../a'}", "script \"../a\" has a '..' part" },
		{ "workload",
		  "{'programs':[{'name':'a/b','from':{'$leaf':'l','path':''}}],'name':'a/b'}",
		  "name must be a file name" },
		{ "workload", "{'programs':[{'name':'a','from':{'path':''}}],'name':'a'}",
		  "from: expected an output of a stage or a source, got " },
		{ "workload", "{" PROGRAMS ",'name':'app','serve':{'port':1,'clients':[]}}",
		  "serve: nothing is run against the server" },
		{ "workload",
		  "{" PROGRAMS
		  ",'name':'app','serve':{'port':1,'ready':86401,'clients':[{'name':'app'}]}}",
		  "serve: ready must be 0 to " },
		{ "workload",
		  "{" PROGRAMS ",'name':'app','serve':{'port':65536,'clients':[{'name':'app'}]}}",
		  "serve: port must be 1 to 65535" },
		{ "workload",
		  "{" PROGRAMS
		  ",'name':'app','serve':{'port':1,'stop':'KILL','clients':[{'name':'app'}]}}",
		  "stop" },
		{ "workload",
		  "{" PROGRAMS
		  ",'name':'app','stdin':'in','serve':{'port':1,'clients':[{'name':'app'}]}}",
		  "serve: a server reads no stdin" },
		{ "workload",
		  "{" PROGRAMS ",'name':'app','serve':{'port':1,'clients':[{'command':'a/b'}]}}",
		  "command must be a file name" },
		{ "workload",
		  "{" PROGRAMS
		  ",'name':'app','serve':{'port':1,'clients':[{'name':'app','env':{'A=B':'1'}}]}}",
		  "\"A=B\" is no name of an environment variable" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_refused(&bad[i]);
}

/* ---- profiles and binaries ---------------------------------------------------------------- */

#define RUN1 "{'from':{'$stage':'t/v/r1','path':'prof'}}"
#define RUN2 "{'from':{'$stage':'t/v/r2','path':'prof'},'weight':3}"

static void merges(void **state)
{
	static const struct golden goldens[] = {
		{ "profdata-merge", "{'profiles':[" RUN1 "," RUN2 "],'tool':'/llvm/profdata'}",
		  "argv /bin/sh -euc {script} sh /llvm/profdata 1 --weighted-input=1,prof/0 "
		  "--weighted-input=3,prof/1\n"
		  "out merged.profdata non-empty\nout summary.txt non-empty\n"
		  "in prof/0 <- t/v/r1:prof\nin prof/1 <- t/v/r2:prof\n" },
		{ "profdata-merge", "{'profiles':[" RUN1 "],'tool':'p','functions':40}",
		  "argv /bin/sh -euc {script} sh p 40 --weighted-input=1,prof/0\n"
		  "out merged.profdata non-empty\nout summary.txt non-empty\n"
		  "in prof/0 <- t/v/r1:prof\n" },
		{ "fdata-merge", "{'profiles':[" RUN1 "," RUN1 "],'tool':'/llvm/merge-fdata'}",
		  "argv /bin/sh -euc {script} sh /llvm/merge-fdata prof/0 prof/1\nenv LC_ALL=C\n"
		  "out merged.fdata non-empty\nin prof/0 <- t/v/r1:prof\nin prof/1 <- t/v/r1:prof\n" },
		{ "fdata-merge", "{'profiles':[" RUN1 "," RUN2 "],'tool':'/llvm/merge-fdata'}",
		  "argv /bin/sh -euc {script} sh /llvm/merge-fdata 1 prof/0 3 prof/1\nenv LC_ALL=C\n"
		  "out merged.fdata non-empty\nin prof/0 <- t/v/r1:prof\nin prof/1 <- t/v/r2:prof\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
		check_golden(&goldens[i]);
}

static void binaries(void **state)
{
	static const struct golden goldens[] = {
		{ "strip", "{" BIN ",'tool':'/llvm/strip','flags':['--strip-all']}",
		  "argv /llvm/strip --strip-all -o stripped input\nout stripped non-empty\n"
		  "in input <- t/v/build:bin/app\npasses-on\n" },
		{ "bolt-instrument", "{" BIN ",'tool':'/llvm/bolt','runtime_library':'/lib/a.a'}",
		  "argv /llvm/bolt input -instrument -o instrumented "
		  "--instrumentation-file=/build/prof/p --instrumentation-file-append-pid "
		  "--runtime-instrumentation-lib=/lib/a.a\n"
		  "out instrumented non-empty\nreject BOLT-ERROR\nin input <- t/v/build:bin/app\n"
		  "never-ships\n" },
		{ "bolt-instrument", "{" BIN ",'tool':'/llvm/bolt','profile':'app'}",
		  "argv /llvm/bolt input -instrument -o instrumented "
		  "--instrumentation-file=/build/prof/app/p --instrumentation-file-append-pid\n"
		  "out instrumented non-empty\nreject BOLT-ERROR\nin input <- t/v/build:bin/app\n"
		  "never-ships\n" },
		{ "llvm-bolt",
		  "{" BIN ",'tool':'/llvm/bolt','flags':['-reorder-blocks=ext-tsp'],"
		  "'fdata':{'$stage':'t/v/merge','path':'merged.fdata'}}",
		  "argv /llvm/bolt input -o bolted -data=profile.fdata -reorder-blocks=ext-tsp\n"
		  "out bolted non-empty\nreject BOLT-ERROR\n"
		  "reject invalid (possibly stale) profile\nreject BOLT-INFO: 0 out of \n"
		  "in input <- t/v/build:bin/app\nin profile.fdata <- t/v/merge:merged.fdata\n"
		  "passes-on\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
		check_golden(&goldens[i]);
}

static void merges_and_binaries_refuse(void **state)
{
	static const struct golden bad[] = {
		{ "profdata-merge", "{'profiles':[],'tool':'p'}",
		  "profiles must name at least one run" },
		{ "fdata-merge", "{'profiles':[],'tool':'p'}",
		  "profiles must name at least one run" },
		{ "profdata-merge",
		  "{'profiles':[{'from':{'$stage':'a','path':'prof'},'weight':0}],'tool':'p'}",
		  "weight must be 1 or more" },
		{ "profdata-merge", "{'profiles':[{'from':{'path':'prof'}}],'tool':'p'}",
		  "from: expected an output of a stage or a source, got " },
		{ "strip", "{'tool':'s'}", "binary" },
		{ "strip", "{" BIN "}", "tool" },
		{ "bolt-instrument", "{'tool':'s'}", "binary" },
		{ "bolt-instrument", "{" BIN ",'tool':'s','profile':'../up'}",
		  "profile must name a folder below prof" },
		{ "llvm-bolt", "{" BIN ",'tool':'b'}", "fdata" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_refused(&bad[i]);
}

/* ---- smoke and packages ------------------------------------------------------------------- */

static void smoke(void **state)
{
	static const struct golden goldens[] = {
		{ "smoke",
		  "{'cases':['one','two'],'reference':[{'$stage':'t/plain/h1','path':'@stdout'},"
		  "{'$stage':'t/plain/h2','path':'@stdout'}],'candidate':["
		  "{'$stage':'t/v/h1','path':'@stdout'},{'$stage':'t/v/h2','path':'@stdout'}],"
		  "'filters':{'one':[{'drop_lines':'time*'}],'two':[]},'label':'lto'}",
		  "builtin smoke@2\nout smoke.json non-empty\n"
		  "in reference/0 <- t/plain/h1:@stdout\nin candidate/0 <- t/v/h1:@stdout\n"
		  "in reference/1 <- t/plain/h2:@stdout\nin candidate/1 <- t/v/h2:@stdout\n"
		  "in kiln.json <- text {\"cases\":[{\"candidate\":\"candidate/0\",\"filters\":["
		  "{\"drop_lines\":\"time*\"}],\"name\":\"one\",\"reference\":\"reference/0\"},"
		  "{\"candidate\":\"candidate/1\",\"name\":\"two\","
		  "\"reference\":\"reference/1\"}],\"label\":\"lto\"}\n" },
		{ "smoke",
		  "{'cases':['one'],'expected':['12ab'],'candidate':["
		  "{'$stage':'t/v/h1','path':'@stdout'}]}",
		  "builtin smoke@2\nout smoke.json non-empty\n"
		  "in candidate/0 <- t/v/h1:@stdout\n"
		  "in kiln.json <- text {\"cases\":[{\"candidate\":\"candidate/0\","
		  "\"expected\":\"12ab\",\"name\":\"one\"}]}\n" },
	};
	static const struct golden bad[] = {
		{ "smoke", "{'cases':['one'],'reference':[],'candidate':[]}",
		  "reference has 0 entries for 1 cases" },
		{ "smoke",
		  "{'cases':['one'],'reference':[{'$stage':'t/v/h1','path':'@stdout'}],"
		  "'candidate':[{'$stage':'t/v/h1','path':'@stdout'},"
		  "{'$stage':'t/v/h2','path':'@stdout'}]}",
		  "candidate has 2 entries for 1 cases" },
		{ "smoke",
		  "{'cases':['one'],'reference':[{'$stage':'t/v/h1','path':'@stdout'}],"
		  "'expected':['12ab'],'candidate':[{'$stage':'t/v/h2','path':'@stdout'}]}",
		  "reference and expected exclude each other" },
		{ "smoke",
		  "{'cases':['one'],'expected':['12ab'],'filters':{'on':[]},"
		  "'candidate':[{'$stage':'t/v/h2','path':'@stdout'}]}",
		  "filters names \"on\", which is no case" },
		{ "smoke", "{'cases':[],'reference':[],'candidate':[]}",
		  "cases must name at least one held-out run" },
		{ "smoke",
		  "{'cases':['one'],'expected':['12ab'],'filters':['one'],"
		  "'candidate':[{'$stage':'t/v/h2','path':'@stdout'}]}",
		  "filters: expected lists by case" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
		check_golden(&goldens[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_refused(&bad[i]);
}

#define FILES                                                                                      \
	"'files':[{'at':'bin/app','from':{'$stage':'t/v/strip','path':'stripped'},"                \
	"'mode':'0755'},{'at':'README','from':{'$leaf':'source','path':'README'}}]"
#define OUT_TAR "'from':{'$stage':'t/v/tar','path':'out.tar'}"

static void packages(void **state)
{
	static const struct golden goldens[] = {
		{ "tar", "{'root':'demo-1'," FILES "}",
		  "builtin tar@1\nout out.tar non-empty\n"
		  "in tree/demo-1/bin/app <- t/v/strip:stripped\n"
		  "in tree/demo-1/README <- leaf source:README\n"
		  "in kiln.json <- text {\"modes\":{\"demo-1/bin/app\":\"0755\"},"
		  "\"root\":\"demo-1\"}\npasses-on\n" },
		{ "zip", "{'root':'demo-1'," FILES "}",
		  "argv /bin/sh -euc {script}\nenv LC_ALL=C\nout out.zip non-empty\n"
		  "in tree/demo-1/bin/app <- t/v/strip:stripped\n"
		  "in tree/demo-1/README <- leaf source:README\n"
		  "in kiln.json <- text {\"modes\":{\"demo-1/bin/app\":\"0755\"},"
		  "\"root\":\"demo-1\"}\npasses-on\n" },
		{ "compress", "{" OUT_TAR ",'format':'zst'}",
		  "argv zstd -19 --no-progress -T1 --keep out.tar\nout out.tar.zst non-empty\n"
		  "in out.tar <- t/v/tar:out.tar\npasses-on\n" },
		{ "compress", "{" OUT_TAR ",'format':'xz','name':'data.tar'}",
		  "argv xz -9 -T1 --keep data.tar\nout data.tar.xz non-empty\n"
		  "in data.tar <- t/v/tar:out.tar\npasses-on\n" },
		{ "compress", "{" OUT_TAR ",'format':'gz'}",
		  "argv gzip -9 --no-name --keep out.tar\nout out.tar.gz non-empty\n"
		  "in out.tar <- t/v/tar:out.tar\npasses-on\n" },
		{ "deb-members", "{'control':{'Package':'demo','Version':'1'}," FILES "}",
		  "builtin deb-members@2\nout control.tar non-empty\nout data.tar non-empty\n"
		  "in tree/bin/app <- t/v/strip:stripped\nin tree/README <- leaf source:README\n"
		  "in kiln.json <- text {\"control\":{\"Package\":\"demo\",\"Version\":\"1\"},"
		  "\"modes\":{\"bin/app\":\"0755\"}}\npasses-on\n" },
		{ "deb-ar",
		  "{'control':{'$stage':'t/v/c','path':'control.tar.xz'},"
		  "'data':{'$stage':'t/v/d','path':'data.tar.xz'}}",
		  "builtin deb-ar@1\nout out.deb non-empty\n"
		  "in members/control.tar.xz <- t/v/c:control.tar.xz\n"
		  "in members/data.tar.xz <- t/v/d:data.tar.xz\npasses-on\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goldens); i++)
		check_golden(&goldens[i]);
}

static void packages_refuse(void **state)
{
	static const struct golden bad[] = {
		{ "tar", "{'root':'a/b'," FILES "}", "root must be one folder name" },
		{ "tar", "{'root':''," FILES "}", "root must be one folder name" },
		{ "tar", "{'root':'..'," FILES "}", "root must be one folder name" },
		{ "zip", "{'root':'/'," FILES "}", "root must be one folder name" },
		{ "tar", "{'root':'a','files':[{'at':'/x','from':{'$leaf':'s','path':''}}]}",
		  "the package path \"/x\" is absolute" },
		{ "tar", "{'root':'a','files':[{'at':'','from':{'$leaf':'s','path':''}}]}",
		  "the package path \"\" is empty" },
		{ "tar", "{'root':'a','files':[{'at':'x','from':{}}]}",
		  "from: expected an output of a stage or a source, got " },
		{ "compress", "{'format':'xz'}", "from" },
		{ "compress", "{" OUT_TAR ",'format':'rar'}", "format" },
		{ "compress", "{" OUT_TAR ",'format':'xz','name':'../x'}", "name" },
		{ "compress", "{" OUT_TAR ",'format':'xz','name':'-d'}",
		  "name must be a file name that does not begin with '-'" },
		{ "deb-members", "{'control':{},'files':[{'at':'x','from':{}}]}", "from" },
		{ "deb-ar", "{'control':{'$stage':'t/v/c','path':'control.tar.xz'}}", "data" },
		{ "deb-ar",
		  "{'control':{'$stage':'t/v/c','path':''},'data':{'$stage':'t/v/d','path':'d'}}",
		  "control must be one file of a stage" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		check_refused(&bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_are_in_no_key),
		cmocka_unit_test(commands),
		cmocka_unit_test(commands_refuse),
		cmocka_unit_test(workloads),
		cmocka_unit_test(scripts),
		cmocka_unit_test(servers),
		cmocka_unit_test(unseen),
		cmocka_unit_test(workloads_refuse),
		cmocka_unit_test(merges),
		cmocka_unit_test(binaries),
		cmocka_unit_test(merges_and_binaries_refuse),
		cmocka_unit_test(smoke),
		cmocka_unit_test(packages),
		cmocka_unit_test(packages_refuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
