#ifndef KILN_EXEC_VOLATILE_ENV_H
#define KILN_EXEC_VOLATILE_ENV_H

/*
 * The volatile environment, whole: what a stage may see that is not in the key of its work, because
 * it must not change what is made. Added to the action's environment by the runner; an action that
 * names one of these itself is refused.
 */
#define VOLATILE_ENV_JOBS "KILN_JOBS" /* what -j may be */
/* The same for make, and where the job server is; unless the action itself has one. */
#define VOLATILE_ENV_MAKE "MAKEFLAGS"

/* With a network alone, which no stage has: the machine's proxies by their own names, and where its
 * certificates stand, by the names that cargo and OpenSSL look for. */
#define VOLATILE_ENV_CARGO_CA "CARGO_HTTP_CAINFO"
#define VOLATILE_ENV_SSL_CA "SSL_CERT_FILE"

#endif
