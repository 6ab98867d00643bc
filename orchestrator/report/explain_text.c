/* Why a stage runs, in words and as JSON. */
#include "report/explain_text.h"

#include <time.h>

#include "base/array.h"
#include "base/map.h"
#include "base/str.h"

enum {
	SHOWN_MOST = 12,    /* changes of one stage */
	TEXT_MOST = 48,     /* bytes of a value */
	BEFORE_CHANGE = 16, /* … and how many of them before what differs */
	DIGEST_TEXT_SIZE = 7 + DIGEST_HEX_LEN,
	LABEL_WIDTH = 44,
};

/* ---- words ---------------------------------------------------------------------------------- */

/* "2026-11-18 14:02", in the machine's time zone. */
static const char *day_of(const struct explanation *e, char out[32])
{
	time_t seconds = (time_t)(e->since_us / 1000000);
	struct tm tm;

	if (!e->since_us || !localtime_r(&seconds, &tm) ||
	    !strftime(out, 32, "%Y-%m-%d %H:%M", &tm))
		return "its last run";
	return out;
}

static void add_changed(struct buf *text, const struct explanation *e)
{
	char out[32];
	const char *day = day_of(e, out);

	switch (e->state) {
	case EXPLAIN_CACHED:
		buf_fmt(text,
		        e->found_again ?
		                "is cached: an earlier run was found again when this changed since "
		                "%s" :
		                "is cached; it last ran because this changed since %s",
		        day);
		break;
	case EXPLAIN_MAY_RUN:
		buf_fmt(text, "may run, if this comes out otherwise than on %s", day);
		break;
	case EXPLAIN_OTHERWISE:
		buf_fmt(text, "came out otherwise: this changed since %s", day);
		break;
	default:
		buf_fmt(text, "will run: this changed since %s", day);
		break;
	}
}

static const char *reason_text(const struct explanation *e)
{
	static const char *const texts[] = {
		[REASON_NEVER] = "it never ran here",
		[REASON_LOST] =
			"nothing changed, but its result is not whole in the store any more",
		[REASON_FAILED] = "it failed, and nothing changed since",
		[REASON_AGAIN] = ("nothing changed, but two runs of the same gave different "
		                  "bytes: it is not reproducible"),
		[REASON_UNKNOWN] = "what it was made of before is not kept any more",
	};

	return e->reason == REASON_NEVER && e->state == EXPLAIN_CACHED ?
	               "no earlier run of it is known" :
	               texts[e->reason];
}

static void add_head(struct buf *text, const struct explanation *e)
{
	static const char *const states[] = {
		[EXPLAIN_CACHED] = "is cached",
		[EXPLAIN_RUNS] = "will run",
		[EXPLAIN_MAY_RUN] = "may run, once this has run",
		[EXPLAIN_OTHERWISE] = "came out otherwise",
	};

	buf_fmt(text, "%s ", e->address);
	if (e->state == EXPLAIN_PINNED)
		buf_add_str(text, "is pinned: the lock has what it makes");
	else if (e->reason == REASON_CHANGED)
		add_changed(text, e);
	else
		buf_fmt(text, "%s: %s", states[e->state], reason_text(e));
	buf_add_char(text, '\n');
}

/* Whole characters of UTF-8 only: back to where one begins. */
static size_t begins_at(const char *text, size_t at)
{
	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

/* One line of a value: a digest by its first digits, a long text from a little before `from` on. */
static void add_value(struct buf *text, const char *value, size_t from)
{
	_cleanup_free_ char *shown = NULL;
	size_t start, n;

	if (!value) {
		buf_add_str(text, "nothing");
		return;
	}
	if (str_starts(value, "sha256:") && strlen(value) >= DIGEST_TEXT_SIZE) {
		buf_fmt(text, "%.8s%s", value + 7, value + DIGEST_TEXT_SIZE);
		return;
	}
	start = strlen(value) <= TEXT_MOST || from < BEFORE_CHANGE ?
	                0 :
	                begins_at(value, from - BEFORE_CHANGE);
	shown = str_escape(str_of(value + start));
	n = strlen(shown) <= TEXT_MOST ? strlen(shown) : begins_at(shown, TEXT_MOST);
	buf_fmt(text, "%s%.*s%s", start ? "…" : "", (int)n, shown, shown[n] ? "…" : "");
}

/* Where two texts begin to differ. */
static size_t differs_at(const char *a, const char *b)
{
	size_t n = 0;

	while (a && b && a[n] && a[n] == b[n])
		n++;
	return n;
}

/* "argument 7", "variable CFLAGS", "place of …", and of a file its path alone; caller frees. */
static char *label(const struct change *change)
{
	_cleanup_free_ char *what = str_escape(str_of(change->what ? change->what : ""));
	const char *kind = change_kind_text(change->kind);

	if (change->kind == CHANGE_FILE)
		return str_dup(what[0] ? what : ".");
	return str_fmt("%s%s%s", kind,
	               change->kind == CHANGE_PLACE ? " of " :
	               change->what                 ? " " :
	                                              "",
	               what);
}

static void indent(struct buf *text, int depth)
{
	for (int i = 0; i < depth; i++)
		buf_add_str(text, "  ");
}

static void add_change(struct buf *text, const struct change *change, int width, int depth)
{
	const size_t from = differs_at(change->before, change->after);
	_cleanup_free_ char *name = label(change);

	indent(text, depth);
	buf_fmt(text, "%-*s  ", width, name);
	add_value(text, change->before, from);
	buf_add_str(text, " → ");
	add_value(text, change->after, from);
	if (change->from && change->kind == CHANGE_FILE)
		buf_fmt(text, "   (%s)", change->from);
	if (change->caused)
		buf_fmt(text, "   (%s)", change->caused);
	buf_add_char(text, '\n');
}

static int widest(const struct changes *changes, size_t n)
{
	int most = 0;

	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *name = label(&changes->list[i]);
		int width = (int)strlen(name);

		if (changes->list[i].kind == CHANGE_STAGE)
			continue;
		if (width > most && width <= LABEL_WIDTH)
			most = width;
	}
	return most;
}

/* What was compared and is the same: half of an explanation is what it is not. */
static void add_equal(struct buf *text, const struct explanation *e, int depth)
{
	static const struct {
		enum change_kind kind;
		const char *word;
	} words[] = {
		{ CHANGE_FILE, "sources" },          { CHANGE_STAGE, "other stages" },
		{ CHANGE_PROFILE, "profiles" },      { CHANGE_IMAGE, "image" },
		{ CHANGE_ARGUMENT, "command line" }, { CHANGE_VARIABLE, "environment" },
	};
	size_t n = 0;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (e->equal >> words[i].kind & 1) {
			if (n == 0)
				indent(text, depth);
			buf_fmt(text, "%s%s", n++ ? ", " : "not because of: ", words[i].word);
		}
	if (n)
		buf_add_char(text, '\n');
}

static void add_explanation(struct buf *text, const struct explanation *e, int depth,
                            struct map *told);

static void add_stage(struct buf *text, const struct change *change, int depth, struct map *told)
{
	const struct explanation *because = change->because;

	if (because && !map_get_n(told, &because, sizeof(because))) {
		add_explanation(text, because, depth, told);
		return;
	}
	indent(text, depth);
	buf_fmt(text, "%s %s%s\n", change->what,
	        change->before ? "made something else" : "is made anew",
	        because ? ": as above" : "");
}

static void add_explanation(struct buf *text, const struct explanation *e, int depth,
                            struct map *told)
{
	const struct changes *c = &e->changes;
	size_t shown = 0;
	int width = widest(c, c->n < SHOWN_MOST ? c->n : SHOWN_MOST);

	map_set_n(told, &e, sizeof(e), (void *)e);
	indent(text, depth);
	add_head(text, e);
	for (size_t i = 0; i < c->n && shown < SHOWN_MOST; i++, shown++) {
		if (c->list[i].kind == CHANGE_STAGE)
			add_stage(text, &c->list[i], depth + 1, told);
		else
			add_change(text, &c->list[i], width, depth + 1);
	}
	if (shown < c->n + c->n_more) {
		indent(text, depth + 1);
		buf_fmt(text, "… and %zu more%s\n", c->n + c->n_more - shown,
		        c->n_more ? "; --json lists the first thousand" : "; --json lists them");
	}
	if (e->reason == REASON_CHANGED && depth == 0)
		add_equal(text, e, depth + 1);
}

void explain_text(const struct explanation *e, struct buf *text)
{
	struct map *told = map_new();

	add_explanation(text, e, 0, told);
	map_free(told);
}

/* ---- in a few words -------------------------------------------------------------------------- */

static const char *verb(const struct change *change)
{
	return !change->before ? "is new" : !change->after ? "is gone" : "changed";
}

static const char *leaf_words(struct arena *arena, const struct change *change)
{
	_cleanup_free_ char *what = str_escape(str_of(change->what ? change->what : ""));

	switch (change->kind) {
	case CHANGE_FILE:
	case CHANGE_PROFILE:
		return arena_fmt(arena, "%s %s", what, verb(change));
	case CHANGE_INPUT:
		return arena_fmt(arena, "the input %s %s", what, verb(change));
	case CHANGE_TEXT:
	case CHANGE_PLACE:
	case CHANGE_ARGUMENT:
	case CHANGE_VARIABLE:
		if (change->caused)
			return arena_fmt(arena, "%s %s %s, as did %s",
			                 change_kind_text(change->kind), what, verb(change),
			                 change->caused);
		return arena_fmt(arena, "%s %s %s", change_kind_text(change->kind), what,
		                 verb(change));
	case CHANGE_PACKAGE:
	case CHANGE_OUTPUT:
		return arena_fmt(arena, "%s %s %s", change_kind_text(change->kind), what,
		                 verb(change));
	default:
		return arena_fmt(arena, "%s %s", change_kind_text(change->kind), verb(change));
	}
}

static const char *reason_words(const struct explanation *e)
{
	switch (e->reason) {
	case REASON_NEVER:
		return "never ran here";
	case REASON_LOST:
		return "its result is lost";
	case REASON_FAILED:
		return "failed last time";
	case REASON_AGAIN:
		return "came out otherwise, though nothing changed";
	case REASON_UNKNOWN:
		return "its last action is not kept";
	case REASON_CHANGED:
		break;
	}
	return "nothing changed";
}

/* An address without the target that the other one has too. */
static const char *seen_from(const char *address, const char *other)
{
	size_t n = strcspn(address, "/") + 1;

	return strncmp(address, other, n) == 0 ? other + n : other;
}

const char *explain_summary(struct arena *arena, const struct explanation *e)
{
	const struct explanation *at = e;
	const struct change *change = NULL;
	bool more = false;

	if (e->state == EXPLAIN_PINNED || e->state == EXPLAIN_CACHED)
		return NULL;
	if (e->reason != REASON_CHANGED)
		return reason_words(e);
	/* Down to what is no other stage's doing; a stage's own changes come first. */
	while (at && at->changes.n) {
		change = &at->changes.list[0];
		more |= at->changes.n + at->changes.n_more > 1;
		for (size_t i = 0; i < at->changes.n && change->kind == CHANGE_STAGE; i++)
			if (at->changes.list[i].kind != CHANGE_STAGE)
				change = &at->changes.list[i];
		if (change->kind != CHANGE_STAGE || !change->because)
			break;
		at = change->because;
		change = NULL;
	}
	if (!at)
		return NULL;
	return arena_fmt(arena, "%s%s%s%s", change ? leaf_words(arena, change) : reason_words(at),
	                 at == e ? "" : ", by way of ",
	                 at == e ? "" : seen_from(e->address, at->address),
	                 more ? "; and more" : "");
}

/* ---- JSON ----------------------------------------------------------------------------------- */

struct listing {
	ARRAY(const struct explanation *) list;
	struct map *places; /* explanation → place + 1 */
};

static size_t place_of(struct listing *l, const struct explanation *e)
{
	size_t place = (size_t)(uintptr_t)map_get_n(l->places, &e, sizeof(e));

	if (place)
		return place - 1;
	array_push(&l->list, e);
	map_set_n(l->places, &e, sizeof(e), (void *)(uintptr_t)l->list.n);
	return l->list.n - 1;
}

static json_t *any_or_null(const char *text)
{
	return text ? json_any_text(text) : json_null();
}

static json_t *change_json(struct listing *l, const struct change *c)
{
	json_t *json = json_pack("{s:s,s:o,s:o,s:o}", "kind", change_kind_text(c->kind), "what",
	                         any_or_null(c->what), "before", any_or_null(c->before), "after",
	                         any_or_null(c->after));

	if (c->from)
		json_object_set_new(json, c->kind == CHANGE_STAGE ? "output" : "source",
		                    json_any_text(c->from));
	if (c->caused)
		json_object_set_new(json, "cause", json_any_text(c->caused));
	if (c->because)
		json_object_set_new(json, "because",
		                    json_integer((json_int_t)place_of(l, c->because)));
	return json;
}

static json_t *stage_json(struct listing *l, const struct explanation *e)
{
	static const char *const states[] = {
		[EXPLAIN_PINNED] = "pinned", [EXPLAIN_CACHED] = "cached",   [EXPLAIN_RUNS] = "run",
		[EXPLAIN_MAY_RUN] = "run?",  [EXPLAIN_OTHERWISE] = "other",
	};
	static const char *const reasons[] = {
		[REASON_CHANGED] = "changed", [REASON_NEVER] = "never ran",
		[REASON_LOST] = "lost",       [REASON_FAILED] = "failed",
		[REASON_AGAIN] = "again",     [REASON_UNKNOWN] = "unknown",
	};
	json_t *changes = json_array(), *equal = json_array();

	for (size_t i = 0; i < e->changes.n; i++)
		json_array_append_new(changes, change_json(l, &e->changes.list[i]));
	for (int k = 0; k < CHANGE_KINDS && e->reason == REASON_CHANGED; k++)
		if (e->equal >> k & 1)
			json_array_append_new(equal,
			                      json_string(change_kind_text((enum change_kind)k)));
	return json_pack("{s:s,s:s,s:s,s:I,s:o,s:I,s:o}", "address", e->address, "state",
	                 states[e->state], "reason", reasons[e->reason], "since_us",
	                 (json_int_t)e->since_us, "changes", changes, "more",
	                 (json_int_t)e->changes.n_more, "equal", equal);
}

json_t *explain_json(const struct explanation *const *list, size_t n)
{
	struct listing l = { .places = map_new() };
	json_t *stages = json_array();

	for (size_t i = 0; i < n; i++)
		place_of(&l, list[i]);
	for (size_t i = 0; i < l.list.n; i++)
		json_array_append_new(stages, stage_json(&l, l.list.v[i]));
	array_deinit(&l.list);
	map_free(l.places);
	return json_pack("{s:s,s:i,s:o}", "schema", "kiln.explain/1", "asked", (int)n, "stages",
	                 stages);
}
