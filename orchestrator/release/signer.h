#ifndef KILN_RELEASE_SIGNER_H
#define KILN_RELEASE_SIGNER_H

#include <stdbool.h>

#include "base/err.h"
#include "base/log.h"
#include "external/keys.h"

/*
 * Where a signing key comes from. A key is read by the signing step alone; no stage, no cache and
 * no log ever sees it. Every fault of a key is ERR_MACHINE: there is no usable key.
 */
struct signer {
	struct key *key;
	char *label;       /* "file:release.pem": what the user named */
	char *fingerprint; /* "SHA256:…" */
	bool development;  /* made by Kiln on this machine for local use */
};

/* One way to name a key; the table is `signer_schemes`, ended by a NULL name. */
struct signer_scheme {
	const char *name;     /* "file" */
	const char *argument; /* "PATH", for help */
	const char *doc;
	/* Reads the PEM text that `rest` (behind the colon) names. */
	int (*read)(const char *rest, struct buf *pem, struct err *err);
};

extern const struct signer_scheme signer_schemes[];

/*
 * Opens SCHEME:REST. An unknown scheme is ERR_USAGE. The passphrase (NULL: none) is for encrypted
 * keys. A file that its group or others may read is refused; env: takes the variable out of this
 * process's environment; fd: reads to the end and closes.
 */
int signer_open(const char *spec, const char *passphrase, struct signer **ret, struct err *err);

struct signer_request {
	const char *spec;       /* --key, or NULL */
	const char *passphrase; /* NULL: KILN_KEY_PASSPHRASE, if set; it is taken out in any case */
	bool unsigned_wanted;   /* --unsigned */
	bool under_ci;          /* CI=true */
	const char *state_dir;  /* where the development key lies; NULL: $XDG_STATE_HOME/kiln */
};

/* Outcome: nothing is to be signed. */
enum { SIGNER_NONE = 1 };

/*
 * Decides who signs; called before anything is built. --key names it; else under CI it is
 * ERR_MACHINE (exit 5); else the development key of state_dir, made on first use (0600, said on
 * `log`). Returns 0 or SIGNER_NONE (--unsigned).
 */
int signer_choose(const struct signer_request *request, struct log *log, struct signer **ret,
                  struct err *err);

/* Where the development key lies, or would; NULL where no folder is known. Caller frees. */
char *signer_development_path(void);

struct signer *signer_free(struct signer *signer); /* NULL is fine; returns NULL */
void signer_cleanup(struct signer **signer);
#define _cleanup_signer_ __attribute__((cleanup(signer_cleanup)))

/* Wipes a buffer that held a key, then frees it. */
void secret_deinit(struct buf *buf);
#define _cleanup_secret_ __attribute__((cleanup(secret_deinit)))

#endif
