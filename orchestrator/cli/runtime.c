/*
 * Choosing the sandbox runtime. What is not pinned runs only when somebody asks for it by name; the
 * others are tried in the table's order, and a machine where none works learns of each why. That one worked is kept
 * in the store, as long as the machine runs and what it depends on stays as it was (struct sandbox_runtime).
 */
#include "cli/runtime.h"

#include "cli/print.h"
#include "snapshot/kept.h"
#include "snapshot/snapshot.h"

int runtime_check_name(const char *name, struct err *err)
{
	_cleanup_buf_ struct buf names = BUF_INIT(4096);

	if (!name || sandbox_find(name))
		return 0;
	for (size_t i = 0; sandbox_runtimes[i]; i++)
		buf_fmt(&names, "%s%s",
		        i == 0                  ? "" :
		        sandbox_runtimes[i + 1] ? ", " :
		                                  " and ",
		        sandbox_runtimes[i]->name);
	return err_set(err, ERR_USAGE, "--runtime is \"%s\"; there are %s", name, buf_text(&names));
}

bool runtime_leaves_image(const char *name)
{
	const struct sandbox_runtime *runtime = name ? sandbox_find(name) : NULL;

	return runtime && !runtime->pinned;
}

int runtime_check_lock(const char *name, struct err *err)
{
	if (!runtime_leaves_image(name))
		return 0;
	return err_set(err, ERR_USAGE,
	               "what the %s runtime builds is not pinned and cannot be locked; lock "
	               "without --runtime",
	               name);
}

/* The first one's cause and hint stand first. */
static void add_reason(struct err *err, const struct err *reason)
{
	const struct err before = *err;

	if (!before.code) {
		*err = *reason;
		return;
	}
	err_clear(err);
	err_set(err, before.code, "%s; %s", before.cause, reason->cause);
	err_hint(err, "%s", before.hint);
}

/* ---- what was found out --------------------------------------------------------------------- */

static const char magic[] = "kilnrun1";

/* What the store keeps the answer of a probe under; false: it is asked each time. */
static bool key_of(const struct session *s, const struct sandbox_runtime *runtime, struct buf *key,
                   char name[64])
{
	if (s->paranoid || !runtime->premises || snapshot_key_machine("/proc/self/exe", key) < 0)
		return false;
	buf_fmt(key, "%s\n", runtime->name);
	if (runtime->premises(key) < 0 || key->overflow)
		return false;
	kept_name(key, ".runtime", name);
	return true;
}

static bool worked_before(struct session *s, const struct buf *key, const char *name)
{
	struct kept kept;

	if (!kept_open(store_folder(s->store), name, magic, key, &kept))
		return false;
	kept_close(&kept);
	s->probed = arena_str(s->arena, name);
	return true;
}

static void keep_that_it_works(struct session *s, const struct buf *key, const char *name)
{
	struct kept_writer *w = kept_new(store_folder(s->store), magic, key);

	kept_keep(w, name);
	kept_free(w);
}

void runtime_forget(struct session *s)
{
	if (s->probed)
		kept_drop(store_folder(s->store), s->probed);
}

/* A trial takes longer than all else of a run that has nothing to do. */
static int probe(struct session *s, const struct sandbox_runtime *runtime, struct err *err)
{
	_cleanup_buf_ struct buf key = BUF_INIT(SNAPSHOT_KEY_MOST);
	char name[64];
	const bool keeps = key_of(s, runtime, &key, name);

	if (keeps && worked_before(s, &key, name))
		return 0;
	if (runtime->probe(&s->userns_fd, err) < 0)
		return -1;
	if (keeps && !s->userns_fd)
		keep_that_it_works(s, &key, name);
	return 0;
}

/* ---- choosing ------------------------------------------------------------------------------- */

/* The first pinned one that works. What its forerunners lack is in `why` also when it is found. */
static const struct sandbox_runtime *first_that_works(struct session *s, struct err *why)
{
	for (size_t i = 0; sandbox_runtimes[i]; i++) {
		const struct sandbox_runtime *runtime = sandbox_runtimes[i];
		struct err reason = ERR_INIT;

		if (!runtime->pinned)
			continue;
		if (probe(s, runtime, &reason) == 0)
			return runtime;
		add_reason(why, &reason);
	}
	return NULL;
}

int session_choose_runtime(struct session *s, struct err *err)
{
	struct err why = ERR_INIT;

	if (s->runtime)
		return 0;
	if (s->runtime_name) {
		const struct sandbox_runtime *named = sandbox_find(s->runtime_name);

		if (probe(s, named, err) < 0)
			return -1;
		if (!named->pinned)
			print_note(s->cli,
			           "kiln: warning: the %s runtime is no sandbox: what it "
			           "builds is marked unpinned",
			           named->name);
		s->runtime = named;
		return 0;
	}
	s->runtime = first_that_works(s, &why);
	if (!s->runtime) {
		*err = why;
		return -1;
	}
	if (why.code)
		print_note(s->cli, "  runtime %s: the one before it does not work here (%s)",
		           s->runtime->name, why.cause);
	return 0;
}

int runtime_survey(struct buf *text, struct err *err)
{
	const struct sandbox_runtime *used = NULL;
	struct err why = ERR_INIT;

	for (size_t i = 0; sandbox_runtimes[i]; i++) {
		const struct sandbox_runtime *runtime = sandbox_runtimes[i];
		struct err reason = ERR_INIT;

		if (!runtime->pinned)
			continue;
		buf_fmt(text, "%s%s ", text->n ? "; " : "", runtime->name);
		if (runtime->probe(NULL, &reason) == 0) {
			buf_add_str(text, used ? "works too" : "works and is used");
			used = used ? used : runtime;
		} else {
			buf_fmt(text, "does not work (%s)", reason.cause);
			add_reason(&why, &reason);
		}
	}
	if (used)
		return used == sandbox_runtimes[0] ? 0 : RUNTIME_SECOND;
	buf_clear(text);
	*err = why;
	return -1;
}
