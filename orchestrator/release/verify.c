/*
 * The verifier. It works on one folder descriptor and reads each small document once into memory:
 * the bytes that were authenticated are the bytes that are parsed. Faults are collected, so that
 * one run names every file that is wrong.
 */
#include "release/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "evidence/statement.h"
#include "evidence/sums.h"
#include "external/crypto.h"
#include "host/fs.h"
#include "release/bundle.h"

enum { NAMES_MOST = 200000 };

struct check {
	int dirfd;
	const struct verify_options *options;
	struct verify_report *report;
	struct buf sums_text;
	struct sums sums;
	struct manifest manifest;
	const char *only; /* the one file that is asked for, or NULL: the whole folder */
};

/* Names come from strangers and go to terminals: only visible ASCII passes. */
static char *printable(const char *text)
{
	char *out = str_dup_n(text, strnlen(text, 300));

	for (char *p = out; *p; p++) {
		if (*p < ' ' || *p >= 0x7f)
			*p = '?';
	}
	return out;
}

__attribute__((format(printf, 4, 5))) static void say(struct check *check, enum verify_state state,
                                                      const char *file, const char *fmt, ...)
{
	struct verify_line *line = array_add(&check->report->lines);
	_cleanup_buf_ struct buf text = BUF_INIT(4096);
	va_list ap;

	va_start(ap, fmt);
	buf_fmtv(&text, fmt, ap);
	va_end(ap);
	line->state = state;
	line->file = printable(file);
	line->text = printable(buf_text(&text));
	check->report->n_bad += state == VERIFY_BAD;
}

static void say_err(struct check *check, const char *file, const struct err *err)
{
	say(check, VERIFY_BAD, file, "%s", err->cause);
}

void verify_report_deinit(struct verify_report *report)
{
	for (size_t i = 0; i < report->lines.n; i++) {
		free(report->lines.v[i].file);
		free(report->lines.v[i].text);
	}
	array_deinit(&report->lines);
	free(report->only);
	free(report->name);
	free(report->version);
	free(report->fingerprint);
	*report = (struct verify_report){ 0 };
}

/* Opens a plain file of the folder; anything else, a pipe or a link above all, is refused. */
static int open_plain(int dirfd, const char *name, struct stat *st, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *shown = printable(name);
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ERR_DENIED, "%s is missing", shown);
	if (fd < 0 && (errno == ELOOP || errno == ENXIO))
		return err_set(err, ERR_DENIED, "%s is no plain file", shown);
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot open %s", shown);
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode)) {
		fs_close(fd);
		return err_set(err, ERR_DENIED, "%s is no plain file", shown);
	}
	*ret_fd = fd;
	return 0;
}

int dist_read_file(int dirfd, const char *name, struct buf *buf, struct err *err)
{
	struct err mine = ERR_INIT;
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (open_plain(dirfd, name, &st, &fd, err) < 0)
		return -1;
	if ((uint64_t)st.st_size > buf->limit)
		return err_set(err, ERR_DENIED, "%s is larger than a release's can be", name);
	if (fs_read_fd(fd, name, buf, &mine) < 0)
		return err_set(err, mine.code == ERR_IO ? ERR_IO : ERR_DENIED, "%s", mine.cause);
	return 0;
}

/* Who signed the sums? Only after this holds is anything in the folder believed. */
static int check_signature(struct check *check, struct err *err)
{
	_cleanup_buf_ struct buf bundle = BUF_INIT(BUNDLE_MOST);

	if (dist_read_file(check->dirfd, DIST_SUMS, &check->sums_text, err) < 0)
		return -1;
	if (!check->options->key)
		return 0;
	if (!fs_exists(check->dirfd, DIST_SUMS_BUNDLE)) {
		err_set(err, ERR_DENIED,
		        "the release is not signed: " DIST_SUMS_BUNDLE " is missing");
		return err_hint(err, "its maker signs it with: kiln sign DIR --key …");
	}
	if (dist_read_file(check->dirfd, DIST_SUMS_BUNDLE, &bundle, err) < 0)
		return -1;
	if (bundle_verify_message(check->options->key, buf_text(&bundle), bundle.n,
	                          buf_text(&check->sums_text), check->sums_text.n, DIST_SUMS_BUNDLE,
	                          err) < 0)
		return -1;
	say(check, VERIFY_GOOD, DIST_SUMS, "signed with %s", check->report->fingerprint);
	return 0;
}

static int denied(const struct err *mine, struct err *err)
{
	return err_set(err, mine->code == ERR_IO ? ERR_IO : ERR_DENIED, "%s", mine->cause);
}

/* Reads the manifest and holds its bytes against the sums. */
static int check_manifest(struct check *check, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(DIST_MANIFEST_MOST);
	struct err mine = ERR_INIT;
	const struct digest *listed;
	struct digest digest;

	if (sums_read(buf_text(&check->sums_text), check->sums_text.n, &check->sums, &mine) < 0)
		return denied(&mine, err);
	listed = sums_find(&check->sums, DIST_MANIFEST);
	if (!listed)
		return err_set(err, ERR_DENIED, DIST_SUMS " does not list " DIST_MANIFEST);
	if (dist_read_file(check->dirfd, DIST_MANIFEST, &text, err) < 0)
		return -1;
	digest_of(buf_text(&text), text.n, &digest);
	if (!digest_eq(&digest, listed))
		return err_set(err, ERR_DENIED, DIST_MANIFEST " differs from its checksum");
	if (manifest_read(buf_text(&text), text.n, &check->manifest, &mine) < 0)
		return denied(&mine, err);
	check->report->name = printable(check->manifest.name);
	check->report->version = printable(check->manifest.version);
	check->report->development = check->manifest.development;
	for (size_t i = 0; i < check->manifest.files.n; i++)
		check->report->n_artefacts += check->manifest.files.v[i].class == ARTEFACT_SHIPPED;
	say(check, VERIFY_GOOD, DIST_MANIFEST, "checksum holds, %zu files",
	    check->manifest.files.n);
	return 0;
}

/* Every file of the manifest stands in the sums with the same digest, and the other way round. */
static void check_lists(struct check *check)
{
	for (size_t i = 0; i < check->manifest.files.n; i++) {
		const struct artefact *file = &check->manifest.files.v[i];
		const struct digest *listed = sums_find(&check->sums, file->file);

		if (!listed)
			say(check, VERIFY_BAD, file->file,
			    "is in " DIST_MANIFEST " but not in " DIST_SUMS);
		else if (!digest_eq(listed, &file->ref.digest))
			say(check, VERIFY_BAD, file->file,
			    "has one digest in " DIST_MANIFEST " and another in " DIST_SUMS);
	}
	for (size_t i = 0; i < check->sums.lines.n; i++) {
		const char *name = check->sums.lines.v[i].file;

		if (!str_eq(name, DIST_MANIFEST) && !manifest_find(&check->manifest, name))
			say(check, VERIFY_BAD, name,
			    "is in " DIST_SUMS " but not in " DIST_MANIFEST);
	}
}

static int check_file(struct check *check, const struct artefact *file, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	struct err mine = ERR_INIT;
	struct blob_ref ref;
	struct stat st;

	if (open_plain(check->dirfd, file->file, &st, &fd, &mine) < 0) {
		if (mine.code == ERR_IO)
			return denied(&mine, err);
		say_err(check, file->file, &mine);
		return 0;
	}
	if ((uint64_t)st.st_size != file->ref.size) {
		say(check, VERIFY_BAD, file->file, "has %llu bytes, not %llu",
		    (unsigned long long)st.st_size, (unsigned long long)file->ref.size);
		return 0;
	}
	if (digest_of_fd(fd, file->file, &ref, err) < 0)
		return -1;
	if (!digest_eq(&ref.digest, &file->ref.digest))
		say(check, VERIFY_BAD, file->file, "differs from its checksum");
	else
		say(check, VERIFY_GOOD, file->file, "checksum holds");
	return 0;
}

/* Files that no list names. */
static int check_unlisted(struct check *check, struct err *err)
{
	struct fs_names names = { 0 };

	if (fs_list(check->dirfd, ".", &names, err) != 0)
		return err_set(err, ERR_IO, "cannot list the release folder");
	if (names.names.n > NAMES_MOST)
		say(check, VERIFY_BAD, "", "the folder holds more than %d files", NAMES_MOST);
	for (size_t i = 0; i < names.names.n && i < NAMES_MOST; i++) {
		const char *name = names.names.v[i];

		if (str_eq(name, DIST_SUMS) || str_eq(name, DIST_SUMS_BUNDLE) ||
		    str_eq(name, DIST_MANIFEST) || manifest_find(&check->manifest, name))
			continue;
		say(check, VERIFY_BAD, name, "is not part of the release: no list names it");
	}
	fs_names_deinit(&names);
	return 0;
}

/* The one file of the kind "provenance". */
static const struct artefact *find_provenance(const struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->files.n; i++) {
		if (str_eq(manifest->files.v[i].kind, "provenance"))
			return &manifest->files.v[i];
	}
	return NULL;
}

/* The statement's bytes: out of its bundle once the signature held, or plain and unsigned. */
static int read_statement(struct check *check, const struct artefact *file, struct buf *statement,
                          struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(BUNDLE_MOST);
	struct digest digest;

	if (dist_read_file(check->dirfd, file->file, &text, err) < 0)
		return -1;
	digest_of(buf_text(&text), text.n, &digest);
	if (!digest_eq(&digest, &file->ref.digest))
		return err_set(err, ERR_DENIED, "differs from its checksum");
	if (check->options->key)
		return bundle_verify_statement(check->options->key, buf_text(&text), text.n,
		                               file->file, statement, err);
	buf_add(statement, buf_text(&text), text.n);
	return 0;
}

/* What there is one of. A second one would be a statement that nobody looks at. */
static void check_single(struct check *check)
{
	static const char *const kinds[] = { "provenance", "verdict", "report" };

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		bool seen = false;

		for (size_t i = 0; i < check->manifest.files.n; i++) {
			const struct artefact *file = &check->manifest.files.v[i];

			if (!str_eq(file->kind, kinds[k]))
				continue;
			if (seen)
				say(check, VERIFY_BAD, file->file, "is a second %s", kinds[k]);
			else if (file->class != ARTEFACT_EVIDENCE)
				say(check, VERIFY_BAD, file->file,
				    "is a %s, but not marked as evidence", kinds[k]);
			seen = true;
		}
		if (!seen)
			say(check, VERIFY_BAD, "", "the release has no %s", kinds[k]);
	}
}

/* What cannot be read says nothing about the release: that is no verdict. */
static int check_provenance(struct check *check, struct err *err)
{
	const struct artefact *file = find_provenance(&check->manifest);
	_cleanup_buf_ struct buf text = BUF_INIT(BUNDLE_MOST);
	_cleanup_json_ json_t *statement = NULL;
	struct err mine = ERR_INIT;

	if (!file)
		return 0; /* said already */
	if (!check->options->key && check->manifest.is_signed) {
		say(check, VERIFY_NOTE, file->file, "its signature was not checked");
		return 0;
	}
	if (check->only && !fs_exists(check->dirfd, file->file)) {
		say(check, VERIFY_NOTE, file->file, "does not lie here: not checked");
		return 0;
	}
	if (read_statement(check, file, &text, &mine) < 0 ||
	    json_parse(buf_text(&text), text.n, file->file, &statement, &mine) < 0 ||
	    statement_check(statement, &check->manifest, &mine) < 0) {
		if (mine.code == ERR_IO)
			return denied(&mine, err);
		say_err(check, file->file, &mine);
		return 0;
	}
	check->report->development |= statement_is_development(statement);
	say(check, VERIFY_GOOD, file->file, "%s, its subjects are the artefacts",
	    check->options->key ? "signed with the same key" : "not signed");
	return 0;
}

static int check_files(struct check *check, struct err *err)
{
	for (size_t i = 0; i < check->manifest.files.n; i++) {
		if (check_file(check, &check->manifest.files.v[i], err) < 0)
			return -1;
	}
	return check_unlisted(check, err);
}

static int check_only(struct check *check, struct err *err)
{
	const struct artefact *file = manifest_find(&check->manifest, check->only);

	if (str_eq(check->only, DIST_SUMS) || str_eq(check->only, DIST_SUMS_BUNDLE) ||
	    str_eq(check->only, DIST_MANIFEST))
		return 0;
	if (!file) {
		say(check, VERIFY_BAD, check->only, "is not part of the release: no list names it");
		return 0;
	}
	return check_file(check, file, err);
}

static int conclude(struct check *check, struct err *err)
{
	struct verify_report *report = check->report;

	if (report->n_bad == 0 && check->options->key)
		report->authenticated = true;
	if (report->n_bad == 0 && report->development && !check->options->allow_development) {
		say(check, VERIFY_BAD, "",
		    "signed with a development key, made on one machine for "
		    "local use");
		err_set(err, ERR_DENIED, "the release is signed with a development key");
		return err_hint(err, "sign it with a release key, or say --allow-development");
	}
	for (size_t i = 0; i < report->lines.n; i++) {
		const struct verify_line *line = &report->lines.v[i];

		if (line->state == VERIFY_BAD)
			return err_set(err, ERR_DENIED, "%s%s%s (%zu of the checks failed)",
			               line->file, line->file[0] ? ": " : "", line->text,
			               report->n_bad);
	}
	return 0;
}

static int run(struct check *check, struct err *err)
{
	if (check->options->key)
		check->report->fingerprint = key_fingerprint(check->options->key);
	if (check_signature(check, err) < 0 || check_manifest(check, err) < 0)
		return -1;
	check->report->only = check->only ? printable(check->only) : NULL;
	check_lists(check);
	check_single(check);
	if ((check->only ? check_only(check, err) : check_files(check, err)) < 0)
		return -1;
	return check_provenance(check, err) < 0 ? -1 : conclude(check, err);
}

static int verify(int dirfd, const char *only, const struct verify_options *options,
                  struct verify_report *report, struct manifest *ret_manifest, struct err *err)
{
	struct check check = { .dirfd = dirfd,
		               .options = options,
		               .report = report,
		               .only = only,
		               .sums_text = BUF_INIT(DIST_SUMS_MOST) };
	int rc = run(&check, err);

	if (rc < 0 && report->n_bad == 0)
		say_err(&check, "", err);
	buf_deinit(&check.sums_text);
	sums_deinit(&check.sums);
	if (rc == 0 && ret_manifest)
		*ret_manifest = check.manifest;
	else
		manifest_deinit(&check.manifest);
	return rc;
}

int dist_verify_folder(int dirfd, const struct verify_options *options,
                       struct verify_report *report, struct manifest *ret_manifest, struct err *err)
{
	return verify(dirfd, NULL, options, report, ret_manifest, err);
}

int dist_verify(const char *path, const struct verify_options *options,
                struct verify_report *report, struct err *err)
{
	_cleanup_free_ char *dir = NULL;
	_cleanup_fd_ int dirfd = -1;
	struct stat st;
	bool folder;

	if (lstat(path, &st) < 0)
		return err_sys(err, errno == ENOENT || errno == ENOTDIR ? ERR_USAGE : ERR_IO,
		               "cannot look at %s", path);
	folder = S_ISDIR(st.st_mode) ||
	         (S_ISLNK(st.st_mode) && stat(path, &st) == 0 && S_ISDIR(st.st_mode));
	dir = folder ? str_dup(path) : path_dir(path);
	if (fs_open_dir(AT_FDCWD, dir, &dirfd, err) != 0)
		return err_set(err, ERR_IO, "cannot open the folder %s", dir);
	return verify(dirfd, folder ? NULL : path_base(path), options, report, NULL, err);
}
