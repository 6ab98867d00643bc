/* kiln verify: checks a release against a key. Needs no store and no network. */
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "cli/print.h"
#include "external/json.h"
#include "host/fs.h"
#include "release/verify.h"

static const char *const words[] = {
	[VERIFY_GOOD] = "ok", [VERIFY_BAD] = "BAD", [VERIFY_NOTE] = "note"
};

static int read_key(const char *path, struct key **ret, struct err *err)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(KEY_PEM_MOST);
	struct err mine = ERR_INIT;
	int rc = fs_read(AT_FDCWD, path, &pem, &mine);

	if (rc > 0)
		return err_set(err, ERR_USAGE, "--key %s: there is no such file", path);
	if (rc < 0 || key_read_public(buf_text(&pem), pem.n, path, ret, &mine) < 0) {
		err_set(err, ERR_USAGE, "--key: %s", mine.cause);
		return mine.hint[0] ? err_hint(err, "%s", mine.hint) : -1;
	}
	return 0;
}

static int check_usage(const struct command_args *args, struct err *err)
{
	bool key = args_value(args, "--key") != NULL;
	bool integrity = args_has(args, "--integrity-only");

	if (key && integrity)
		return err_set(err, ERR_USAGE, "--key and --integrity-only exclude each other");
	if (key || integrity)
		return 0;
	err_set(err, ERR_USAGE, "verify needs to know whose signature counts: --key PUB.pem");
	return err_hint(err, "the key comes from its owner, not from the release; "
	                     "--integrity-only looks for damage and authenticates nobody");
}

static int show_json(const struct verify_report *report, bool holds, struct err *err)
{
	_cleanup_json_ json_t *out = json_object();
	json_t *lines = json_array();

	for (size_t i = 0; i < report->lines.n; i++)
		json_array_append_new(lines, json_pack("{s:s, s:s, s:s}", "state",
		                                       words[report->lines.v[i].state], "file",
		                                       report->lines.v[i].file, "text",
		                                       report->lines.v[i].text));
	json_object_set_new(out, "schema", json_string("kiln.verify/1"));
	json_object_set_new(out, "holds", json_boolean(holds));
	json_object_set_new(out, "authenticated", json_boolean(report->authenticated));
	json_object_set_new(out, "development", json_boolean(report->development));
	json_object_set_new(out, "only", report->only ? json_string(report->only) : json_null());
	json_object_set_new(out, "name", report->name ? json_string(report->name) : json_null());
	json_object_set_new(out, "version",
	                    report->version ? json_string(report->version) : json_null());
	json_object_set_new(out, "fingerprint",
	                    report->fingerprint ? json_string(report->fingerprint) : json_null());
	json_object_set_new(out, "checks", lines);
	return print_json(out, err);
}

static int show_text(const struct verify_report *report, bool holds, struct err *err)
{
	const char *mark =
		report->fingerprint ? "" : "  (integrity only: nobody was authenticated)";
	_cleanup_buf_ struct buf text = BUF_INIT(256 << 20);
	int width = 0;

	for (size_t i = 0; i < report->lines.n; i++) {
		int n = (int)strlen(report->lines.v[i].file);

		width = n > width && n <= 60 ? n : width;
	}
	for (size_t i = 0; i < report->lines.n; i++) {
		const struct verify_line *line = &report->lines.v[i];

		buf_fmt(&text, "%-4s  %-*s  %s%s\n", words[line->state], width,
		        line->file[0] ? line->file : "-", line->text, mark);
	}
	if (holds && report->only)
		buf_fmt(&text, "%s of ", report->only);
	if (holds)
		buf_fmt(&text, "%s %s: ", report->name ? report->name : "",
		        report->version ? report->version : "");
	if (holds && report->only)
		buf_fmt(&text, "holds; the release's other files were not looked at");
	else if (holds)
		buf_fmt(&text, "%zu artefacts, all checks hold", report->n_artefacts);
	if (holds)
		buf_fmt(&text, "%s%s%s%s\n", report->fingerprint ? ", signed with " : "",
		        report->fingerprint ? report->fingerprint : "",
		        report->development ? " (a development key)" : "", mark);
	return print_text(buf_text(&text), text.n, err);
}

/* Whether the key is the one that the release brings along; `what` is its folder or a file of it. */
static bool lies_in(const char *key, const char *what)
{
	_cleanup_free_ char *folder = path_dir(what);
	_cleanup_free_ char *own = path_join(what, DIST_KEY);
	_cleanup_free_ char *beside = path_join(folder, DIST_KEY);

	return key && (fs_same(key, own) || fs_same(key, beside));
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_key_ struct key *key = NULL;
	struct verify_options options = {
		.allow_development = args_has(args, "--allow-development"),
	};
	struct verify_report report = { 0 };
	struct err unshown = ERR_INIT;
	int rc, shown;

	if (check_usage(args, err) < 0)
		return -1;
	if (args_value(args, "--key") && read_key(args_value(args, "--key"), &key, err) < 0)
		return -1;
	options.key = key;
	if (lies_in(args_value(args, "--key"), args->operands[0]))
		print_note(cli, "kiln: note: this key lies in the release itself: whoever can "
		                "replace the release can replace it too; take it from its owner");
	rc = dist_verify(args->operands[0], &options, &report, err);
	shown = cli->json ? show_json(&report, rc == 0, &unshown) :
	                    show_text(&report, rc == 0, &unshown);
	verify_report_deinit(&report);
	if (rc < 0)
		return err_while(err, "verifying %s", args->operands[0]);
	if (shown < 0)
		*err = unshown;
	return shown;
}

static const struct command_option options_table[] = {
	{ "--key", "PUB.pem", "the public key whose signature counts", false },
	{ "--integrity-only", NULL, "looks for damage; authenticates nobody", false },
	{ "--allow-development", NULL, "accepts a development key's signature", false },
	{ 0 },
};

const struct command cmd_verify = {
	.name = "verify",
	.summary = "check a release, or one file of it",
	.operands = "DIR|FILE",
	.help = "Checks the signature over SHA256SUMS, every checksum, that no file is missing or\n"
		"unlisted, the provenance's signature and that its subjects are the artefacts. Needs\n"
		"no store and no network. Exit status 4 when anything is wrong.\n",
	.options = options_table,
	.min_operands = 1,
	.max_operands = 1,
	.first = true,
	.run = run,
};
