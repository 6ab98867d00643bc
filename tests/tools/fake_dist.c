/*
 * usage: fake_dist DIR [PRIVATE.pem]
 * Writes the made-up release of tests/fakes/release.h by the code that writes real ones, so that
 * other people's verifiers can judge its form without a build. Without a key it is unsigned.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "fakes/release.h"
#include "host/failpoint.h"

int main(int argc, char **argv)
{
	struct dist_result result = { 0 };
	struct fake_release fake;
	struct signer *signer = NULL;
	struct err err = ERR_INIT;
	int rc;

	failpoint_arm();
	if (argc < 2 || argc > 3) {
		fputs("usage: fake_dist DIR [PRIVATE.pem]\n", stderr);
		return 2;
	}
	fake_release_init(&fake, argv[1]);
	if (argc == 3) {
		_cleanup_free_ char *spec = str_fmt("file:%s", argv[2]);

		if (signer_open(spec, NULL, &signer, &err) < 0) {
			fprintf(stderr, "fake_dist: %s\n", err.cause);
			return err_exit_status(&err);
		}
	}
	fake.input.signer = signer;
	rc = dist_write(fake.blobs, &fake.input, &result, &err);
	if (rc < 0)
		fprintf(stderr, "fake_dist: %s\n", err.cause);
	dist_result_deinit(&result);
	signer_free(signer);
	fake_release_deinit(&fake);
	return rc < 0 ? err_exit_status(&err) : 0;
}
