#ifndef KILN_RELEASE_VERIFY_H
#define KILN_RELEASE_VERIFY_H

#include <stdbool.h>

#include "base/array.h"
#include "evidence/manifest.h"
#include "external/keys.h"

/*
 * Verifying a release folder, or one file of it. No store, no network. Nothing is believed before
 * it is authenticated: the signature over SHA256SUMS first, then the sums, by them the manifest,
 * by it sizes and classes, and the provenance's own signature last. Links are never followed,
 * nothing is read beyond the size it must have.
 */
enum verify_state { VERIFY_GOOD, VERIFY_BAD, VERIFY_NOTE };

struct verify_line {
	enum verify_state state;
	char *file; /* printable; "" where the line is about the release */
	char *text;
};

struct verify_report {
	ARRAY(struct verify_line) lines;
	char *name, *version; /* NULL while unknown */
	char *fingerprint;    /* of the key that was checked against; NULL: integrity only */
	char *only;           /* the one file that was asked about; NULL: the whole release */
	bool authenticated;   /* what was asked about holds under the key */
	bool development;     /* signed with a development key */
	size_t n_artefacts, n_bad;
};

struct verify_options {
	const struct key *key; /* NULL: integrity only, nobody is authenticated */
	bool allow_development;
};

/*
 * `path` is a release folder or a file in one. The report is filled in any case. Returns 0 when
 * everything holds; -1 with ERR_DENIED for anything wrong with the release, ERR_USAGE when there is
 * nothing at `path`, ERR_IO when it cannot be read.
 */
int dist_verify(const char *path, const struct verify_options *options,
                struct verify_report *report, struct err *err);
void verify_report_deinit(struct verify_report *report);

/* The same for an open folder; what was read of it goes to *ret_manifest (NULL: not wanted). */
int dist_verify_folder(int dirfd, const struct verify_options *options,
                       struct verify_report *report, struct manifest *ret_manifest,
                       struct err *err);

/* The names of a release's own files; … */
#define DIST_SUMS "SHA256SUMS"
#define DIST_SUMS_BUNDLE "SHA256SUMS.sigstore.json"
#define DIST_MANIFEST "manifest.json"
#define DIST_REPORT "report.html"
#define DIST_KEY "signing-key.pub.pem"
/* … and how those go on that begin with NAME-VERSION. */
#define DIST_OF_REBUILD ".rebuild.tar"
#define DIST_OF_VERDICT ".verdict.json"
#define DIST_OF_PROVENANCE ".provenance.json"
#define DIST_OF_PROVENANCE_BUNDLE ".provenance.sigstore.json"

enum { DIST_SUMS_MOST = 32 << 20, DIST_MANIFEST_MOST = 64 << 20 };

/* Reads a plain file of a release folder, at most buf->limit bytes; a fault is ERR_DENIED. */
int dist_read_file(int dirfd, const char *name, struct buf *buf, struct err *err);

#endif
