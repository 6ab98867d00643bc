/*
 * Writing a release folder. Everything is written aside first, artefacts included, because only
 * their bytes tell whether the release that may be there already is the same one.
 */
#include "release/dist.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "evidence/sbom.h"
#include "evidence/statement.h"
#include "evidence/verdict.h"
#include "external/archive.h"
#include "external/crypto.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "release/seal.h"
#include "release/staging.h"

/* One release on its way: the caller's artefacts and those made here. */
struct writing {
	struct blobs *blobs;
	const struct dist_input *input;
	struct staging staging;
	char *base; /* NAME-VERSION */
	ARRAY(struct artefact) artefacts;
	ARRAY(char *) names;      /* owned file names of artefacts made here */
	struct dist_result found; /* how the same release that is there is signed */
};

void dist_result_deinit(struct dist_result *result)
{
	free(result->fingerprint);
	*result = (struct dist_result){ 0 };
}

static void writing_deinit(struct writing *w)
{
	dist_result_deinit(&w->found);
	for (size_t i = 0; i < w->names.n; i++)
		free(w->names.v[i]);
	array_deinit(&w->names);
	array_deinit(&w->artefacts);
	free(w->base);
}

/* The names that a release's own files have, besides those of its SBOMs. */
static bool is_reserved(const char *name, const char *base)
{
	static const char *const taken[] = { DIST_SUMS, DIST_SUMS_BUNDLE, DIST_MANIFEST,
		                             DIST_REPORT, DIST_KEY };
	static const char *const of_base[] = { DIST_OF_REBUILD, DIST_OF_VERDICT, DIST_OF_PROVENANCE,
		                               DIST_OF_PROVENANCE_BUNDLE };

	for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
		if (str_eq(name, taken[i]))
			return true;
	}
	if (!str_starts(name, base))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(of_base); i++) {
		if (str_eq(name + strlen(base), of_base[i]))
			return true;
	}
	return false;
}

/* What is said about a target, or about all (NULL), is as pinned as its packages are. */
static bool is_pinned(const struct writing *w, const char *triple)
{
	for (size_t i = 0; i < w->input->facts.n_artefacts; i++) {
		const struct artefact *given = &w->input->facts.artefacts[i];

		if (!given->pinned && (!triple || !given->target || str_eq(given->target, triple)))
			return false;
	}
	return true;
}

/* Adds a file made here, about one target or about all (NULL); `name` is taken over. */
static struct artefact *made_here(struct writing *w, char *name, const char *kind,
                                  enum artefact_class class, const char *media_type,
                                  const char *triple)
{
	struct artefact *file = array_add(&w->artefacts);

	array_push(&w->names, name);
	file->file = name;
	file->kind = kind;
	file->class = class;
	file->media_type = media_type;
	file->target = triple;
	file->pinned = is_pinned(w, triple);
	return file;
}

static int check_given(const struct writing *w, struct err *err)
{
	if (!manifest_name_ok(w->base) || strlen(w->base) > 120)
		return err_set(err, ERR_INPUT,
		               "\"%s\": a release's name and version must be short "
		               "and of plain visible characters",
		               w->base);
	for (size_t i = 0; i < w->artefacts.n; i++) {
		const char *name = w->artefacts.v[i].file;

		if (!manifest_name_ok(name) || is_reserved(name, w->base))
			return err_set(err, ERR_INPUT,
			               "\"%s\" cannot be the name of a file in a "
			               "release",
			               name);
	}
	return 0;
}

static int check_twice(const struct writing *w, struct err *err)
{
	for (size_t i = 0; i < w->artefacts.n; i++) {
		for (size_t j = 0; j < i; j++) {
			const char *name = w->artefacts.v[i].file;

			if (str_eq(name, w->artefacts.v[j].file))
				return err_set(err, ERR_INPUT,
				               "two files of the release have the "
				               "name %s",
				               name);
		}
	}
	return 0;
}

/* Copies a blob to an open file and checks that the bytes are the blob's. */
static int copy_blob(struct blobs *blobs, const struct blob_ref *ref, const char *name, int to,
                     struct err *err)
{
	_cleanup_fd_ int from = -1;
	struct blob_ref got;
	int rc = blobs_open_fd(blobs, ref, &from, err);

	if (rc == BLOBS_MISS) {
		err_set(err, ERR_IO, "%s is no longer in the store", name);
		return err_hint(err, "build again: what is missing is made anew");
	}
	if (rc < 0 || fs_copy_fd(from, to, name, err) < 0)
		return -1;
	if (lseek(to, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot read %s again", name);
	if (digest_of_fd(to, name, &got, err) < 0)
		return -1;
	if (got.size != ref->size || !digest_eq(&got.digest, &ref->digest)) {
		err_set(err, ERR_IO, "the store's copy of %s is damaged", name);
		return err_hint(
			err, "build again with another --store, or remove this one: what it holds "
			     "can be made anew");
	}
	return 0;
}

static int create(const struct writing *w, const char *name, int *ret_fd, struct err *err)
{
	int fd = openat(w->staging.dir.fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	                0644);

	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot create %s", name);
	if (failpoint("dist-mode") || fchmod(fd, 0644) < 0) {
		close(fd);
		return err_sys(err, ERR_IO, "cannot set the mode of %s", name);
	}
	*ret_fd = fd;
	return 0;
}

static int write_given(struct writing *w, struct err *err)
{
	for (size_t i = 0; i < w->input->facts.n_artefacts; i++) {
		const struct artefact *file = &w->input->facts.artefacts[i];
		_cleanup_fd_ int fd = -1;

		if (create(w, file->file, &fd, err) < 0 ||
		    copy_blob(w->blobs, &file->ref, file->file, fd, err) < 0)
			return -1;
	}
	return 0;
}

static int write_json(struct writing *w, const json_t *json, struct artefact *file, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(256 << 20);

	json_write_pretty(json, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT, "%s would be too large", file->file);
	return seal_write(w->staging.dir.fd, file->file, text.p, text.n, &file->ref, err);
}

/* Facts as they are so far: with what was made here. */
static struct release_facts facts_so_far(const struct writing *w)
{
	struct release_facts facts = w->input->facts;

	facts.artefacts = w->artefacts.v;
	facts.n_artefacts = w->artefacts.n;
	return facts;
}

static int write_sboms(struct writing *w, struct err *err)
{
	for (size_t i = 0; i < w->input->facts.n_targets; i++) {
		const struct release_target *target = &w->input->facts.targets[i];
		const struct release_facts facts = facts_so_far(w);
		_cleanup_json_ json_t *cdx = sbom_cyclonedx(&facts, target);
		_cleanup_json_ json_t *spdx = sbom_spdx(&facts, target);
		struct artefact *file;

		file = made_here(w, str_fmt("%s-%s.cdx.json", w->base, target->triple), "sbom",
		                 ARTEFACT_SHIPPED, SBOM_CYCLONEDX_MEDIA, target->triple);
		if (write_json(w, cdx, file, err) < 0)
			return -1;
		file = made_here(w, str_fmt("%s-%s.spdx.json", w->base, target->triple), "sbom",
		                 ARTEFACT_SHIPPED, SBOM_SPDX_MEDIA, target->triple);
		if (write_json(w, spdx, file, err) < 0)
			return -1;
	}
	return 0;
}

/* Members of the rebuild archive, sorted; index i of each belongs together. */
struct rebuild_tar {
	struct dist_rebuild *entries;
	struct archive_member *members;
	char **names;
	size_t n;
};

static int cmp_rebuild(const void *a, const void *b)
{
	return strcmp(((const struct dist_rebuild *)a)->path,
	              ((const struct dist_rebuild *)b)->path);
}

static void rebuild_tar_init(struct rebuild_tar *tar, const struct writing *w)
{
	tar->n = w->input->n_rebuild;
	tar->entries = alloc_dup(w->input->rebuild, tar->n * sizeof(*tar->entries));
	tar->members = alloc_array(tar->n, sizeof(*tar->members));
	tar->names = alloc_array(tar->n, sizeof(*tar->names));
	qsort(tar->entries, tar->n, sizeof(*tar->entries), cmp_rebuild);
	for (size_t i = 0; i < tar->n; i++) {
		tar->names[i] = str_fmt("%s.rebuild/%s", w->base, tar->entries[i].path);
		tar->members[i] = (struct archive_member){ .name = tar->names[i],
			                                   .kind = ARCHIVE_FILE,
			                                   .mode = 0644,
			                                   .mtime = w->input->facts.epoch,
			                                   .size = tar->entries[i].ref.size };
	}
}

static void rebuild_tar_deinit(struct rebuild_tar *tar)
{
	for (size_t i = 0; i < tar->n; i++)
		free(tar->names[i]);
	free(tar->names);
	free(tar->members);
	free(tar->entries);
}

static int add_rebuild(const struct writing *w, const struct rebuild_tar *tar, size_t i,
                       struct archive_writer *writer, struct err *err)
{
	const struct dist_rebuild *entry = &tar->entries[i];
	_cleanup_fd_ int fd = -1;
	int rc;

	if (!path_is_tree(entry->path) || entry->path[0] == '\0')
		return err_set(err, ERR_BUG, "\"%s\" is no path for the rebuild archive",
		               entry->path);
	if (i > 0 && str_eq(entry->path, tar->entries[i - 1].path))
		return err_set(err, ERR_BUG, "the rebuild archive has two files %s", entry->path);
	rc = blobs_open_fd(w->blobs, &entry->ref, &fd, err);
	if (rc > 0)
		return err_set(err, ERR_IO, "%s is no longer in the store", entry->path);
	if (rc < 0 || archive_writer_add(writer, &tar->members[i], err) < 0)
		return -1;
	return archive_writer_copy(writer, fd, tar->names[i], err);
}

static int fill_rebuild(const struct writing *w, int fd, const char *name, struct err *err)
{
	struct archive_writer *writer;
	struct rebuild_tar tar;
	int rc = 0;

	rebuild_tar_init(&tar, w);
	writer = archive_writer_new(fd, archive_tar_format(tar.members, tar.n), name);
	for (size_t i = 0; rc == 0 && i < tar.n; i++)
		rc = add_rebuild(w, &tar, i, writer, err);
	if (rc == 0)
		rc = archive_writer_finish(writer, err);
	archive_writer_free(writer);
	rebuild_tar_deinit(&tar);
	return rc;
}

static int write_rebuild(struct writing *w, struct err *err)
{
	struct artefact *file;
	_cleanup_fd_ int fd = -1;

	if (w->input->n_rebuild == 0)
		return 0;
	file = made_here(w, str_fmt("%s" DIST_OF_REBUILD, w->base), "rebuild", ARTEFACT_SHIPPED,
	                 "application/x-tar", NULL);
	if (create(w, file->file, &fd, err) < 0 || fill_rebuild(w, fd, file->file, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot read %s", file->file);
	return digest_of_fd(fd, file->file, &file->ref, err);
}

static int write_verdict(struct writing *w, json_t *verdict, struct err *err)
{
	return write_json(w, verdict,
	                  made_here(w, str_fmt("%s" DIST_OF_VERDICT, w->base), "verdict",
	                            ARTEFACT_EVIDENCE, "application/json", NULL),
	                  err);
}

/* Whether the release that is there has exactly these artefacts; else says the first difference. */
static int compare(const struct writing *w, const struct manifest *old, struct err *err)
{
	size_t shipped = 0, n = 0;

	for (size_t i = 0; i < old->files.n; i++)
		shipped += old->files.v[i].class == ARTEFACT_SHIPPED;
	for (size_t i = 0; i < w->artefacts.n; i++) {
		const struct artefact *mine = &w->artefacts.v[i];
		const struct artefact *theirs = manifest_find(old, mine->file);

		if (mine->class != ARTEFACT_SHIPPED)
			continue;
		n++;
		if (!theirs)
			return err_set(err, ERR_DENIED, "%s holds another release: it lacks %s",
			               w->input->out, mine->file);
		if (!digest_eq(&theirs->ref.digest, &mine->ref.digest))
			return err_set(err, ERR_DENIED, "%s holds another release: its %s differs",
			               w->input->out, mine->file);
	}
	if (n != shipped)
		return err_set(err, ERR_DENIED, "%s holds another release, with other artefacts",
		               w->input->out);
	return 0;
}

/* The release that is there holds and is this one, signed by the same key. */
static int same_release(struct writing *w, int dirfd, struct err *err)
{
	const struct signer *signer = w->input->signer;
	struct verify_options options = { .allow_development = true };
	struct verify_report report = { 0 };
	struct manifest old = { 0 };
	int rc = dist_verify_folder(dirfd, &options, &report, &old, err);

	verify_report_deinit(&report);
	if (rc < 0)
		return err_while(err, "checking the release in %s", w->input->out);
	rc = compare(w, &old, err);
	if (rc == 0 && signer && !old.is_signed) {
		err_set(err, ERR_DENIED, "%s holds this release unsigned", w->input->out);
		err_hint(err, "sign it: kiln sign %s --key …; or give --replace", w->input->out);
		rc = -1;
	}
	if (rc == 0 && old.is_signed)
		w->found = (struct dist_result){
			.is_signed = true,
			.claimed = !signer,
			.development = old.development,
			.fingerprint = str_dup(old.fingerprint),
		};
	manifest_deinit(&old);
	if (rc < 0 || !signer)
		return rc;
	options.key = signer->key;
	rc = dist_verify_folder(dirfd, &options, &report, NULL, err);
	verify_report_deinit(&report);
	return rc < 0 ? err_while(err, "checking the release in %s", w->input->out) : 0;
}

/* Returns 0 to go on, DIST_SAME, or -1. */
static int look_at_old(struct writing *w, struct err *err)
{
	struct fs_names names = { 0 };
	_cleanup_fd_ int dirfd = -1;
	struct err mine = ERR_INIT;
	size_t n;
	int rc = fs_open_dir(AT_FDCWD, w->input->out, &dirfd, err);

	if (rc > 0)
		return fs_exists(AT_FDCWD, w->input->out) ?
		               err_set(err, ERR_DENIED, "%s is in the way: it is no folder",
		                       w->input->out) :
		               0;
	if (rc < 0 || fs_list(dirfd, ".", &names, err) != 0)
		return -1;
	n = names.names.n;
	fs_names_deinit(&names);
	if (n == 0)
		return 0;
	/* Asked to replace a signed release by an unsigned one: the way out of a leaked key. */
	if (same_release(w, dirfd, &mine) == 0)
		return w->input->replace && !w->input->signer && w->found.is_signed ? 0 : DIST_SAME;
	if (w->input->replace && fs_exists(dirfd, DIST_MANIFEST))
		return 0;
	if (!fs_exists(dirfd, DIST_MANIFEST)) {
		err_set(err, ERR_DENIED, "%s is in the way: it holds files, but no release",
		        w->input->out);
		return err_hint(err, "move it away, or write elsewhere with -o DIR");
	}
	*err = mine;
	return err_hint(err, "give --replace to overwrite it");
}

static int seal(struct writing *w, const json_t *verdict, struct err *err)
{
	const struct release_facts facts = facts_so_far(w);
	_cleanup_json_ json_t *manifest = manifest_new(&facts);
	_cleanup_json_ json_t *statement = statement_new(&facts);
	struct seal s = { .dirfd = w->staging.dir.fd,
		          .base = w->base,
		          .manifest = manifest,
		          .verdict = (json_t *)verdict,
		          .statement = statement,
		          .signer = w->input->signer };

	return seal_release(&s, err);
}

static int write_all(struct writing *w, struct err *err)
{
	_cleanup_json_ json_t *verdict = NULL;
	int rc;

	if (check_given(w, err) < 0 || check_twice(w, err) < 0 || write_given(w, err) < 0 ||
	    write_sboms(w, err) < 0 || write_rebuild(w, err) < 0)
		return -1;
	rc = look_at_old(w, err);
	if (rc)
		return rc;
	verdict = verdict_new(&w->input->facts);
	/* Names of SBOMs hang on the targets. */
	if (write_verdict(w, verdict, err) < 0 || check_twice(w, err) < 0 ||
	    seal(w, verdict, err) < 0)
		return -1;
	/* Where another process was first, what it wrote may be this very release. */
	while ((rc = staging_commit(&w->staging, w->input->replace, err)) == STAGING_TAKEN) {
		rc = look_at_old(w, err);
		if (rc)
			break;
	}
	return rc;
}

int dist_write(struct blobs *blobs, const struct dist_input *input, struct dist_result *ret,
               struct err *err)
{
	struct writing w = { .blobs = blobs, .input = input };
	int rc;

	if (staging_init(&w.staging, input->out, err) < 0)
		return err_while(err, "writing the release");
	w.base = str_fmt("%s-%s", input->facts.name, input->facts.version);
	for (size_t i = 0; i < input->facts.n_artefacts; i++)
		array_push(&w.artefacts, input->facts.artefacts[i]);
	rc = write_all(&w, err);
	staging_deinit(&w.staging);
	if (rc == DIST_SAME && w.found.is_signed) {
		*ret = w.found;
		w.found = (struct dist_result){ 0 };
	} else if (rc >= 0) {
		const struct signer *signer = input->signer;

		*ret = (struct dist_result){
			.is_signed = signer,
			.development = signer && signer->development,
			.fingerprint = signer ? str_dup(signer->fingerprint) : NULL,
		};
	}
	for (size_t i = 0; rc >= 0 && i < w.artefacts.n; i++)
		ret->n_artefacts += w.artefacts.v[i].class == ARTEFACT_SHIPPED;
	writing_deinit(&w);
	return rc < 0 ? err_while(err, "writing the release %s", input->out) : rc;
}
