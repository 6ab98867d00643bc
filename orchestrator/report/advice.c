/* Clues: texts of well-known programs, and what they mean in a sandbox. */
#include "report/advice.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "model/distro.h"

enum { NAME_MOST = 60 };

/* A run of the programs has ways of its own to what others take from elsewhere. */
static bool is_workload(const struct stage *stage)
{
	return str_eq(stage->kind, "workload") || str_eq(stage->kind, "bolt-workload") ||
	       str_eq(stage->kind, "perf-record");
}

static void add_line(struct buf *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_line(struct buf *text, const char *fmt, ...)
{
	va_list args;

	buf_add_str(text, "    try      ");
	va_start(args, fmt);
	buf_fmtv(text, fmt, args);
	va_end(args);
	buf_add_char(text, '\n');
}

/* ---- no network ---------------------------------------------------------------------------- */

/* What programs print that look for a network: libc, curl, wget, git, Node, Go, Python. */
static bool misses_network(const char *tail)
{
	static const char *const texts[] = {
		"Could not resolve host",
		"unable to resolve host",
		"Temporary failure in name resolution",
		"Name or service not known",
		"Network is unreachable",
		"No route to host",
		"Connection refused",
		"Failed to connect to",
		"EAI_AGAIN",
		"ENOTFOUND",
		"ECONNREFUSED",
		"ENETUNREACH",
		"no such host",
		"dial tcp",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (strstr(tail, texts[i]))
			return true;
	return false;
}

static void network(struct buf *text, const struct stage *stage, const char *tail)
{
	if (misses_network(tail))
		add_line(text, "a stage has no network, only a loopback of its own: %s",
		         is_workload(stage) ?
		                 "give data by https { url, sha256 }, run a server of the build by "
		                 "serve { }" :
		                 "sources, packages (add = { … }) and https { } files are fetched "
		                 "before it");
}

/* ---- no space ------------------------------------------------------------------------------- */

/* What is full may be a file system in memory of the stage's own: they are small on purpose. */
static void space(struct buf *text, const char *tail)
{
	if (strstr(tail, "No space left on device") || strstr(tail, "ENOSPC"))
		add_line(text, "/tmp and /dev/shm of a stage hold a gigabyte each: what is larger "
		               "belongs in the work folder (TMPDIR=/build/NAME)");
}

/* ---- another file system -------------------------------------------------------------------- */

/* rename(2), which programs call that do not copy as mv does. */
static void rename_fails(struct buf *text, const char *tail)
{
	if (strstr(tail, "Invalid cross-device link") || strstr(tail, "EXDEV"))
		add_line(text,
		         "/tmp of a stage is a file system of its own: what is moved out of it "
		         "is to be copied and removed, as mv does, or made in the work folder "
		         "(TMPDIR=/build/NAME)");
}

/* ---- what the image lacks ------------------------------------------------------------------- */

/* What can be lacking: what knows its package (NULL: nothing does), and how Debian would most likely call
 * the package of one that is not known. Without that a header may be the project's own. */
struct thing {
	const char *(*package)(const char *name);
	const char *prefix, *suffix;
};

static const struct thing header = { distro_header, NULL, NULL };
static const struct thing library = { distro_library, "lib", "-dev" };
static const struct thing tool = { distro_tool, "", "" };
static const struct thing module = { NULL, "python3-", "" };

/* A line of a log in which the name of a thing stands between two texts. Without `before` the name is
 * the last word in front of `after`, which ends the line. */
struct lack {
	const char *before, *after;
	const struct thing *thing;
};

static const struct lack lacks[] = {
	{ "fatal error: '", "' file not found", &header },           /* Clang */
	{ "fatal error: ", ": No such file or directory", &header }, /* GCC */
	{ "unable to find library -l", "", &library },               /* lld */
	{ "cannot find -l", "", &library },                          /* ld */
	{ "No package '", "' found", &library },                     /* pkg-config */
	{ "Package '", "' not found", &library },                    /* pkgconf */
	{ "Package '", "', required by", &library },
	{ "Package requirements (", "", &library },    /* autoconf */
	{ "Dependency \"", "\" not found", &library }, /* Meson */
	{ "Program '", "' not found", &tool },
	{ "Program(s) ['", "'] not found", &tool },
	{ "  Could NOT find ", "", &library }, /* CMake, behind an error's indent */
	{ "configuration file provided by \"", "\"", &library },
	{ "The system library `", "` required by crate", &library }, /* Rust */
	{ "No module named '", "'", &module },                       /* Python */
	{ "cannot run ", " in the image", &tool },                   /* Kiln */
	{ "env: '", "': No such file or directory", &tool },
	{ "env: \xe2\x80\x98", "\xe2\x80\x99: No such file or directory", &tool },
	{ "make: ", ": No such file or directory", &tool },
	{ "]: ", ": No such file or directory", &tool }, /* make[1] */
	{ NULL, ": command not found", &tool },          /* bash */
	{ NULL, ": not found", &tool },                  /* dash */
};

static bool of_a_name(char c)
{
	return isalnum((unsigned char)c) || strchr("+-./_", c);
}

/* The name at the start of `from`; false where there is none that a package could have. */
static bool read_name(struct str from, char ret[static NAME_MOST])
{
	size_t n = 0;

	while (n < from.n && of_a_name(from.p[n]))
		n++;
	if (n == 0 || n >= NAME_MOST || !isalnum((unsigned char)from.p[0]))
		return false;
	memcpy(ret, from.p, n);
	ret[n] = '\0';
	return true;
}

/* The last word before `end`, which is a program's: of a path its last part. */
static bool read_word_before(const char *line, const char *end, char ret[static NAME_MOST])
{
	const char *from = end;

	while (from > line && of_a_name(from[-1]) && from[-1] != '/')
		from--;
	return read_name((struct str){ from, (size_t)(end - from) }, ret);
}

static bool read_lack(const char *line, const struct lack *lack, char ret[static NAME_MOST])
{
	const char *name, *end;

	if (!lack->before) {
		end = line + strlen(line) - (str_ends(line, lack->after) ? strlen(lack->after) : 0);
		return *end && read_word_before(line, end, ret);
	}
	name = strstr(line, lack->before);
	if (!name)
		return false;
	name += strlen(lack->before);
	end = strstr(name, lack->after);
	return end && read_name(str_of(name), ret) &&
	       (!lack->after[0] || name + strlen(ret) == end);
}

/* A compiler by its name is not the one that Kiln gives a build, with its flags. */
static bool is_compiler(const char *name)
{
	static const char *const names[] = { "cc", "gcc", "c++", "g++" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

/* Whether there was something to say: what every image has it does not lack. */
static bool add_lack(struct buf *text, const struct stage *stage, const struct thing *thing,
                     const char *name)
{
	const char *package = thing->package ? thing->package(name) : NULL;
	const char *field = is_workload(stage) ? "tools" : "add";
	const char *place = is_workload(stage) ? "run { }" : "release { }";

	if (thing == &tool && is_compiler(name)) {
		add_line(
			text,
			"the build calls %s by its name, and so not the compiler of the recipe with its "
			"flags: let it use $(CC) and $(CXX), or set its own variable for that",
			name);
		return true;
	}
	if (package && !package[0])
		return false;
	if (package)
		add_line(text, "the image lacks %s: %s = { \"%s\" } in %s adds it", name, field,
		         package, place);
	else if (thing->prefix)
		add_line(
			text,
			"the image lacks %s: %s = { \"%s%s%s\" } in %s adds its Debian package, if "
			"that is how it is called",
			name, field, thing->prefix, name, thing->suffix, place);
	else
		add_line(text,
		         "%s is not in the image: if the project itself does not bring it, add the "
		         "Debian package that has it (apt-file search %s): %s = { … } in %s",
		         name, name, field, place);
	return true;
}

/* The first that the log names: what follows is most often its consequence. */
static void image_lacks(struct buf *text, const struct stage *stage, const char *said)
{
	struct str rest = str_of(said), line;
	char name[NAME_MOST];

	while (str_cut(&rest, '\n', &line)) {
		_cleanup_free_ char *copy = str_dup_n(line.p, line.n);

		for (size_t i = 0; i < ARRAY_LEN(lacks); i++)
			if (read_lack(copy, &lacks[i], name) &&
			    add_lack(text, stage, lacks[i].thing, name))
				return;
		if (!rest.p)
			return;
	}
}

/* ---- what a stage did not leave behind ------------------------------------------------------ */

static bool compiles(const struct stage *stage)
{
	return str_eq(stage->kind, "build") || str_eq(stage->kind, "instrument") ||
	       str_eq(stage->kind, "rebuild");
}

/* Whether it said something. */
static bool output_lacks(struct buf *text, const struct stage *stage, const char *why)
{
	size_t n = text->n;

	if (!str_starts(why, "the output "))
		return false;
	if (is_workload(stage) && str_starts(why, "the output prof"))
		add_line(text,
		         "no profile was written: the program must end by itself (a signal "
		         "leaves none), and be compiled and linked with the recipe's CFLAGS and "
		         "LDFLAGS");
	else if (compiles(stage))
		add_line(text,
		         "bins = { … } names each program by its path where the build leaves it");
	return text->n > n;
}

void advice_add(struct buf *text, const struct plan_node *node, const char *why, const char *tail)
{
	if (!node->lowered->action.builtin && tail) {
		network(text, node->stage, tail);
		space(text, tail);
		rename_fails(text, tail);
		image_lacks(text, node->stage, tail);
	}
	if (why)
		image_lacks(text, node->stage, why);
	if (why && output_lacks(text, node->stage, why))
		return;
	if (node->lowered->advice)
		add_line(text, "%s", node->lowered->advice);
}
