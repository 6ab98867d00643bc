/*
 * The order of places: store, mirror, snapshot archive. Only what is missing is asked for, and what
 * arrives counts by its digest alone.
 */
#include "image/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/fs.h"
#include "source/mirror.h"

enum { NAMED_MOST = 8 };

static int open_apt(const struct image_source *source, const char *mirror, bool old,
                    struct apt **ret, struct err *err)
{
	const struct image_definition *definition = source->definition;

	return apt_open(&(struct apt_options){ .scratch = source->scratch,
	                                       .suite = definition->suite,
	                                       .architectures = definition->architectures.v,
	                                       .mirror = mirror,
	                                       .old = old,
	                                       .offline = source->offline },
	                source->log, ret, err);
}

/* A snapshot that the definition names is the archive to resolve from, where one is configured. */
static int open_for_resolve(const struct image_source *source, struct apt **ret, struct err *err)
{
	const struct image_definition *definition = source->definition;
	_cleanup_free_ char *snapshot =
		mirror_snapshot(definition->distribution, definition->snapshot);

	if (definition->snapshot && !snapshot && !source->offline) {
		err_set(err, ERR_MACHINE,
		        "container %s is defined at the snapshot time %s, and no "
		        "snapshot archive is configured",
		        definition->name, definition->snapshot);
		return err_hint(err,
		                "name it: KILN_DEBIAN_SNAPSHOT=URL (the folder above debian/%s)",
		                definition->snapshot);
	}
	return open_apt(source, snapshot ? snapshot : source->mirror, snapshot != NULL, ret, err);
}

static int resolve_in(struct apt *apt, const struct image_definition *definition,
                      struct image_section *section, struct err *err)
{
	if (apt_resolve(apt, definition->packages.v, definition->packages.n, &section->packages,
	                err) < 0)
		return err_while(err, "resolving container %s", definition->name);
	for (size_t i = 0; i < definition->files.n; i++)
		if (apt_locate(apt, definition->files.v[i].deb, &section->files, err) < 0)
			return err_while(err, "looking for the files of container %s",
			                 definition->name);
	return 0;
}

int image_resolve(struct image_source *source, struct image_section *ret, struct err *err)
{
	struct image_section section = { .container = source->definition->digest };

	if (open_for_resolve(source, &source->apt, err) < 0)
		return -1;
	if (resolve_in(source->apt, source->definition, &section, err) < 0) {
		image_section_deinit(&section);
		return -1;
	}
	*ret = section;
	return 0;
}

void image_source_deinit(struct image_source *source)
{
	source->apt = apt_free(source->apt);
}

static void add_missing(struct blobs *blobs, const struct debs *from, struct debs *missing)
{
	for (size_t i = 0; i < from->list.n; i++) {
		const struct deb *deb = &from->list.v[i];

		if (!blobs_has(blobs, &deb->ref))
			debs_add(missing, deb->name, deb->version, deb->architecture, &deb->ref);
	}
}

static void find_missing(struct blobs *blobs, const struct image_section *section, struct debs *ret)
{
	add_missing(blobs, &section->packages, ret);
	add_missing(blobs, &section->files, ret);
}

/* Takes every file of a folder into the store. */
static int take_folder(struct blobs *blobs, const char *dir, struct err *err)
{
	struct fs_names files = { 0 };
	int rc = fs_list(AT_FDCWD, dir, &files, err);

	for (size_t i = 0; rc == 0 && i < files.names.n; i++) {
		_cleanup_free_ char *path = path_join(dir, files.names.v[i]);
		_cleanup_fd_ int fd = -1;
		struct blob_ref ref;

		rc = fs_open(AT_FDCWD, path, &fd, err);
		if (rc == 0)
			rc = blobs_put_fd(blobs, fd, files.names.v[i], &ref, err);
	}
	fs_names_deinit(&files);
	return rc < 0 ? -1 : 0;
}

static int download(struct blobs *blobs, const struct image_source *source, struct apt *apt,
                    const struct debs *missing, const bool *there, struct err *err)
{
	_cleanup_free_ char *dir = path_join(source->scratch, "download");
	struct err ignored = ERR_INIT;
	ARRAY(char *) specs = { 0 };
	struct work work;
	uint64_t bytes = 0;
	int rc = 0;

	for (size_t i = 0; i < missing->list.n; i++)
		if (there[i]) {
			array_push(&specs, deb_spec(&missing->list.v[i]));
			bytes += missing->list.v[i].ref.size;
		}
	if (specs.n) {
		work_begin(&work, source->log, "downloading %zu packages, %llu MB", specs.n,
		           (unsigned long long)(bytes / 1000000 + 1));
		work.total = bytes;
		work_goes_on(&work);
		rc = fs_make_dirs(AT_FDCWD, dir, 0755, err);
		if (rc == 0)
			rc = apt_download(apt, (const char *const *)specs.v, specs.n, dir, &work,
			                  err);
		if (rc == 0)
			rc = take_folder(blobs, dir, err);
		work.bytes = 0; /* said already */
		work_end(&work, rc);
		fs_remove_tree(AT_FDCWD, dir, &ignored);
	}
	for (size_t i = 0; i < specs.n; i++)
		free(specs.v[i]);
	array_deinit(&specs);
	return rc;
}

/* Brings what one archive has of the missing files. */
static int fetch_from(struct blobs *blobs, const struct image_source *source, struct apt *apt,
                      const struct debs *missing, struct err *err)
{
	bool *there = alloc_array(missing->list.n, sizeof(*there));
	int rc = apt_lists_has(apt, missing, there, err);

	if (rc == 0)
		rc = download(blobs, source, apt, missing, there, err);
	free(there);
	return rc;
}

static int fetch_from_mirror(struct blobs *blobs, struct image_source *source,
                             const struct debs *missing, struct err *err)
{
	if (!source->apt && open_apt(source, source->mirror, false, &source->apt, err) < 0)
		return -1;
	return fetch_from(blobs, source, source->apt, missing, err);
}

static int fetch_from_snapshot(struct blobs *blobs, const struct image_source *source,
                               const char *snapshot, const struct debs *missing, struct err *err)
{
	struct apt *apt;
	int rc;

	if (open_apt(source, snapshot, true, &apt, err) < 0)
		return -1;
	rc = fetch_from(blobs, source, apt, missing, err);
	apt_free(apt);
	return rc;
}

static int gone(const struct image_source *source, const struct debs *missing, struct err *err)
{
	_cleanup_buf_ struct buf names = BUF_INIT(1500);

	for (size_t i = 0; i < missing->list.n && i < NAMED_MOST; i++) {
		const struct deb *deb = &missing->list.v[i];

		buf_fmt(&names, "%s%s %s (%s)", i ? ", " : "", deb->name, deb->version,
		        deb->architecture);
	}
	if (missing->list.n > NAMED_MOST)
		buf_fmt(&names, " and %zu more", missing->list.n - NAMED_MOST);
	err_set(err, ERR_INPUT, "image %s: the mirror no longer has %s", source->definition->name,
	        buf_text(&names));
	return err_hint(err, "the ways on: import the image from a machine that has it (kiln image "
	                     "export there, kiln image import here); use a store that holds the "
	                     "packages; name a snapshot archive (KILN_DEBIAN_SNAPSHOT=URL, the "
	                     "folder above debian/TIME); or pin today's versions: kiln lock");
}

static int offline_fault(const struct image_source *source, const struct debs *missing,
                         struct err *err)
{
	err_set(err, ERR_IO,
	        "image %s: packages are not in the store (%zu, the first is %s %s), and "
	        "--offline forbids to fetch them",
	        source->definition->name, missing->list.n, missing->list.v[0].name,
	        missing->list.v[0].version);
	return err_hint(err,
	                "run once without --offline, or import the image: kiln image import FILE");
}

int image_fetch(struct blobs *blobs, struct image_source *source,
                const struct image_section *section, struct err *err)
{
	_cleanup_debs_ struct debs missing = { 0 }, rest = { 0 }, last = { 0 };
	const char *time =
		source->definition->snapshot ? source->definition->snapshot : section->resolved;
	_cleanup_free_ char *snapshot = mirror_snapshot(source->definition->distribution, time);
	struct err fault = ERR_INIT;

	find_missing(blobs, section, &missing);
	if (missing.list.n == 0)
		return 0;
	if (source->offline)
		return offline_fault(source, &missing, err);
	if (fetch_from_mirror(blobs, source, &missing, &fault) < 0 && !snapshot) {
		*err = fault;
		return -1;
	}
	find_missing(blobs, section, &rest);
	if (rest.list.n == 0)
		return 0;
	if (snapshot && fetch_from_snapshot(blobs, source, snapshot, &rest, err) < 0)
		return -1;
	find_missing(blobs, section, &last);
	return last.list.n ? gone(source, &last, err) : 0;
}
