#ifndef KILN_SANDBOX_NETWORK_H
#define KILN_SANDBOX_NETWORK_H

#include "base/arena.h"
#include "model/action.h"

/*
 * What a sandbox with network is given of this machine: how it reaches the world. No stage ever has
 * one; Kiln's own fetching by a package manager's client has.
 */
struct sandbox_network {
	const struct action_env *env; /* proxies, sorted by name */
	size_t n_env;
	const char *ca; /* absolute path of a bundle of certificates, or NULL */
};

/* Where the bundle stands inside a root file system of its own. */
#define SANDBOX_CA_FILE "/tmp/kiln-ca.pem"

/* The machine's proxies and certificates, as its variables and usual places have them. */
void sandbox_network_of_machine(struct arena *arena, struct sandbox_network *ret);

#endif
