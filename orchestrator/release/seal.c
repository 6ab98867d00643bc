/* Provenance, key, report, manifest, sums, signature: in the order that each needs the last. */
#include "release/seal.h"

#include "base/alloc.h"
#include "evidence/page.h"
#include "evidence/statement.h"
#include "evidence/sums.h"
#include "external/crypto.h"
#include "host/fs.h"
#include "release/bundle.h"
#include "release/verify.h"

int seal_write(int dirfd, const char *name, const void *p, size_t n, struct blob_ref *ret,
               struct err *err)
{
	digest_of(p, n, &ret->digest);
	ret->size = n;
	return fs_write_file(dirfd, name, p, n, 0644, false, err);
}

static int add_evidence(struct seal *seal, const char *name, const char *kind,
                        const char *media_type, const struct buf *text, struct err *err)
{
	struct artefact file = {
		.file = name, .kind = kind, .class = ARTEFACT_EVIDENCE, .media_type = media_type
	};

	if (text->overflow)
		return err_set(err, ERR_INPUT, "%s would be larger than %zu bytes", name,
		               text->limit);
	if (seal_write(seal->dirfd, name, buf_text(text), text->n, &file.ref, err) < 0)
		return -1;
	manifest_add(seal->manifest, &file);
	return 0;
}

static int write_provenance(struct seal *seal, struct err *err)
{
	_cleanup_buf_ struct buf statement = BUF_INIT(BUNDLE_MOST / 2);
	_cleanup_buf_ struct buf bundle = BUF_INIT(BUNDLE_MOST);
	_cleanup_free_ char *plain = str_fmt("%s" DIST_OF_PROVENANCE, seal->base);
	_cleanup_free_ char *sealed = str_fmt("%s" DIST_OF_PROVENANCE_BUNDLE, seal->base);

	statement_set_development(seal->statement, seal->signer && seal->signer->development);
	statement_write(seal->statement, &statement);
	if (statement.overflow)
		return err_set(err, ERR_INPUT, "the provenance would be too large");
	if (!seal->signer)
		return add_evidence(seal, plain, "provenance", STATEMENT_MEDIA, &statement, err);
	if (bundle_sign_statement(seal->signer->key, statement.p, statement.n, &bundle, err) < 0)
		return -1;
	return add_evidence(seal, sealed, "provenance", BUNDLE_MEDIA, &bundle, err);
}

static int write_key(struct seal *seal, struct err *err)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(KEY_PEM_MOST);

	if (!seal->signer)
		return 0;
	key_write_public(seal->signer->key, &pem);
	manifest_set_signing(seal->manifest, seal->signer->fingerprint,
	                     key_type_text(key_type(seal->signer->key)), seal->signer->development,
	                     DIST_KEY);
	return add_evidence(seal, DIST_KEY, "signing-key", "application/x-pem-file", &pem, err);
}

static int write_page(struct seal *seal, struct err *err)
{
	_cleanup_buf_ struct buf page = BUF_INIT(64 << 20);

	page_write(seal->manifest, seal->verdict, seal->statement, &page);
	return add_evidence(seal, DIST_REPORT, "report", "text/html", &page, err);
}

/* The sums of every file of the manifest, and of the manifest itself. */
static int collect_sums(struct seal *seal, struct sums *sums, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(DIST_MANIFEST_MOST);
	struct blob_ref ref;
	json_t *file;
	size_t i;

	manifest_write(seal->manifest, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT, "the manifest would be too large");
	if (seal_write(seal->dirfd, DIST_MANIFEST, text.p, text.n, &ref, err) < 0)
		return -1;
	sums_add(sums, DIST_MANIFEST, &ref.digest);
	json_array_foreach (json_object_get(seal->manifest, "files"), i, file) {
		struct digest digest;

		bug_on(!digest_parse(json_str_or(file, "sha256", ""), &digest));
		sums_add(sums, json_str_or(file, "file", ""), &digest);
	}
	return 0;
}

static int write_sums(struct seal *seal, struct sums *sums, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(DIST_SUMS_MOST);
	_cleanup_buf_ struct buf bundle = BUF_INIT(BUNDLE_MOST);
	struct blob_ref ref;

	sums_write(sums, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT, "the list of sums would be too large");
	if (seal_write(seal->dirfd, DIST_SUMS, text.p, text.n, &ref, err) < 0)
		return -1;
	if (!seal->signer)
		return 0;
	if (bundle_sign_message(seal->signer->key, text.p, text.n, &bundle, err) < 0)
		return -1;
	return seal_write(seal->dirfd, DIST_SUMS_BUNDLE, bundle.p, bundle.n, &ref, err);
}

int seal_release(struct seal *seal, struct err *err)
{
	struct sums sums = { 0 };
	int rc = 0;

	if (write_provenance(seal, err) < 0 || write_key(seal, err) < 0 ||
	    write_page(seal, err) < 0)
		return -1;
	if (collect_sums(seal, &sums, err) < 0 || write_sums(seal, &sums, err) < 0)
		rc = -1;
	sums_deinit(&sums);
	return rc;
}
