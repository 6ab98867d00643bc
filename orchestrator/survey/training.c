/* Which files of a project its programs could be trained on. */
#include "survey/training.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "host/fs.h"
#include "survey/surveyor.h"

#include <fcntl.h>

enum { TRAIN_MOST = 6, HOLD_MOST = 2, FILES_LEAST = 2 };
enum { BYTES_LEAST = 64, BYTES_MOST = 8 << 20 };

/* Folders of data in the order of their worth, with what stands in them. */
struct place {
	const char *folder;
	enum training_worth worth;
};

static const struct place places[] = {
	{ "bench", TRAINING_BENCHMARKS },
	{ "benches", TRAINING_BENCHMARKS },
	{ "benchmark", TRAINING_BENCHMARKS },
	{ "benchmarks", TRAINING_BENCHMARKS },
	{ "perf", TRAINING_BENCHMARKS },
	{ "testdata", TRAINING_TESTS },
	{ "tests", TRAINING_TESTS },
	{ "test", TRAINING_TESTS },
	{ "t", TRAINING_TESTS },
	{ "examples", TRAINING_TESTS },
	{ 0 },
};

/* "config.h.in" becomes a file of the build; "case1.in" is what a program reads. */
static bool is_template(const char *base)
{
	const char *dot = strchr(base, '.');

	return str_ends(base, ".in") &&
	       (!str_eq(dot, ".in") || str_starts(base, "config") || str_starts(base, "Makefile"));
}

/* Whether a tracked file is data: neither code nor a part of a build or of a test's machinery. */
static bool is_data(const struct survey *s, const struct git_entry *entry)
{
	static const char *const not_data[] = { ".c",     ".h",     ".cc",   ".cpp", ".hpp", ".rs",
		                                ".go",    ".py",    ".sh",   ".am",  ".mk",  ".pl",
		                                ".cmake", ".build", ".toml", ".lua", ".md",  ".yml",
		                                ".yaml",  ".bats",  ".exp",  ".tcl", ".rb",  ".js",
		                                ".ts",    ".m4",    ".ac",   NULL };
	static const char *const names[] = { "Makefile", "README", "CMakeLists.txt", NULL };
	const char *base = path_base(entry->path);
	_cleanup_free_ char *full = path_join(s->repo.top, entry->path);
	struct err ignored = ERR_INIT;
	struct stat st;

	if (entry->mode != 0100644 || base[0] == '.' || is_template(base))
		return false;
	for (size_t i = 0; not_data[i]; i++)
		if (str_ends(base, not_data[i]))
			return false;
	for (size_t i = 0; names[i]; i++)
		if (str_starts(base, names[i]))
			return false;
	return fs_stat(AT_FDCWD, full, &st, &ignored) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size >= BYTES_LEAST && st.st_size <= BYTES_MOST;
}

struct sized {
	const char *path;
	const char *id; /* of its content */
	off_t size;
};

struct sizes {
	ARRAY(struct sized) list;
};

/* The largest first: they make the program work. Equal ones by name. */
static int by_size(const void *a, const void *b)
{
	const struct sized *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return strcmp(x->path, y->path);
}

static void find_data(const struct survey *s, const char *folder, struct sizes *ret)
{
	for (size_t i = 0; i < s->files.list.n; i++) {
		const struct git_entry *entry = &s->files.list.v[i];
		_cleanup_free_ char *full = path_join(s->repo.top, entry->path);
		struct stat st;

		if (path_is_below(entry->path, folder) && is_data(s, entry) && stat(full, &st) == 0)
			array_push(&ret->list,
			           ((struct sized){ entry->path, entry->id, st.st_size }));
	}
	array_sort(&ret->list, by_size);
}

static const char *say(const struct survey *s, const struct training *t, const char *folder)
{
	switch (t->worth) {
	case TRAINING_BENCHMARKS:
		return arena_fmt(
			s->arena,
			"A sketch: the largest files of %s/. They are what this project "
			"measures, so likely\n  -- near to its use; make the command lines "
			"those of your users.",
			folder);
	case TRAINING_TESTS:
		return arena_fmt(
			s->arena,
			"A sketch: the largest files of %s/. Tests go into corners that users "
			"seldom see: put in\n  -- their place what the program does all day.",
			folder);
	case TRAINING_NOTHING:
		break;
	}
	return "A sketch, and not representative: nothing to train on was found, so the program only "
	       "says\n  -- what it is. Put in its place what it does all day.";
}

/* A recipe may not train on what it holds out, under whatever name. */
static bool has_id(const char *const *ids, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(ids[i], id))
			return true;
	return false;
}

static void add_runs(struct survey *s, struct training *t, const char *folder,
                     const struct sizes *found)
{
	const char *taken[TRAIN_MOST + HOLD_MOST];
	size_t n = 0, turn = 0;

	/* Every third is held out. */
	for (size_t i = 0; i < found->list.n && n < TRAIN_MOST + HOLD_MOST; i++) {
		const struct sized *one = &found->list.v[i];
		struct training_run run = { .bin = path_base(s->bins.v[0]) };
		bool hold;

		if (has_id(taken, n, one->id))
			continue;
		hold = turn++ % 3 == 1;
		if (hold ? t->holdout.n >= HOLD_MOST : t->train.n >= TRAIN_MOST)
			continue;
		taken[n++] = one->id;
		run.arguments = arena_fmt(s->arena, ", file %s",
		                          survey_quote(s, one->path + strlen(folder) + 1));
		run.name = arena_fmt(s->arena, "%s%zu", hold ? "held" : "run",
		                     (hold ? t->holdout.n : t->train.n) + 1);
		if (hold)
			array_push(&t->holdout, run);
		else
			array_push(&t->train, run);
	}
}

/* A program that knows no such option says so, and that will do. */
#define UNKNOWN_OPTION ", exit = { 1, 2 }"

static void add_nothing(struct survey *s, struct training *t)
{
	const char *bin = path_base(s->bins.v[0]);

	t->worth = TRAINING_NOTHING;
	array_push(&t->train,
	           ((struct training_run){ "help", bin, ", \"--help\"" UNKNOWN_OPTION, NULL }));
	array_push(&t->holdout, ((struct training_run){ "version", bin,
	                                                ", \"--version\"" UNKNOWN_OPTION, NULL }));
}

/* The other programs of the build: with pgo each must have run. What they say of themselves, or that
 * they know no such option, will do. */
static void add_others(struct survey *s, struct training *t)
{
	for (size_t i = 1; i < s->bins.n; i++)
		array_push(&t->train,
		           ((struct training_run){ arena_fmt(s->arena, "only%zu", i + 1),
		                                   path_base(s->bins.v[i]),
		                                   ", \"--version\"" UNKNOWN_OPTION, NULL }));
	if (s->bins.n > 1)
		survey_note(
			s,
			"train has files for %s alone; the runs only2, only3, … are there because "
			"with pgo every program is trained: give them work too",
			path_base(s->bins.v[0]));
}

/* Whether a place has enough for both lists: files that are all one, under several names, have not. */
static bool sketch_from(struct survey *s, const struct place *place, struct training *ret)
{
	struct sizes found = { 0 };

	ret->train.n = ret->holdout.n = 0;
	find_data(s, place->folder, &found);
	if (found.list.n >= FILES_LEAST)
		add_runs(s, ret, place->folder, &found);
	array_deinit(&found.list);
	if (ret->train.n && ret->holdout.n) {
		ret->work = place->folder;
		ret->worth = place->worth;
		return true;
	}
	ret->train.n = ret->holdout.n = 0;
	return false;
}

static bool sketch_from_any(struct survey *s, struct training *ret)
{
	for (const struct place *place = places; s->bins.n && place->folder; place++)
		if (sketch_from(s, place, ret))
			return true;
	return false;
}

const char *training_folder(struct survey *s)
{
	struct training training = { .work = NULL };
	const char *folder = sketch_from_any(s, &training) ? training.work : NULL;

	training_deinit(&training);
	return folder;
}

void training_sketch(struct survey *s, struct training *ret)
{
	*ret = (struct training){ .work = NULL };
	if (!sketch_from_any(s, ret))
		add_nothing(s, ret);
	add_others(s, ret);
	ret->says = say(s, ret, ret->work ? ret->work : "");
}

void training_deinit(struct training *training)
{
	array_deinit(&training->train);
	array_deinit(&training->holdout);
}
