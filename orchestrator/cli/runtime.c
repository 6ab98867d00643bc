/*
 * Choosing the sandbox runtime. What is not pinned runs only when somebody asks for it by name; the
 * others are tried in the table's order, and a machine where none works learns of each why.
 */
#include "cli/runtime.h"

#include "cli/print.h"

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

/* The first pinned one that works. What its forerunners lack is in `why` also when it is found. */
static const struct sandbox_runtime *first_that_works(int *ret_userns_fd, struct err *why)
{
	for (size_t i = 0; sandbox_runtimes[i]; i++) {
		const struct sandbox_runtime *runtime = sandbox_runtimes[i];
		struct err reason = ERR_INIT;

		if (!runtime->pinned)
			continue;
		if (runtime->probe(ret_userns_fd, &reason) == 0)
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

		if (named->probe(&s->userns_fd, err) < 0)
			return -1;
		if (!named->pinned)
			print_note(s->cli,
			           "kiln: warning: the %s runtime is no sandbox: what it "
			           "builds is marked unpinned",
			           named->name);
		s->runtime = named;
		return 0;
	}
	s->runtime = first_that_works(&s->userns_fd, &why);
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
