/* Differences, leaf by leaf. What is sorted is merged; command lines are aligned. */
#include "engine/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "store/directory.h"

enum { ALIGNED_MOST = 1 << 20 }; /* cells; larger command lines are replaced as a whole */

const char *change_kind_text(enum change_kind kind)
{
	static const char *const texts[CHANGE_KINDS] = {
		[CHANGE_FILE] = "file",
		[CHANGE_TEXT] = "text",
		[CHANGE_INPUT] = "input",
		[CHANGE_PLACE] = "place",
		[CHANGE_PROFILE] = "profile",
		[CHANGE_ARGUMENT] = "argument",
		[CHANGE_VARIABLE] = "variable",
		[CHANGE_PACKAGE] = "package",
		[CHANGE_IMAGE] = "image",
		[CHANGE_BUILTIN] = "builtin",
		[CHANGE_ARCHITECTURE] = "architecture",
		[CHANGE_FOLDER] = "folder",
		[CHANGE_OUTPUT] = "output",
		[CHANGE_EXIT] = "exit-codes",
		[CHANGE_REJECT] = "reject",
		[CHANGE_ADDRESSES] = "fixed-addresses",
		[CHANGE_STAGE] = "stage",
	};

	return texts[kind];
}

void changes_add(struct changes *changes, const struct change *change)
{
	if (changes->n == CHANGES_MOST) {
		changes->n_more++;
		return;
	}
	if (changes->n == changes->cap) {
		struct change *old = changes->list;

		changes->cap = changes->cap ? changes->cap * 4 : 4;
		changes->list = arena_array(changes->arena, changes->cap, sizeof(*changes->list));
		if (changes->n)
			memcpy(changes->list, old, changes->n * sizeof(*old));
	}
	changes->list[changes->n++] = *change;
}

static void add(struct changes *changes, enum change_kind kind, const char *what,
                const char *before, const char *after)
{
	changes_add(changes, &(struct change){ kind, what, before, after, NULL, NULL, NULL });
}

static void compare_texts(struct changes *changes, enum change_kind kind, const char *what,
                          const char *before, const char *after)
{
	if (!before || !after ? before != after : !str_eq(before, after))
		add(changes, kind, what, before, after);
}

/* ---- command lines -------------------------------------------------------------------------- */

struct words {
	const char **v;
	size_t n;
};

/* length[i * (after.n + 1) + j]: the longest common subsequence of what is left from i and j on. */
static uint32_t *common_lengths(const struct words *before, const struct words *after)
{
	const size_t row = after->n + 1;
	uint32_t *length = alloc_array((before->n + 1) * row, sizeof(*length));

	for (size_t i = before->n; i-- > 0;)
		for (size_t j = after->n; j-- > 0;) {
			uint32_t *cell = &length[i * row + j];

			if (str_eq(before->v[i], after->v[j]))
				*cell = cell[row + 1] + 1;
			else
				*cell = cell[row] > cell[1] ? cell[row] : cell[1];
		}
	return length;
}

/* A stretch in which the two have nothing in common: word against word, as far as both go. */
static void add_stretch(struct changes *changes, const char **before, size_t n_before,
                        const char **after, size_t n_after, size_t number)
{
	for (size_t i = 0; i < n_before || i < n_after; i++)
		add(changes, CHANGE_ARGUMENT, arena_fmt(changes->arena, "%zu", number + i),
		    i < n_before ? before[i] : NULL, i < n_after ? after[i] : NULL);
}

/* Walks both along the longest common subsequence; `number` is that of after's first word. */
static void align(struct changes *changes, const struct words *before, const struct words *after,
                  size_t number)
{
	const size_t row = after->n + 1;
	uint32_t *length = common_lengths(before, after);
	size_t i = 0, j = 0, from_i = 0, from_j = 0;

	while (i < before->n || j < after->n) {
		if (i < before->n && j < after->n && str_eq(before->v[i], after->v[j])) {
			add_stretch(changes, before->v + from_i, i - from_i, after->v + from_j,
			            j - from_j, number + from_j);
			from_i = ++i;
			from_j = ++j;
		} else if (j == after->n || (i < before->n && length[(i + 1) * row + j] >=
		                                                      length[i * row + j + 1])) {
			i++;
		} else {
			j++;
		}
	}
	add_stretch(changes, before->v + from_i, i - from_i, after->v + from_j, j - from_j,
	            number + from_j);
	free(length);
}

static void compare_arguments(struct changes *changes, const struct action *before,
                              const struct action *after)
{
	struct words b = { before->argv, before->n_argv }, a = { after->argv, after->n_argv };
	size_t number = 1;

	while (b.n && a.n && str_eq(b.v[0], a.v[0])) {
		b = (struct words){ b.v + 1, b.n - 1 };
		a = (struct words){ a.v + 1, a.n - 1 };
		number++;
	}
	while (b.n && a.n && str_eq(b.v[b.n - 1], a.v[a.n - 1])) {
		b.n--;
		a.n--;
	}
	if ((b.n + 1) * (a.n + 1) > ALIGNED_MOST)
		add_stretch(changes, b.v, b.n, a.v, a.n, number);
	else
		align(changes, &b, &a, number);
}

/* ---- the rest of an action ------------------------------------------------------------------ */

static const char *variable(const struct action *action, const char *name)
{
	for (size_t i = 0; i < action->n_env; i++)
		if (str_eq(action->env[i].name, name))
			return action->env[i].value;
	return NULL;
}

static void compare_variables(struct changes *changes, const struct action *before,
                              const struct action *after)
{
	for (size_t i = 0; i < before->n_env; i++)
		compare_texts(changes, CHANGE_VARIABLE, before->env[i].name, before->env[i].value,
		              variable(after, before->env[i].name));
	for (size_t i = 0; i < after->n_env; i++)
		if (!variable(before, after->env[i].name))
			add(changes, CHANGE_VARIABLE, after->env[i].name, NULL,
			    after->env[i].value);
}

/* How an output is taken, as one text; NULL where the action has no such output. */
static const char *output_text(struct arena *arena, const struct action *action, const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	size_t i = 0;

	while (i < action->n_outputs && !str_eq(action->outputs[i].path, path))
		i++;
	if (i == action->n_outputs)
		return NULL;
	buf_add_str(&text, action->outputs[i].non_empty ? "not empty" : "taken");
	for (size_t e = 0; e < action->outputs[i].n_exclude; e++)
		buf_fmt(&text, "%s%s", e ? ", " : " without ", action->outputs[i].exclude[e]);
	return arena_str(arena, buf_text(&text));
}

static void compare_outputs(struct changes *changes, const struct action *before,
                            const struct action *after)
{
	for (size_t i = 0; i < before->n_outputs; i++) {
		const char *path = before->outputs[i].path;

		compare_texts(changes, CHANGE_OUTPUT, path,
		              output_text(changes->arena, before, path),
		              output_text(changes->arena, after, path));
	}
	for (size_t i = 0; i < after->n_outputs; i++)
		if (!output_text(changes->arena, before, after->outputs[i].path))
			add(changes, CHANGE_OUTPUT, after->outputs[i].path, NULL,
			    output_text(changes->arena, after, after->outputs[i].path));
}

static bool rejects(const struct action *action, const char *text)
{
	for (size_t i = 0; i < action->n_reject; i++)
		if (str_eq(action->reject[i], text))
			return true;
	return false;
}

static void compare_rejects(struct changes *changes, const struct action *before,
                            const struct action *after)
{
	for (size_t i = 0; i < before->n_reject; i++)
		if (!rejects(after, before->reject[i]))
			add(changes, CHANGE_REJECT, NULL, before->reject[i], NULL);
	for (size_t i = 0; i < after->n_reject; i++)
		if (!rejects(before, after->reject[i]))
			add(changes, CHANGE_REJECT, NULL, NULL, after->reject[i]);
}

static const char *codes_text(struct arena *arena, const struct action *action)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 16);

	buf_add_str(&text, "0");
	for (size_t i = 0; i < action->n_exit_codes; i++)
		buf_fmt(&text, ", %d", action->exit_codes[i]);
	return arena_str(arena, buf_text(&text));
}

const char *change_digest_text(struct arena *arena, const struct digest *digest)
{
	return !digest || digest_is_none(digest) ?
	               NULL :
	               arena_fmt(arena, "sha256:%s", DIGEST_TEXT(digest));
}

void change_of_actions(struct changes *changes, const struct action *before,
                       const struct action *after)
{
	struct arena *arena = changes->arena;

	compare_texts(changes, CHANGE_IMAGE, NULL, change_digest_text(arena, before->image),
	              change_digest_text(arena, after->image));
	compare_texts(changes, CHANGE_BUILTIN, NULL, before->builtin, after->builtin);
	compare_texts(changes, CHANGE_ARCHITECTURE, NULL, before->arch, after->arch);
	compare_arguments(changes, before, after);
	compare_variables(changes, before, after);
	compare_texts(changes, CHANGE_FOLDER, NULL, before->workdir, after->workdir);
	compare_outputs(changes, before, after);
	compare_texts(changes, CHANGE_EXIT, NULL, codes_text(arena, before),
	              codes_text(arena, after));
	compare_rejects(changes, before, after);
	compare_texts(changes, CHANGE_ADDRESSES, NULL, before->fixed_addresses ? "yes" : "no",
	              after->fixed_addresses ? "yes" : "no");
}

/* ---- trees ---------------------------------------------------------------------------------- */

struct tree_change {
	struct changes *changes;
	struct blobs *blobs;
	struct arena *arena; /* of the listings */
	const char *from;
};

bool change_same_node(const struct tree_node *a, const struct tree_node *b)
{
	if (a->kind != b->kind || a->executable != b->executable)
		return false;
	return a->kind == NODE_LINK ? str_eq(a->target, b->target) :
	                              digest_eq(&a->ref.digest, &b->ref.digest);
}

static const char *node_text(struct arena *arena, const struct tree_node *node)
{
	if (!node)
		return NULL;
	switch (node->kind) {
	case NODE_LINK:
		return arena_fmt(arena, "-> %s", node->target);
	case NODE_DIR:
		return "a folder";
	case NODE_FILE:
		break;
	}
	return arena_fmt(arena, "%s%s", change_digest_text(arena, &node->ref.digest),
	                 node->executable ? " executable" : "");
}

static bool list(const struct tree_change *t, const struct tree_node *node, struct tree_dir *ret)
{
	struct err ignored = ERR_INIT;

	*ret = (struct tree_dir){ 0 };
	return !node || node->kind != NODE_DIR ||
	       directory_load(t->blobs, t->arena, &node->ref, ret, &ignored) == 0;
}

static void compare_nodes(const struct tree_change *t, const char *path,
                          const struct tree_node *before, const struct tree_node *after);

static void compare_dirs(const struct tree_change *t, const char *path,
                         const struct tree_dir *before, const struct tree_dir *after)
{
	struct tree_pair pair = { .a = before, .b = after };
	const struct tree_node *b, *a;
	const char *name;

	while ((name = tree_pair_next(&pair, &b, &a)))
		compare_nodes(t, path[0] ? arena_fmt(t->arena, "%s/%s", path, name) : name, b, a);
}

static void compare_nodes(const struct tree_change *t, const char *path,
                          const struct tree_node *before, const struct tree_node *after)
{
	struct tree_dir b, a;
	bool listed;

	if (before && after && change_same_node(before, after))
		return;
	listed = list(t, before, &b);
	listed = list(t, after, &a) && listed;
	if (listed && b.n + a.n > 0)
		compare_dirs(t, path, &b, &a);
	/* What is no folder on one side stands for itself, and so does an empty or lost one. */
	if (!listed || b.n + a.n == 0 || (before && after && before->kind != after->kind))
		changes_add(t->changes,
		            &(struct change){ CHANGE_FILE, arena_str(t->changes->arena, path),
		                              node_text(t->changes->arena, before),
		                              node_text(t->changes->arena, after), t->from, NULL,
		                              NULL });
}

void change_of_nodes(struct changes *changes, struct blobs *blobs, const char *from,
                     const char *path, const struct tree_node *before,
                     const struct tree_node *after)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	const struct tree_change t = { changes, blobs, arena, from };

	compare_nodes(&t, path, before, after);
}
