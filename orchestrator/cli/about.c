/* The board's head. */
#include "cli/about.h"

enum { WORDS = 6, HEX = 8 };

struct about {
	struct arena *arena;
	const char **words;
	size_t n;
};

static bool has_target(const struct plan *plan, const char *triple)
{
	for (size_t i = 0; i < plan->n_wanted; i++)
		if (str_eq(plan->nodes[plan->order[i]].stage->target, triple))
			return true;
	return false;
}

/* "llvm-19 @ sha256:41c2f09a": the toolchain and the tree of its image, where all have the same. */
static void add_tools(struct session *s, const struct plan *plan, struct about *about)
{
	const struct recipe_target *first = NULL;
	const struct fact_image *image;

	for (size_t i = 0; i < s->recipe.n_targets; i++) {
		const struct recipe_target *t = &s->recipe.targets[i];

		if (!has_target(plan, t->triple))
			continue;
		if (!first)
			first = t;
		if (!str_eq(t->toolchain, first->toolchain) || !str_eq(t->image, first->image))
			return;
	}
	image = first ? map_get(s->facts.images, first->image) : NULL;
	if (image)
		about->words[about->n++] =
			arena_fmt(about->arena, "%s @ sha256:%.*s", first->toolchain, HEX,
		                  DIGEST_TEXT(&image->tree));
}

static void add_profiles(const struct plan *plan, struct about *about)
{
	size_t n = 0, pinned = 0;

	for (size_t i = 0; i < plan->n_profiles; i++) {
		if (!plan->nodes[plan->profiles[i].node].wanted)
			continue;
		n++;
		pinned += plan->profiles[i].state == PROFILE_PINNED;
	}
	if (n > 0)
		about->words[about->n++] = pinned == n ? "profiles locked" :
		                           pinned      ? "some profiles locked" :
		                                         "profiles trained here";
}

static void add_verdicts(struct session *s, const struct plan *plan, struct about *about)
{
	size_t n = 0, pinned = 0;

	for (size_t i = 0; i < plan->n_goals; i++) {
		if (!plan->goals[i].smoke)
			continue;
		n++;
		pinned += plan_verdict(plan, &s->facts,
		                       plan->nodes[plan->goals[i].node].stage->target) != NULL;
	}
	if (n > 0 && pinned == n)
		about->words[about->n++] = "verdict locked";
}

const char *const *about_plan(struct session *s, const struct plan *plan)
{
	struct about about = { s->arena, arena_array(s->arena, WORDS, sizeof(char *)), 0 };
	size_t n = 0;

	for (size_t i = 0; i < s->recipe.n_targets; i++)
		n += has_target(plan, s->recipe.targets[i].triple);
	about.words[about.n++] =
		s->recipe.version.text ?
			arena_fmt(s->arena, "%s %s", s->recipe.name, s->recipe.version.text) :
			s->recipe.name;
	about.words[about.n++] = arena_fmt(s->arena, "%zu target%s", n, n == 1 ? "" : "s");
	add_tools(s, plan, &about);
	add_profiles(plan, &about);
	add_verdicts(s, plan, &about);
	return about.words;
}
