/* Sigstore bundles of a stranger's release, against a key whose private half nobody kept: none is
 * accepted, and no payload comes out of a refused one. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "release/bundle.h"

static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
			  "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEl7K+R1Wdkp7D+aUunvQbooSGSU57\n"
			  "LdxjPpvsy6ZP2O93sQcpmp735kH5tXnrYVZ31EQUii7MZOMZO2eV3Itn5Q==\n"
			  "-----END PUBLIC KEY-----\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char message[] = "message";
	struct err err = ERR_INIT, other = ERR_INIT;
	_cleanup_key_ struct key *key = NULL;
	_cleanup_buf_ struct buf statement = BUF_INIT(8 << 20);
	const char *text = (const char *)data;

	bug_on(key_read_public(pem, strlen(pem), "key", &key, &err) < 0);
	bug_on(bundle_verify_message(key, text, size, message, sizeof(message), "b", &err) == 0);
	bug_on(err.code != ERR_DENIED || !err.cause[0]);
	bug_on(bundle_verify_statement(key, text, size, "b", &statement, &other) == 0);
	bug_on(other.code != ERR_DENIED || !other.cause[0] || statement.n != 0);
	return 0;
}
