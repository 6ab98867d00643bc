/* kiln release: build, smoke-test, package, evidence, signature. */
#include <stdlib.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "cli/dist.h"
#include "cli/keep.h"
#include "cli/notes.h"
#include "cli/pin.h"
#include "cli/print.h"
#include "cli/releasable.h"
#include "cli/session.h"
#include "host/clock.h"
#include "host/fs.h"

static const struct command_option options[] = {
	{ "--key", "SPEC", "who signs: file:PATH, env:NAME or fd:N (PKCS#8 PEM)", false },
	{ "--unsigned", NULL, "sign nothing; `kiln sign` does it later", false },
	{ "--snapshot", NULL, "release this commit as a snapshot, which is no version", false },
	{ "--replace", NULL, "replace a release that is there and differs", false },
	{ "-o", "DIR", "the folder that holds releases; default: dist beside the lock", false },
	{ "--keep-going", NULL, "go on with what does not need a failed stage", false },
	{ "--fail-fast", NULL, "end everything when one stage fails", false },
	{ "--events", "FILE", "write events as JSON lines", false },
	{ "--trace", "FILE", "write a trace that Perfetto opens: what ran when, and what it took",
	  false },
	{ "--update-lock", NULL, "write what was resolved and trained into the lock", false },
	SESSION_OPTIONS,
	{ 0 },
};

/* A release in CI must not end unsigned, or signed by a key that nobody knows: refused before
 * anything is built. */
static int choose_signer(struct cli *cli, const struct command_args *args, struct signer **ret,
                         struct err *err)
{
	const struct signer_request request = {
		.spec = args_value(args, "--key"),
		.unsigned_wanted = args_has(args, "--unsigned"),
		.under_ci = cli->under_ci,
	};

	return signer_choose(&request, &cli->log, ret, err) < 0 ? -1 : 0;
}

static int show(struct session *s, const struct plan *plan, const struct engine_result *result,
                const char *dir, const struct dist_result *dist, bool same, struct err *err)
{
	_cleanup_json_ json_t *json = NULL;
	json_t *targets = json_array();

	for (size_t i = 0; i < plan->n_goals; i++) {
		const struct recipe_artefact *a = plan->goals[i].artefact;

		if (a)
			json_array_append_new(targets, json_pack("{s:s,s:s,s:s}", "artefact",
			                                         a->name, "target", a->target,
			                                         "variant", a->variant));
	}
	json = json_pack("{s:s,s:o,s:b,s:o,s:s?,s:b,s:o}", "schema", "kiln.release/1", "dist",
	                 json_any_text(dir), "same", same, "signed",
	                 dist->claimed ? json_null() : json_boolean(dist->is_signed), "key",
	                 dist->fingerprint, "development_key", dist->development, "packages",
	                 targets);
	if (s->cli->json)
		return print_json(json, err);
	print_note(s->cli, "  %s  %zu artefacts, %s%s%s%s", dir, dist->n_artefacts,
	           dist->claimed   ? "which claim to be signed (not checked) with " :
	           dist->is_signed ? "signed with " :
	                             "unsigned",
	           dist->is_signed ? dist->fingerprint : "",
	           dist->development ? " (a development key: for this machine only)" : "",
	           !same         ? "" :
	           dist->claimed ? "; it was there already, unchanged" :
	                           "; it was there already, verified and unchanged");
	if (notes_targets(s, plan, result, err) < 0)
		return -1;
	notes_ways_on(s, dir, dist->is_signed || dist->claimed, dist->development);
	return print_text(dir, strlen(dir), err) < 0 ? -1 : print_text("\n", 1, err);
}

/* Before anything is built for it. */
static int check_out(const char *out, struct err *err)
{
	_cleanup_free_ char *at = fs_nearest(out);
	struct stat st;

	if (stat(at, &st) == 0 && !S_ISDIR(st.st_mode))
		err_set(err, ERR_IO, "%s is in the way of the release: it is no folder", at);
	else if (access(at, W_OK) < 0)
		err_sys(err, ERR_IO, "cannot write a release below %s", at);
	else
		return 0;
	return err_hint(err, "write it elsewhere: -o DIR");
}

static int release(struct session *s, const struct command_args *args, const struct signer *signer,
                   struct err *err)
{
	const struct session_run_options run_options = {
		.keep_going = args_has(args, "--keep-going"),
		.fail_fast = args_has(args, "--fail-fast"),
		.events_file = args_value(args, "--events"),
		.trace_file = args_value(args, "--trace"),
	};
	_cleanup_free_ char *beside = path_join(s->project, "dist");
	const struct dist_options dist_options = {
		.signer = signer,
		.replace = args_has(args, "--replace"),
		.out = args_value(args, "-o") ? args_value(args, "-o") : beside,
		.started = clock_wall_us() / 1000000,
	};
	const bool snapshot = args_has(args, "--snapshot");
	struct dist_result dist = { 0 };
	struct engine_result result;
	struct plan *plan;
	const char *dir;
	int rc;

	if (check_out(dist_options.out, err) < 0 || (!snapshot && releasable_recipe(s, err) < 0))
		return -1;
	if (session_prepare(s, err) < 0 ||
	    (snapshot ? releasable_warn(s, err) : releasable_sources(s, err)) < 0)
		return -1;
	if (session_plan(s, PLAN_RELEASE, NULL, NULL, &plan, err) < 0)
		return -1;
	notes_profiles(s, plan, args_has(args, "--update-lock"));
	if (session_run(s, plan, &run_options, &result, err) < 0)
		return -1;
	notes_summary(s, plan, &result);
	if (notes_unseen(s, plan, &result, err) < 0)
		return -1;
	if (args_has(args, "--update-lock") && pin_write(s, plan, &result, err) < 0)
		return -1;
	if (fs_make_dirs(AT_FDCWD, dist_options.out, 0777, err) < 0)
		return -1;
	rc = dist_from_run(s, plan, &result, &dist_options, &dir, &dist, err);
	if (rc >= 0 && keep_dist(s, plan, &result, dir, err) < 0)
		rc = -1;
	if (rc >= 0)
		rc = show(s, plan, &result, dir, &dist, rc == DIST_SAME, err);
	dist_result_deinit(&dist);
	return rc;
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_session_ struct session *s = NULL;
	_cleanup_signer_ struct signer *signer = NULL;

	if (choose_signer(cli, args, &signer, err) < 0 ||
	    session_open(cli, args, args->operands[0], &s, err) < 0)
		return -1;
	return release(s, args, signer, err);
}

const struct command cmd_release = {
	.name = "release",
	.summary = "turn a recipe into a signed release in dist/",
	.operands = "[RECIPE]",
	.help = "Builds every variant (with a lock: what ships), smoke-tests them on the held-out\n"
		"workload, packages what ships, writes provenance, SBOMs, manifest and sums, and signs:\n"
		"all in dist/NAME-VERSION. Without --key a development key of this machine signs, and\n"
		"the release says so; in CI a key is required before anything is built.",
	.options = options,
	.max_operands = 1,
	.of_head = true,
	.runs_stages = true,
	.first = true,
	.run = run,
};
