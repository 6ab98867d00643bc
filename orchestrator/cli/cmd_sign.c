/* kiln sign: the signature that `release --unsigned` left for later. */
#include "base/alloc.h"
#include "cli/print.h"
#include "external/json.h"
#include "release/dist.h"

static int show(const struct cli *cli, const char *dir, const struct dist_result *result, bool same,
                struct err *err)
{
	_cleanup_free_ char *text = NULL;

	if (cli->json) {
		_cleanup_json_ json_t *out =
			json_pack("{s:s, s:o, s:s, s:b, s:b, s:I}", "schema", "kiln.sign/1", "dist",
		                  json_any_text(dir), "fingerprint", result->fingerprint,
		                  "development", result->development, "unchanged", same,
		                  "artefacts", (json_int_t)result->n_artefacts);

		return print_json(out, err);
	}
	text = str_fmt("%s: %zu artefacts, %s with %s%s\n", dir, result->n_artefacts,
	               same ? "signed already" : "signed", result->fingerprint,
	               result->development ? " (a development key: not for publishing)" : "");
	return print_text(text, strlen(text), err);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct signer_request request = { .spec = args_value(args, "--key"),
		                          .under_ci = cli->under_ci };
	_cleanup_signer_ struct signer *signer = NULL;
	struct dist_result result;
	int rc;

	if (signer_choose(&request, &cli->log, &signer, err) != 0)
		return -1;
	rc = dist_sign(args->operands[0], signer, &result, err);
	if (rc < 0)
		return -1;
	rc = show(cli, args->operands[0], &result, rc == DIST_SAME, err);
	dist_result_deinit(&result);
	return rc;
}

static const struct command_option options[] = {
	{ "--key", "SPEC", "the private key: file:PATH, env:NAME or fd:N (PKCS#8 PEM)", false },
	{ 0 },
};

const struct command cmd_sign = {
	.name = "sign",
	.summary = "sign an unsigned release",
	.operands = "DIR",
	.help = "Checks the release in DIR, then signs its provenance and its checksums. Without --key\n"
		"this machine's development key signs (not under CI), which verify refuses unless\n"
		"told otherwise. An encrypted key takes its passphrase from KILN_KEY_PASSPHRASE.\n",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.topic = TOPIC_SIGN,
	.run = run,
};
