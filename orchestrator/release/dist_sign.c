/*
 * Signing a release that was made without a key (another machine, another day): it is checked, then
 * written anew beside itself with links to the artefacts, sealed, and exchanged for the old one.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "evidence/statement.h"
#include "host/fs.h"
#include "release/dist.h"
#include "release/seal.h"
#include "release/staging.h"

/* A file of the old folder appears in the new one: the same inode where the file system can. */
static int carry_over(int from, int to, const char *name, struct err *err)
{
	_cleanup_fd_ int in = -1;
	_cleanup_fd_ int out = -1;

	if (linkat(from, name, to, name, 0) == 0)
		return 0;
	in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (in < 0 || out < 0)
		return err_sys(err, ERR_IO, "cannot copy %s", name);
	if (fs_copy_fd(in, out, name, err) < 0)
		return -1;
	if (fchmod(out, 0644) < 0)
		return err_sys(err, ERR_IO, "cannot set the mode of %s", name);
	return 0;
}

static const char *file_of_kind(const struct manifest *manifest, const char *kind)
{
	for (size_t i = 0; i < manifest->files.n; i++) {
		if (str_eq(manifest->files.v[i].kind, kind))
			return manifest->files.v[i].file;
	}
	return "";
}

static int read_json(int dirfd, const char *name, json_t **ret, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(DIST_MANIFEST_MOST);
	struct err mine = ERR_INIT;

	if (dist_read_file(dirfd, name, &text, err) < 0)
		return -1;
	if (json_parse(buf_text(&text), text.n, name, ret, &mine) < 0)
		return err_set(err, ERR_DENIED, "%s", mine.cause);
	return 0;
}

/* What sealing writes anew is not carried over. */
static bool is_sealed_kind(const char *kind)
{
	return str_eq(kind, "provenance") || str_eq(kind, "report") || str_eq(kind, "signing-key");
}

static int write_signed(const char *dir, int dirfd, const struct manifest *old,
                        const struct signer *signer, struct staging *staging, struct err *err)
{
	_cleanup_free_ char *base = str_fmt("%s-%s", old->name, old->version);
	_cleanup_json_ json_t *manifest = json_deep_copy(old->json);
	_cleanup_json_ json_t *verdict = NULL;
	_cleanup_json_ json_t *statement = NULL;
	struct seal seal = { .dirfd = staging->dir.fd, .base = base, .signer = signer };

	if (!manifest_name_ok(base))
		return err_set(err, ERR_DENIED, "the manifest's name and version are malformed");
	if (read_json(dirfd, file_of_kind(old, "verdict"), &verdict, err) < 0 ||
	    read_json(dirfd, file_of_kind(old, "provenance"), &statement, err) < 0 ||
	    statement_check(statement, old, err) < 0)
		return -1;
	for (size_t i = 0; i < old->files.n; i++) {
		if (!is_sealed_kind(old->files.v[i].kind) &&
		    carry_over(dirfd, staging->dir.fd, old->files.v[i].file, err) < 0)
			return -1;
	}
	manifest_drop(manifest, "provenance");
	manifest_drop(manifest, "report");
	manifest_drop(manifest, "signing-key");
	seal.manifest = manifest;
	seal.verdict = verdict;
	seal.statement = statement;
	if (seal_release(&seal, err) < 0)
		return -1;
	return staging_commit(staging, true, err) < 0 ? err_while(err, "replacing %s", dir) : 0;
}

/* Returns DIST_SAME when the key is the one that signed, else ERR_DENIED. */
static int already_signed(const char *dir, int dirfd, const struct signer *signer, struct err *err)
{
	struct verify_options options = { .key = signer->key, .allow_development = true };
	struct verify_report report = { 0 };
	struct err mine = ERR_INIT;
	int rc = dist_verify_folder(dirfd, &options, &report, NULL, &mine);

	verify_report_deinit(&report);
	if (rc == 0) {
		staging_sweep(dir); /* who signed it may have been killed before it was tidied up */
		return DIST_SAME;
	}
	if (mine.code != ERR_DENIED) {
		*err = mine;
		return -1;
	}
	err_set(err, ERR_DENIED, "%s is signed already, and not with this key: %s", dir,
	        mine.cause);
	return err_hint(err, "release it anew with --unsigned --replace, then sign it");
}

static int sign_folder(const char *dir, int dirfd, const struct signer *signer,
                       struct dist_result *ret, struct err *err)
{
	struct verify_options options = { .allow_development = true };
	struct verify_report report = { 0 };
	struct manifest old = { 0 };
	struct staging staging;
	size_t n;
	int rc = dist_verify_folder(dirfd, &options, &report, &old, err);

	n = report.n_artefacts;
	verify_report_deinit(&report);
	if (rc < 0)
		return -1;
	if (old.is_signed) {
		rc = already_signed(dir, dirfd, signer, err);
	} else if (staging_init(&staging, dir, err) < 0) {
		rc = -1;
	} else {
		rc = write_signed(dir, dirfd, &old, signer, &staging, err);
		staging_deinit(&staging);
	}
	manifest_deinit(&old);
	if (rc >= 0)
		*ret = (struct dist_result){ .n_artefacts = n,
			                     .is_signed = true,
			                     .development = signer->development,
			                     .fingerprint = str_dup(signer->fingerprint) };
	return rc;
}

int dist_sign(const char *dir, const struct signer *signer, struct dist_result *ret,
              struct err *err)
{
	_cleanup_free_ char *real = NULL;
	_cleanup_fd_ int dirfd = -1;
	int rc = fs_real_path(dir, &real, err);

	if (rc == 0)
		rc = fs_open_dir(AT_FDCWD, real, &dirfd, err);
	if (rc > 0)
		return err_set(err, ERR_USAGE, "there is no folder %s", dir);
	if (rc < 0)
		return -1;
	rc = sign_folder(real, dirfd, signer, ret, err);
	return rc < 0 ? err_while(err, "signing %s", dir) : rc;
}
