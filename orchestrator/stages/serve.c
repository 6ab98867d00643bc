/*
 * A server and what is run against it, in one action: bash starts the server, waits until it listens,
 * runs one command after the other, ends the server by a signal and looks at how it ended. Whether a
 * port is listened on is read in /proc: a connection to try it would be one that the server counts.
 * What the server prints goes to the log; what the clients print is the stage's output.
 */
#include "base/path.h"
#include "stages/program.h"

static const char *const signals[] = { "HUP", "INT", "QUIT", "TERM", "USR1", "USR2", NULL };

static const struct schema_field client_fields[] = {
	COMMAND_FIELDS,
	{ "command", SCHEMA_STRING, false, "a program of the image in its place", NULL, NULL },
	{ "env", SCHEMA_MAP, false, "environment variables of this command", NULL, NULL },
	{ "exit", SCHEMA_INTS, false, "its accepted exit codes; 0 always is", NULL, NULL },
	{ 0 },
};

const struct schema_field serve_fields[] = {
	{ "port", SCHEMA_INT, true, "the TCP port it listens on when it is ready", NULL, NULL },
	{ "ready", SCHEMA_INT, false, "seconds until it must listen; default 60", NULL, NULL },
	{ "stop", SCHEMA_STRING, false, "the signal that ends it; default TERM", signals, NULL },
	{ "exit", SCHEMA_INTS, false, "the server's accepted exit codes; 0 always is", NULL, NULL },
	{ "clients", SCHEMA_OBJECTS, true, "what is run against it, in this order", NULL,
	  client_fields },
	{ 0 },
};

enum { PORT_MOST = 65535, READY_MOST = 24 * 3600, READY_USUAL = 60 };

/* Arguments: NEEDS, PORT SECONDS SIGNAL LEFT CODES, N SERVER…, and for each client N STDIN CODES
 * COMMAND…. All waiting is bounded here or by the stage's own time limit. */
static const char serve_script[] = PROGRAM_PRELUDE
	"port=$1 limit=$2 signal=$3 left=$4 codes=$5; shift 5\n"
	"server=(\"${@:2:$1}\"); shift $(($1 + 1))\n"
	"pid=\n"
	"trap '[[ -z $pid ]] || kill -KILL \"$pid\" 2>/dev/null || :' EXIT\n"
	"fail() { echo \"serve: $*\" >&2; exit 1; }\n"
	"alive() { kill -0 \"$pid\" 2>/dev/null; }\n"
	"accepted() { [[ \" 0 $1 \" == *\" $2 \"* ]]; }\n"
	"ended() {\n"
	"  local status=0; wait \"$pid\" || status=$?; pid=\n"
	"  local how=\"with status $status\"\n"
	"  ((status <= 128)) || how=\"with status $status (SIG$(kill -l \"$status\" || echo '?'))\"\n"
	"  fail \"the server ended $how $1; what it printed stands above\"\n"
	"}\n"
	"printf -v hex '%04X' \"$port\"\n"
	"listens() {\n"
	"  local table where state rest\n"
	"  for table in /proc/net/tcp /proc/net/tcp6; do\n"
	"    [[ -r $table ]] || continue\n"
	"    while read -r _ where _ state rest; do\n"
	"      [[ $where != *:$hex || $state != 0A ]] || return 0\n"
	"    done <\"$table\"\n"
	"  done\n"
	"  return 1\n"
	"}\n"
	"! listens || fail \"port $port is in use already\"\n"
	"if [[ -n ${LLVM_PROFILE_FILE:-} ]]; then\n"
	"  LLVM_PROFILE_FILE=${LLVM_PROFILE_FILE%/*}/server-%m.profraw \"${server[@]}\" >&2 </dev/null &\n"
	"else\n"
	"  \"${server[@]}\" >&2 </dev/null &\n"
	"fi\n"
	"pid=$!\n"
	"until=$((${EPOCHREALTIME/[^0-9]/} + limit * 1000000))\n"
	"until listens; do\n"
	"  alive || ended \"before it listened on port $port\"\n"
	"  ((${EPOCHREALTIME/[^0-9]/} < until)) || fail \"the server does not listen on port $port after $limit s;\" \\\n"
	"    'what it printed stands above; ready = tcp(PORT, SECONDS) waits longer'\n"
	"  sleep 0.05\n"
	"done\n"
	"n=0\n"
	"while (($# > 0)); do\n"
	"  count=$1 input=$2 accept=$3 client=(\"${@:4:$1}\"); shift $((count + 3)); n=$((n + 1))\n"
	"  status=0; \"${client[@]}\" <\"$input\" || status=$?\n"
	"  alive || ended \"while run $n was at work\"\n"
	"  accepted \"$accept\" \"$status\" ||\n"
	"    fail \"run $n (${client[*]}) ended with status $status\"\n"
	"done\n"
	"kill -s \"$signal\" \"$pid\"\n"
	"for ((i = 0; i < 600; i++)); do alive || break; sleep 0.1; done\n"
	"! alive || fail \"the server did not end within 60 s of SIG$signal and was killed, so that its\" \\\n"
	"  'profile is lost; stop = \"INT\" names another signal'\n"
	"status=0; wait \"$pid\" || status=$?; pid=\n"
	"if ((status == 128 + $(kill -l \"$signal\"))) && ! accepted \"$codes\" \"$status\"; then\n"
	"  fail \"SIG$signal ended the server itself: it must catch the signal and leave by exit(), or its\" \\\n"
	"    'profile is never written; stop = \"INT\" names another signal'\n"
	"fi\n"
	"accepted \"$codes\" \"$status\" ||\n"
	"  fail \"the server ended with status $status after SIG$signal; exit = { $status } accepts that\"\n"
	"[[ -z $left || -n $(find /build/prof -path \"$left\" -size +0) ]] ||\n"
	"  fail 'the server ended and wrote no profile: an instrumented program writes it when it leaves by' \\\n"
	"    'exit() or out of main, not by _exit()'\n";

/* "1 2": what a test for a word among words takes. */
static const char *codes_of(struct lowering *lowering, const json_t *list)
{
	const char *text = "";
	size_t i;
	json_t *v;

	json_array_foreach ((json_t *)list, i, v)
		text = arena_fmt(lowering->arena, "%s%s%lld", text, text[0] ? " " : "",
		                 (long long)json_integer_value(v));
	return text;
}

/* Adds words behind their number; `first` is where the number stands. */
static void set_count(struct lowering *lowering, size_t first, size_t from)
{
	lowering->argv.v[first] = arena_fmt(lowering->arena, "%zu", lowering->argv.n - from);
}

static int lower_client(struct lowering *lowering, const json_t *client, struct err *err)
{
	const char *input = json_str_or(client, "stdin", NULL), *name;
	json_t *env = json_object_get(client, "env"), *value;
	size_t first = lowering->argv.n, from;

	lower_arg(lowering, "");
	lower_arg(lowering, input ? arena_fmt(lowering->arena, "/build/%s", input) : "/dev/null");
	lower_arg(lowering, codes_of(lowering, json_object_get(client, "exit")));
	from = lowering->argv.n;
	if (json_object_size(env) > 0)
		lower_arg(lowering, "env");
	json_object_foreach (env, name, value) {
		if (name[0] == '\0' || strchr(name, '='))
			return lower_refuse(lowering, err,
			                    "\"%s\" is no name of an environment variable", name);
		lower_arg(lowering,
		          arena_fmt(lowering->arena, "%s=%s", name, json_string_value(value)));
	}
	if (lower_command_words(lowering, client, true, err) < 0)
		return -1;
	set_count(lowering, first, from);
	return 0;
}

static int check_serve(struct lowering *lowering, const json_t *serve, struct err *err)
{
	json_int_t port = json_integer_value(json_object_get(serve, "port"));
	json_int_t ready = json_integer_value(json_object_get(serve, "ready"));

	if (port < 1 || port > PORT_MOST)
		return lower_refuse(lowering, err, "serve: port must be 1 to %d", PORT_MOST);
	if (ready > READY_MOST)
		return lower_refuse(lowering, err, "serve: ready must be 0 to %d", READY_MOST);
	if (json_array_size(json_object_get(serve, "clients")) == 0)
		return lower_refuse(lowering, err, "serve: nothing is run against the server");
	if (option_str(lowering, "stdin"))
		return lower_refuse(lowering, err, "serve: a server reads no stdin");
	return 0;
}

/* The server's own words, its clients', and what the image must have for them. */
static void lower_serve_needs(struct lowering *lowering, const json_t *clients)
{
	size_t n = json_array_size(clients);
	const json_t **commands = arena_array(lowering->arena, n + 1, sizeof(*commands));

	commands[0] = lowering->stage->options;
	for (size_t i = 0; i < n; i++)
		commands[i + 1] = json_array_get(clients, i);
	lower_needs(lowering, commands, n + 1);
}

int lower_serve(struct lowering *lowering, const json_t *serve, const char *left, struct err *err)
{
	const json_t *clients = json_object_get(serve, "clients");
	const json_t *ready = json_object_get(serve, "ready");
	size_t first;

	if (check_serve(lowering, serve, err) < 0)
		return -1;
	lowering->out.advice =
		"what the server printed stands above; ready = tcp(PORT, SECONDS) gives it more "
		"time, exit = { … } in a run accepts its exit codes";
	lower_arg(lowering, "/bin/bash");
	lower_arg(lowering, "-euc");
	lower_arg(lowering, serve_script);
	lower_arg(lowering, "serve");
	lower_serve_needs(lowering, clients);
	lower_arg(lowering,
	          arena_fmt(lowering->arena, "%lld",
	                    (long long)json_integer_value(json_object_get(serve, "port"))));
	lower_arg(lowering,
	          arena_fmt(lowering->arena, "%lld",
	                    ready ? (long long)json_integer_value(ready) : (long long)READY_USUAL));
	lower_arg(lowering, json_str_or(serve, "stop", "TERM"));
	lower_arg(lowering, left);
	lower_arg(lowering, codes_of(lowering, json_object_get(serve, "exit")));
	first = lowering->argv.n;
	lower_arg(lowering, "");
	if (lower_command_words(lowering, lowering->stage->options, true, err) < 0)
		return -1;
	set_count(lowering, first, first + 1);
	for (size_t i = 0; i < json_array_size(clients); i++)
		if (lower_client(lowering, json_array_get(clients, i), err) < 0)
			return -1;
	return 0;
}
