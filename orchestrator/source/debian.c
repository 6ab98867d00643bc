/*
 * Debian source packages. Debian's own client finds and checks them; what counts is the .dsc's
 * digest, which names every other file. Without patches the upstream tarball is the source; with
 * them dpkg-source makes the tree that Debian builds.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/crypto.h"
#include "host/child.h"
#include "host/fs.h"
#include "model/purl.h"
#include "source/apt.h"
#include "source/dsc.h"
#include "source/fetcher.h"
#include "source/untar.h"
#include "store/place.h"

enum { DSC_MOST = 1 << 20, CHANGELOG_MOST = 64 << 20 };

static const char default_suite[] = "trixie";

/* A source package on disk. */
struct package {
	const struct fetch *fetch;
	const char *name, *version; /* as asked for; version NULL: the newest */
	bool patches;
	struct digest pinned; /* none: not pinned */
	char *dir;            /* absolute; "files" is below it */
	struct dsc dsc;
	char *dsc_name;
	struct digest digest; /* of the .dsc */
};

/* Names go into argument lists: letters, digits and what Debian allows. */
static bool is_argument(const char *text, const char *also)
{
	if (!*text || *text == '-')
		return false;
	for (; *text; text++)
		if (!((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
		      (*text >= '0' && *text <= '9') || strchr(also, *text)))
			return false;
	return true;
}

static int debian_key(const struct fetch *fetch, json_t *key, bool *ret_pinned, struct err *err)
{
	const json_t *leaf = fetch->request->leaf;
	const char *version = json_str_or(leaf, "version", NULL);
	const char *suite = json_str_or(leaf, "suite", default_suite);
	struct digest digest;
	const char *name;

	if (fetch_str(fetch, "name", &name, err) < 0 ||
	    fetch_digest(fetch, "dsc", &digest, err) < 0)
		return -1;
	if (!is_argument(name, "+-."))
		return err_set(err, ERR_INPUT, "%s: \"%s\" is no source package's name",
		               fetch->where, name);
	if (version && !is_argument(version, "+-.:~"))
		return err_set(err, ERR_INPUT, "%s: \"%s\" is no version", fetch->where, version);
	if (!is_argument(suite, "-._"))
		return err_set(err, ERR_INPUT, "%s: \"%s\" is no suite", fetch->where, suite);
	json_object_set_new(key, "name", json_string(name));
	json_object_set_new(key, "patches",
	                    json_boolean(json_is_true(json_object_get(leaf, "patches"))));
	*ret_pinned = !digest_is_none(&digest);
	if (*ret_pinned) {
		fetch_set_digest(key, "dsc", &digest);
	} else {
		json_object_set_new(key, "suite", json_string(suite));
		json_object_set_new(key, "version", version ? json_string(version) : json_null());
	}
	return 0;
}

static char *file_path(const struct package *package, const char *name)
{
	return str_fmt("%s/files/%s", package->dir, name);
}

static int find_dsc(struct package *package, struct err *err)
{
	_cleanup_free_ char *files = path_join(package->dir, "files");
	struct fs_names names = { 0 };

	if (fs_list(AT_FDCWD, files, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.names.n && !package->dsc_name; i++)
		if (str_ends(names.names.v[i], ".dsc"))
			package->dsc_name = str_dup(names.names.v[i]);
	fs_names_deinit(&names);
	if (!package->dsc_name)
		return err_set(err, ERR_IO, "apt-get source %s brought no .dsc", package->name);
	return 0;
}

static int check_dsc(struct package *package, struct err *err)
{
	const struct fetch *fetch = package->fetch;
	_cleanup_buf_ struct buf text = BUF_INIT(DSC_MOST);
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *asked = package->version ?
	                                     str_fmt("%s %s", package->name, package->version) :
	                                     str_dup(package->name);

	if (find_dsc(package, err) < 0)
		return -1;
	path = file_path(package, package->dsc_name);
	if (fs_must(fs_read(AT_FDCWD, path, &text, err), path, err) < 0)
		return -1;
	digest_of(buf_text(&text), text.n, &package->digest);
	if (!digest_is_none(&package->pinned) && !digest_eq(&package->pinned, &package->digest)) {
		err_set(err, ERR_INPUT,
		        "%s: the source package %s is not the pinned one: pinned "
		        "dsc sha256:%s, got sha256:%s",
		        fetch->where, asked, DIGEST_TEXT(&package->pinned),
		        DIGEST_TEXT(&package->digest));
		return err_hint(err, "find out why it changed before you change the pin");
	}
	if (dsc_parse(buf_str(&text), package->dsc_name, &package->dsc, err) < 0)
		return -1;
	if (!str_eq(package->dsc.source, package->name) ||
	    (package->version && !str_eq(package->dsc.version, package->version)))
		return err_set(err, ERR_INPUT, "%s: asked for the source package %s, got %s %s",
		               fetch->where, asked, package->dsc.source, package->dsc.version);
	return 0;
}

static int check_files(struct package *package, struct err *err)
{
	for (size_t i = 0; i < package->dsc.files.n; i++) {
		const struct dsc_file *file = &package->dsc.files.v[i];
		_cleanup_free_ char *path = file_path(package, file->name);
		_cleanup_fd_ int fd = -1;
		struct blob_ref ref;
		int rc = fs_open(AT_FDCWD, path, &fd, err);

		if (rc > 0)
			return err_set(err, ERR_IO, "%s names %s, which was not brought",
			               package->dsc_name, file->name);
		if (rc < 0 || digest_of_fd(fd, file->name, &ref, err) < 0)
			return -1;
		if (ref.size != file->ref.size || !digest_eq(&ref.digest, &file->ref.digest))
			return err_set(err, ERR_INPUT, "%s names %s with sha256:%s, got sha256:%s",
			               package->dsc_name, file->name,
			               DIGEST_TEXT(&file->ref.digest), DIGEST_TEXT(&ref.digest));
	}
	return 0;
}

static int bring(struct package *package, struct err *err)
{
	const struct fetch *fetch = package->fetch;
	const json_t *leaf = fetch->request->leaf;
	const char *const architectures[] = { "amd64", NULL }; /* no matter to sources */
	const struct apt_options options = {
		.scratch = package->dir,
		.suite = json_str_or(leaf, "suite", default_suite),
		.architectures = architectures,
		.sources = true,
		.mirror = fetch->request->mirror,
		.offline = fetch->request->offline,
	};
	_cleanup_free_ char *files = path_join(package->dir, "files");
	struct work work;
	struct apt *apt;
	int rc;

	if (fs_make_dirs(AT_FDCWD, files, 0755, err) < 0 ||
	    apt_open(&options, fetch->log, &apt, err) < 0)
		return -1;
	work_begin(&work, fetch->log, "fetching the source package %s%s%s", package->name,
	           package->version ? " " : "", package->version ? package->version : "");
	rc = apt_download_source(apt, package->name, package->version, files, &work, err);
	work_end(&work, rc);
	apt_free(apt);
	if (rc < 0 && err->code == ERR_INPUT)
		err_hint(err,
		         "take a version that the suite has, name its suite (suite = \"…\"), or "
		         "use a store that holds this one");
	if (rc < 0 || check_dsc(package, err) < 0)
		return -1;
	return check_files(package, err);
}

/* Whether a file is upstream's tarball; *ret_component: "" or the component's name. */
static bool is_orig(const struct package *package, const char *name, char **ret_component)
{
	const char *at = strstr(name, ".orig"), *version = package->dsc.version, *tar;
	bool native;

	if (str_ends(name, ".asc") || str_ends(name, ".sig"))
		return false;
	tar = strstr(name, ".tar.");
	if (!tar)
		return false;
	if (at && at < tar) {
		at += 5;
		*ret_component = at < tar && *at == '-' ?
		                         str_dup_n(at + 1, (size_t)(tar - at - 1)) :
		                         str_dup("");
		return true;
	}
	/* A native package has one tarball, NAME_VERSION.tar.EXT, without the version's epoch. */
	if (strchr(version, ':'))
		version = strchr(version, ':') + 1;
	native = strstr(package->dsc.format, "(native)") ||
	         (str_eq(package->dsc.format, "1.0") && package->dsc.files.n == 1);
	if (!native || (size_t)(tar - name) < strlen(version) ||
	    !str_starts(tar - strlen(version), version))
		return false;
	*ret_component = str_dup("");
	return true;
}

/* The folder of an unpacked tarball that counts: its only folder, or itself. */
static int strip_top(const char *dir, char **ret, struct err *err)
{
	struct fs_names names = { 0 };
	_cleanup_free_ char *only = NULL;
	struct stat st;
	int rc = fs_list(AT_FDCWD, dir, &names, err);

	if (rc == 0 && names.names.n == 1)
		only = path_join(dir, names.names.v[0]);
	fs_names_deinit(&names);
	if (rc == 0 && only && (rc = fs_stat(AT_FDCWD, only, &st, err)) == 0 && S_ISDIR(st.st_mode))
		*ret = steal(only);
	else
		*ret = str_dup(dir);
	return rc;
}

static int unpack_one(const struct package *package, const char *name, const char *to,
                      char **ret_root, struct err *err)
{
	_cleanup_free_ char *path = file_path(package, name);
	_cleanup_fd_ int fd = -1, dir = -1;

	if (fs_make_dirs(AT_FDCWD, to, 0755, err) < 0 ||
	    fs_must(fs_open(AT_FDCWD, path, &fd, err), path, err) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, to, &dir, err), to, err) < 0 ||
	    untar(fd, name, dir, err) < 0)
		return -1;
	return strip_top(to, ret_root, err);
}

/* Upstream's tarball at the root, component tarballs in folders of their name. */
static int unpack_orig(const struct package *package, char **ret_root, struct err *err)
{
	_cleanup_free_ char *root = NULL;

	for (int components = 0; components <= 1; components++)
		for (size_t i = 0; i < package->dsc.files.n; i++) {
			const char *name = package->dsc.files.v[i].name;
			_cleanup_free_ char *component = NULL, *to = NULL, *from = NULL, *at = NULL;

			if (!is_orig(package, name, &component) ||
			    (*component != '\0') != components)
				continue;
			to = str_fmt("%s/unpacked-%zu", package->dir, i);
			if (unpack_one(package, name, to, &from, err) < 0)
				return -1;
			if (!components) {
				free(root);
				root = steal(from);
				continue;
			}
			if (!root || path_tree_fault(component))
				return err_set(err, ERR_INPUT, "%s: %s is no component's tarball",
				               package->dsc_name, name);
			at = path_join(root, component);
			if (fs_remove_tree(AT_FDCWD, at, err) < 0)
				return -1;
			if (rename(from, at) < 0)
				return err_sys(err, ERR_IO, "cannot place the component %s",
				               component);
		}
	if (!root)
		return err_set(err, ERR_INPUT, "%s names no upstream tarball", package->dsc_name);
	*ret_root = steal(root);
	return 0;
}

static int unpack_patched(const struct package *package, char **ret_root, struct err *err)
{
	_cleanup_free_ char *dsc = file_path(package, package->dsc_name);
	_cleanup_free_ char *to = path_join(package->dir, "patched");
	const char *const argv[] = { "dpkg-source", "--no-check", "-x", dsc, to, NULL };
	const char *const env[] = { "LC_ALL=C.UTF-8", "TZ=UTC", NULL };
	_cleanup_child_result_ struct child_result result = { 0 };

	if (child_run_ok(&(struct child_spec){ .argv = argv, .set_env = env }, &result, err) < 0) {
		if (err->code == ERR_MACHINE)
			err_hint(err, "sudo apt-get install dpkg-dev patch");
		return err_while(err, "unpacking %s", package->dsc_name);
	}
	*ret_root = steal(to);
	return 0;
}

/* debian/changelog out of whichever file has it; a diff has it only when it is applied. */
static int read_changelog(const struct package *package, struct buf *buf, struct err *err)
{
	_cleanup_free_ char *root = NULL, *path = NULL;

	for (size_t i = package->dsc.files.n; i-- > 0;) {
		const char *name = package->dsc.files.v[i].name;
		_cleanup_free_ char *file = file_path(package, name);
		_cleanup_free_ char *component = NULL;
		_cleanup_fd_ int fd = -1;
		int rc;

		if (!strstr(name, ".debian.tar.") &&
		    !(!strstr(name, ".orig") && is_orig(package, name, &component)))
			continue;
		if (fs_must(fs_open(AT_FDCWD, file, &fd, err), file, err) < 0)
			return -1;
		rc = untar_one(fd, name, "debian/changelog", buf, err);
		if (rc <= 0)
			return rc;
	}
	if (unpack_patched(package, &root, err) < 0)
		return -1;
	path = path_join(root, "debian/changelog");
	if (fs_read(AT_FDCWD, path, buf, err) != 0)
		return err_set(err, ERR_INPUT, "%s has no debian/changelog", package->dsc_name);
	return fs_remove_tree(AT_FDCWD, root, err);
}

static int fill_fact(const struct package *package, json_t *fact, struct err *err)
{
	_cleanup_buf_ struct buf changelog = BUF_INIT(CHANGELOG_MOST);
	_cleanup_buf_ struct buf purl = BUF_INIT(DSC_MOST);
	int64_t date;

	if (read_changelog(package, &changelog, err) < 0 ||
	    changelog_date(buf_str(&changelog), "debian/changelog", &date, err) < 0)
		return -1;
	purl_deb(&purl, package->dsc.source, package->dsc.version, "source");
	json_object_set_new(fact, "uri", json_string(buf_text(&purl)));
	json_object_set_new(fact, "version", json_string(package->dsc.version));
	json_object_set_new(fact, "date", json_integer(date));
	fetch_set_digest(fact, "digest", &package->digest);
	return 0;
}

static int take_tree(const struct package *package, struct tree_node *ret, struct err *err)
{
	static const char *const exclude[] = { ".pc" }; /* dpkg-source's own notes */
	const struct ingest_options options = { .exclude = exclude,
		                                .n_exclude = package->patches ? 1 : 0,
		                                .children = fetch_children(package->fetch),
		                                .shown = package->dsc_name,
		                                .blame = ERR_INPUT };
	_cleanup_free_ char *root = NULL;
	_cleanup_fd_ int dir = -1;

	if ((package->patches ? unpack_patched(package, &root, err) :
	                        unpack_orig(package, &root, err)) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, root, &dir, err), root, err) < 0)
		return -1;
	return ingest_node(store_blobs(package->fetch->store), package->fetch->arena, dir, "",
	                   &options, ret, err) == 0 ?
	               0 :
	               -1;
}

static int debian_run(const struct fetch *fetch, struct tree_node *ret_node, json_t *fact,
                      struct err *err)
{
	const json_t *leaf = fetch->request->leaf;
	struct package package = { .fetch = fetch,
		                   .version = json_str_or(leaf, "version", NULL),
		                   .patches = json_is_true(json_object_get(leaf, "patches")) };
	_cleanup_fd_ int parent = -1;
	struct tmpdir dir;
	int rc;

	if (fetch_str(fetch, "name", &package.name, err) < 0 ||
	    fetch_digest(fetch, "dsc", &package.pinned, err) < 0 ||
	    fetch_tmpdir(fetch, &dir, &parent, &package.dir, err) < 0)
		return -1;
	rc = bring(&package, err);
	if (rc == 0)
		rc = fill_fact(&package, fact, err);
	if (rc == 0)
		rc = take_tree(&package, ret_node, err);
	tmpdir_deinit(&dir);
	dsc_deinit(&package.dsc);
	free(package.dsc_name);
	free(package.dir);
	return rc;
}

const struct fetcher fetcher_debian = { "debian", true, debian_key, debian_run };
