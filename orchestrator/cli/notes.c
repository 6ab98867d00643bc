/* Lines for people, about plans and runs. */
#include "cli/notes.h"

#include <string.h>

#include "cli/outputs.h"
#include "cli/print.h"
#include "cli/unseen.h"
#include "external/json.h"
#include "report/progress.h"
#include "report/size.h"

int notes_profiles(struct session *s, const struct plan *plan, bool pins)
{
	bool trains = false;

	for (size_t i = 0; i < plan->n_profiles; i++) {
		const struct plan_profile *p = &plan->profiles[i];

		if (!plan->nodes[p->node].wanted || p->state == PROFILE_PINNED)
			continue;
		trains = true;
		if (p->state == PROFILE_MISMATCH)
			print_note(s->cli,
			           "kiln: warning: the profile %s that %s pins belongs to "
			           "another source, compiler or flags: it is trained anew",
			           p->profile->id, s->lock_path);
	}
	if (trains && !pins)
		print_note(s->cli, "  profiles are not pinned: this run trains; pin them with "
		                   "`kiln lock`");
	return 0;
}

static bool is_silent(const struct session *s)
{
	return str_eq(s->cli->progress, "none") || str_eq(s->cli->progress, "json");
}

void notes_kept(struct session *s, const struct engine_result *result, const char *way_on)
{
	if (is_silent(s))
		return;
	print_note(s->cli, "  %zu stage%s ran and %s kept, %zu %s cached, %zu did not run%s%s",
	           result->n_run, result->n_run == 1 ? "" : "s", result->n_run == 1 ? "is" : "are",
	           result->n_cached, result->n_cached == 1 ? "was" : "were", result->n_skipped,
	           result->n_skipped ? ": " : "", result->n_skipped ? way_on : "");
}

/* ---- what took the time ------------------------------------------------------------------- */

/* LONGEST: how many are named. PART, LEAST_US: of the run's time, and at all, what is worth a word. */
enum { LONGEST = 3, PART = 20, LEAST_US = 1000000 };

/* The target as the address of a stage may have it: the processor alone, where no other has it. */
static int brief_length(const struct session *s, const char *triple)
{
	const size_t n = strcspn(triple, "-");
	size_t same = 0;

	for (size_t i = 0; i < s->recipe.n_targets; i++)
		same += strncmp(s->recipe.targets[i].triple, triple, n) == 0;
	return same == 1 ? (int)n : (int)strlen(triple);
}

/* The longest that ran and is not `named` yet. */
static const struct engine_node *longest(const struct plan *plan,
                                         const struct engine_result *result,
                                         const struct engine_node *const named[LONGEST])
{
	const struct engine_node *best = NULL;

	for (size_t i = 0; i < plan->n_wanted; i++) {
		const struct engine_node *n = &result->nodes[plan->order[i]];
		bool known = n->state != NODE_DONE;

		for (size_t k = 0; k < LONGEST; k++)
			known |= named[k] == n;
		if (!known && (!best || n->result->wall_us > best->result->wall_us))
			best = n;
	}
	return best;
}

/* Of a single stage the line before has said it all. */
static void note_longest(struct session *s, const struct plan *plan,
                         const struct engine_result *result)
{
	const struct engine_node *named[LONGEST] = { NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 10);
	char took[16];

	for (size_t k = 0; result->n_run > 1 && k < LONGEST; k++) {
		const struct engine_node *n = longest(plan, result, named);
		const struct stage *stage;

		if (!n || n->result->wall_us < LEAST_US ||
		    n->result->wall_us < result->wall_us / PART)
			break;
		named[k] = n;
		stage = plan->nodes[n - result->nodes].stage;
		buf_fmt(&text, "%s%.*s/%s/%s %s", k ? ", " : "", brief_length(s, stage->target),
		        stage->target, stage->variant, stage->name,
		        progress_duration(n->result->wall_us, took));
	}
	if (text.n)
		print_note(s->cli, "  longest: %s", buf_text(&text));
}

void notes_summary(struct session *s, const struct plan *plan, const struct engine_result *result)
{
	char took[16];

	if (is_silent(s))
		return;
	if (result->n_run == 0 && result->n_cached == 1)
		print_note(s->cli, "  nothing to do: the stage is cached");
	else if (result->n_run == 0)
		print_note(s->cli, "  nothing to do: all %zu stages are cached", result->n_cached);
	else
		print_note(s->cli, "  %s, %zu stage%s run, %zu cached",
		           progress_duration(result->wall_us, took), result->n_run,
		           result->n_run == 1 ? "" : "s", result->n_cached);
	note_longest(s, plan, result);
}

void notes_dev(struct session *s, const struct plan *plan, const struct engine_result *result)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_nodes; i++)
		n += result->nodes[i].dev;
	if (n > 0 && !is_silent(s))
		print_note(
			s->cli,
			"  %zu stage%s built by increments: not for a release; without --dev all is "
			"built anew",
			n, n == 1 ? " was" : "s were");
}

void notes_made(struct session *s)
{
	if (!is_silent(s))
		print_note(
			s->cli,
			"  in the store: kiln get STAGE DIR copies what a stage made to a folder");
}

/* ---- what training never ran --------------------------------------------------------------- */

static bool plan_has(const struct plan *plan, const char *triple)
{
	for (size_t i = 0; i < plan->n_goals; i++)
		if (str_eq(plan->nodes[plan->goals[i].node].stage->target, triple))
			return true;
	return false;
}

int notes_unseen(struct session *s, const struct plan *plan, const struct engine_result *result,
                 struct err *err)
{
	for (size_t i = 0; i < s->recipe.n_targets && !is_silent(s); i++) {
		const struct recipe_target *target = &s->recipe.targets[i];
		_cleanup_json_ json_t *unseen = NULL;

		if (!plan_has(plan, target->triple))
			continue;
		if (unseen_find(s, plan, result, target, &unseen, err) < 0)
			return -1;
		if (unseen)
			print_note(s->cli, "  %-28s  %s", target->triple,
			           unseen_line(s->arena, unseen));
	}
	return 0;
}

/* ---- a line a target ---------------------------------------------------------------------- */

struct shipped {
	const char *variant;
	size_t n_packages, n_cases;
	uint64_t bytes;
	bool tested; /* by the project's own tests */
};

static int add_goal(struct session *s, const struct plan *plan, const struct engine_result *result,
                    const struct plan_goal *goal, struct shipped *sum, struct err *err)
{
	_cleanup_json_ json_t *smoke = NULL;
	struct tree_node node;

	if (goal->artefact) {
		if (outputs_node(s, plan, result, goal, &node, err) < 0)
			return -1;
		sum->variant = goal->artefact->variant;
		sum->n_packages++;
		sum->bytes += node.ref.size;
	} else if (goal->test && sum->variant && str_eq(goal->test->variant, sum->variant)) {
		sum->tested = true; /* a goal that failed ends the run */
	} else if (goal->smoke && sum->variant && str_eq(goal->smoke->variant, sum->variant)) {
		if (outputs_smoke(s, plan, result, goal, &smoke, err) < 0)
			return -1;
		sum->n_cases += json_object_size(json_object_get(smoke, "cases"));
	}
	return 0;
}

static int sum_target(struct session *s, const struct plan *plan,
                      const struct engine_result *result, const char *triple, struct shipped *sum,
                      struct err *err)
{
	/* Packages first: they say which tests are about what ships. */
	for (int tests = 0; tests < 2; tests++)
		for (size_t i = 0; i < plan->n_goals; i++) {
			const struct plan_goal *goal = &plan->goals[i];

			if (!str_eq(plan->nodes[goal->node].stage->target, triple) ||
			    (goal->artefact == NULL) != tests)
				continue;
			if (add_goal(s, plan, result, goal, sum, err) < 0)
				return -1;
		}
	return 0;
}

/* What was checked of what ships. The reference has nothing to be compared with. */
static void add_checks(const struct recipe_target *target, const struct shipped *sum,
                       struct buf *text)
{
	const char *s = sum->n_cases == 1 ? "" : "s";

	if (target->reference && str_eq(sum->variant, target->reference)) {
		buf_add_str(text, "nothing optimised");
		if (sum->n_cases > 0)
			buf_fmt(text, ", %zu held-out run%s passed", sum->n_cases, s);
	} else if (sum->n_cases > 0) {
		buf_fmt(text, "output equal on %zu held-out run%s", sum->n_cases, s);
	} else {
		buf_add_str(text, "nothing held out: output not compared");
	}
	if (sum->tested)
		buf_add_str(text, ", own tests passed");
}

int notes_targets(struct session *s, const struct plan *plan, const struct engine_result *result,
                  struct err *err)
{
	for (size_t i = 0; i < s->recipe.n_targets && !is_silent(s); i++) {
		const char *triple = s->recipe.targets[i].triple;
		struct shipped sum = { 0 };
		_cleanup_buf_ struct buf checks = BUF_INIT(1000);
		char size[24];

		if (sum_target(s, plan, result, triple, &sum, err) < 0)
			return -1;
		if (!sum.variant)
			continue;
		add_checks(&s->recipe.targets[i], &sum, &checks);
		print_note(s->cli, "  %-28s  %-14s  %zu package%s, %s   %s", triple, sum.variant,
		           sum.n_packages, sum.n_packages == 1 ? "" : "s",
		           size_text(sum.bytes, size), buf_text(&checks));
	}
	return 0;
}

void notes_ways_on(struct session *s, const char *dir, bool is_signed, bool development)
{
	_cleanup_free_ char *quoted = str_quote(dir);
	const char *how = !is_signed  ? "sign --key SPEC" :
	                  development ? "verify --integrity-only --allow-development" :
	                                "verify --key PUBLIC.pem";

	if (!is_silent(s))
		print_note(s->cli, "  report: %s/report.html · kiln %s %s", dir, how, quoted);
}
