/* Both directions side by side: what is put is taken in the same order. */
#include "model/stage_kept.h"

#include <string.h>

#include "base/str.h"

/* Words that many stages share, each compared with that of the stage before. */
enum word {
	WORD_TARGET,
	WORD_VARIANT,
	WORD_KIND,
	WORD_WHERE,
	WORD_IMAGE,
	WORD_ADVICE,
	WORD_BUILTIN,
	WORD_WORKDIR,
	WORD_POOL,
	WORD_FROM,
};
/* Whoever adds a member keeps it here too. */
#if __SIZEOF_POINTER__ == 8
_Static_assert(sizeof(struct stage) == 72, "all members of a stage");
_Static_assert(sizeof(struct stage_lowered) == 176, "all members of what it is lowered to");
_Static_assert(sizeof(struct action) == 128, "all members of an action");
_Static_assert(sizeof(struct stage_needs) == 56, "all members of what it needs");
#endif
_Static_assert(WORD_FROM + 1 == STAGE_WORDS, "a place for each word");

enum {
	HAS_LOWERED = 1 << 0,
	IS_INCREMENTAL = 1 << 1,
	NEVER_SHIPS = 1 << 2,
	PASSES_ON = 1 << 3,
	FIXED_ADDRESSES = 1 << 4,
	SAME_NEEDS = 1 << 5,
};

/* ---- words ---------------------------------------------------------------------------------- */

static void put_word(struct stages_keeping *k, enum word word, const char *text)
{
	const char *before = k->before[word];
	bool same = text == before || (text && before && str_eq(text, before));

	kept_put(k->file, same ? "=" : "!", 1);
	if (!same)
		kept_put_str(k->file, text);
	k->before[word] = text;
}

static const char *take_word(struct stages_taking *t, enum word word)
{
	const char *same = kept_take(t->file, 1);

	if (same && *same != '=')
		t->before[word] = kept_take_str(t->file);
	return t->before[word];
}

static void put_texts(struct stages_keeping *k, const char *const *texts, size_t n)
{
	kept_put_u32(k->file, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		kept_put_str(k->file, texts[i]);
}

/* How many of what comes next there are: no more than bytes are left. */
static size_t take_count(struct stages_taking *t)
{
	uint32_t n = kept_take_u32(t->file);

	if (n > t->file->n - t->file->at)
		t->file->bad = true;
	return t->file->bad ? 0 : n;
}

static const char **take_texts(struct stages_taking *t, size_t *ret_n)
{
	const char **texts;

	*ret_n = take_count(t);
	texts = *ret_n ? arena_array(t->arena, *ret_n, sizeof(*texts)) : NULL;
	for (size_t i = 0; i < *ret_n; i++)
		texts[i] = kept_take_str(t->file);
	return texts;
}

/* ---- the action ----------------------------------------------------------------------------- */

static void put_env(struct stages_keeping *k, const struct action *action)
{
	kept_put_u32(k->file, (uint32_t)action->n_env);
	for (size_t i = 0; i < action->n_env; i++) {
		kept_put_str(k->file, action->env[i].name);
		kept_put_str(k->file, action->env[i].value);
	}
}

static void take_env(struct stages_taking *t, struct action *action)
{
	action->n_env = take_count(t);
	if (action->n_env)
		action->env = arena_array(t->arena, action->n_env, sizeof(*action->env));
	for (size_t i = 0; i < action->n_env; i++) {
		action->env[i].name = kept_take_str(t->file);
		action->env[i].value = kept_take_str(t->file);
	}
}

static void put_outputs(struct stages_keeping *k, const struct action *action)
{
	kept_put_u32(k->file, (uint32_t)action->n_outputs);
	for (size_t i = 0; i < action->n_outputs; i++) {
		const struct action_output *out = &action->outputs[i];

		kept_put_str(k->file, out->path);
		kept_put_u32(k->file, out->non_empty);
		put_texts(k, out->exclude, out->n_exclude);
	}
}

static void take_outputs(struct stages_taking *t, struct action *action)
{
	action->n_outputs = take_count(t);
	if (action->n_outputs)
		action->outputs =
			arena_array(t->arena, action->n_outputs, sizeof(*action->outputs));
	for (size_t i = 0; i < action->n_outputs; i++) {
		struct action_output *out = &action->outputs[i];

		out->path = kept_take_str(t->file);
		out->non_empty = kept_take_u32(t->file) != 0;
		out->exclude = take_texts(t, &out->n_exclude);
	}
}

static void put_action(struct stages_keeping *k, const struct action *action)
{
	put_texts(k, action->argv, action->n_argv);
	put_env(k, action);
	put_word(k, WORD_WORKDIR, action->workdir);
	put_outputs(k, action);
	put_word(k, WORD_BUILTIN, action->builtin);
	kept_put_u32(k->file, (uint32_t)action->n_exit_codes);
	kept_put(k->file, action->exit_codes, action->n_exit_codes * sizeof(*action->exit_codes));
	put_texts(k, action->reject, action->n_reject);
}

static void take_exit_codes(struct stages_taking *t, struct action *action)
{
	const size_t n = take_count(t), size = sizeof(*action->exit_codes);
	const void *codes = n ? kept_take(t->file, n * size) : NULL;

	if (codes)
		action->exit_codes = arena_dup(t->arena, codes, n * size);
	action->n_exit_codes = codes ? n : 0;
}

static void take_action(struct stages_taking *t, struct action *action)
{
	action->argv = take_texts(t, &action->n_argv);
	take_env(t, action);
	action->workdir = take_word(t, WORD_WORKDIR);
	take_outputs(t, action);
	action->builtin = take_word(t, WORD_BUILTIN);
	take_exit_codes(t, action);
	action->reject = take_texts(t, &action->n_reject);
}

/* ---- what else it is lowered to ------------------------------------------------------------- */

static void put_inputs(struct stages_keeping *k, const struct stage_lowered *l)
{
	kept_put_u32(k->file, (uint32_t)l->n_inputs);
	for (size_t i = 0; i < l->n_inputs; i++) {
		const struct ref *from = &l->inputs[i].from;

		kept_put_str(k->file, l->inputs[i].at);
		kept_put_u32(k->file, from->kind);
		if (from->kind == REF_LEAF)
			put_word(k, WORD_FROM, from->id);
		else
			kept_put_str(k->file, from->id);
		kept_put_str(k->file, from->path);
	}
}

static void take_inputs(struct stages_taking *t, struct stage_lowered *l)
{
	l->n_inputs = take_count(t);
	if (l->n_inputs)
		l->inputs = arena_array(t->arena, l->n_inputs, sizeof(*l->inputs));
	for (size_t i = 0; i < l->n_inputs; i++) {
		struct ref *from = &l->inputs[i].from;

		l->inputs[i].at = kept_take_str(t->file);
		from->kind = (enum ref_kind)kept_take_u32(t->file);
		from->id =
			from->kind == REF_LEAF ? take_word(t, WORD_FROM) : kept_take_str(t->file);
		from->path = kept_take_str(t->file);
	}
}

/* Most stages share what stands in the program: in the file it stands once. */
static void put_needs(struct stages_keeping *k, const struct stage_needs *needs)
{
	struct stage_needs plain = *needs;

	if (needs == k->needs)
		return;
	plain.pool = NULL;
	kept_put(k->file, &plain, sizeof(plain));
	put_word(k, WORD_POOL, needs->pool);
	k->needs = needs;
}

static const struct stage_needs *take_needs(struct stages_taking *t, bool same)
{
	struct stage_needs *needs;

	if (same)
		return t->needs;
	needs = arena_alloc(t->arena, sizeof(*needs));
	kept_take_into(t->file, needs, sizeof(*needs));
	needs->pool = take_word(t, WORD_POOL);
	t->needs = needs;
	return needs;
}

static uint32_t flags_of(const struct stages_keeping *k, const struct stage_lowered *l)
{
	return !l ? 0 :
	            HAS_LOWERED | (l->incremental ? IS_INCREMENTAL : 0) |
	                       (l->never_ships ? NEVER_SHIPS : 0) | (l->passes_on ? PASSES_ON : 0) |
	                       (l->action.fixed_addresses ? FIXED_ADDRESSES : 0) |
	                       (l->needs == k->needs ? SAME_NEEDS : 0);
}

static void put_lowered(struct stages_keeping *k, const struct stage_lowered *l)
{
	put_needs(k, l->needs);
	put_action(k, &l->action);
	put_inputs(k, l);
	put_word(k, WORD_IMAGE, l->image);
	put_word(k, WORD_ADVICE, l->advice);
}

static const struct stage_lowered *take_lowered(struct stages_taking *t, uint32_t flags)
{
	struct stage_lowered *l = arena_alloc(t->arena, sizeof(*l));

	l->needs = take_needs(t, flags & SAME_NEEDS);
	l->action.fixed_addresses = flags & FIXED_ADDRESSES;
	take_action(t, &l->action);
	take_inputs(t, l);
	l->image = take_word(t, WORD_IMAGE);
	l->advice = take_word(t, WORD_ADVICE);
	l->incremental = flags & IS_INCREMENTAL;
	l->never_ships = flags & NEVER_SHIPS;
	l->passes_on = flags & PASSES_ON;
	return l;
}

/* ---- a stage -------------------------------------------------------------------------------- */

void stage_keep(struct stages_keeping *k, const struct stage *stage)
{
	uint32_t flags = flags_of(k, stage->lowered);

	kept_put_u32(k->file, flags);
	kept_put_str(k->file, stage->address);
	put_word(k, WORD_TARGET, stage->target);
	put_word(k, WORD_VARIANT, stage->variant);
	put_word(k, WORD_KIND, stage->kind);
	put_word(k, WORD_WHERE, stage->where);
	kept_put_str(k->file, stage->text);
	if (stage->lowered)
		put_lowered(k, stage->lowered);
}

void stage_take(struct stages_taking *t, struct stage *ret)
{
	uint32_t flags = kept_take_u32(t->file);
	const char *slash;

	*ret = (struct stage){ 0 };
	ret->address = kept_take_str(t->file);
	slash = ret->address ? strrchr(ret->address, '/') : NULL;
	ret->name = slash ? slash + 1 : ret->address;
	ret->target = take_word(t, WORD_TARGET);
	ret->variant = take_word(t, WORD_VARIANT);
	ret->kind = take_word(t, WORD_KIND);
	ret->where = take_word(t, WORD_WHERE);
	ret->text = kept_take_str(t->file);
	if (flags & HAS_LOWERED)
		ret->lowered = take_lowered(t, flags);
}
