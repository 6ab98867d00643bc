/* How this machine reaches the network, in the words that libcurl and its users look for. */
#include "sandbox/network.h"

#include <stdlib.h>
#include <unistd.h>

/* Sorted. An upper-case HTTP_PROXY is no name for one: a web server's request could set it. */
static const char *const proxies[] = { "ALL_PROXY",  "HTTPS_PROXY", "NO_PROXY", "all_proxy",
	                               "http_proxy", "https_proxy", "no_proxy" };

static const char *const named_bundles[] = { "SSL_CERT_FILE", "CURL_CA_BUNDLE" };

static const char *const usual_bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
	                                     "/etc/pki/tls/certs/ca-bundle.crt",
	                                     "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem" };

static const char *find_bundle(struct arena *arena)
{
	for (size_t i = 0; i < ARRAY_LEN(named_bundles); i++) {
		const char *named = getenv(named_bundles[i]);

		if (named && named[0] == '/')
			return arena_str(arena, named);
	}
	for (size_t i = 0; i < ARRAY_LEN(usual_bundles); i++)
		if (access(usual_bundles[i], R_OK) == 0)
			return usual_bundles[i];
	return NULL;
}

void sandbox_network_of_machine(struct arena *arena, struct sandbox_network *ret)
{
	struct action_env *env = arena_array(arena, ARRAY_LEN(proxies), sizeof(*env));
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(proxies); i++) {
		const char *value = getenv(proxies[i]);

		if (value && *value)
			env[n++] = (struct action_env){ proxies[i], arena_str(arena, value) };
	}
	*ret = (struct sandbox_network){ env, n, find_bundle(arena) };
}
