/*
 * apt-get, configured by one file that APT_CONFIG names. The machine's own configuration is not
 * read by that apt-get at all (its hooks would run on the machine's caches); what a download
 * needs to get through, proxies and their like, is carried over from `apt-config dump`.
 */
#include "source/apt.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/path.h"
#include "base/str.h"
#include "host/child.h"
#include "host/fs.h"
#include "source/deb822.h"
#include "source/mirror.h"

enum { CONF_MOST = 1 << 20, OUT_MOST = 64 << 20, MIRRORS_TRIED = 3 };

struct apt {
	char *dir;
	char *suite;
	char *keyring;
	char *architecture; /* the native one */
	bool sources, old;
	struct work *work; /* while the index is read */
};

/* Options of the machine's apt that a download needs to get through. */
static bool is_carried(struct str line)
{
	static const char *const keys[] = { "Acquire::http:",      "Acquire::https:",
		                            "Acquire::ftp:",       "Acquire::socks:",
		                            "Acquire::tor:",       "Acquire::ForceIPv4",
		                            "Acquire::ForceIPv6",  "Acquire::Check-Valid-Until",
		                            "Acquire::Check-Date", "Acquire::Max-ValidTime",
		                            "Acquire::Proxy-Auto", "Dir::Etc::netrc" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t n = strlen(keys[i]);

		if (line.n > n && memcmp(line.p, keys[i], n) == 0)
			return true;
	}
	return false;
}

static int carry_over(struct buf *conf, struct err *err)
{
	const char *const argv[] = { "apt-config", "dump", NULL };
	_cleanup_child_result_ struct child_result result = { 0 };
	struct str rest, line;

	if (child_run_ok(&(struct child_spec){ .argv = argv }, &result, err) < 0)
		return -1;
	rest = buf_str(&result.out);
	while (str_cut(&rest, '\n', &line))
		if (is_carried(line)) {
			buf_add(conf, line.p, line.n);
			buf_add_char(conf, '\n');
		}
	return 0;
}

static int write_conf(struct apt *apt, const struct apt_options *options, struct err *err)
{
	_cleanup_buf_ struct buf conf = BUF_INIT(CONF_MOST);
	_cleanup_free_ char *path = path_join(apt->dir, "apt.conf");

	if (carry_over(&conf, err) < 0)
		return -1;
	buf_add_str(&conf, "Dir::Etc::main \"/dev/null\";\nDir::Etc::parts \"/dev/null\";\n"
	                   "Dir::Etc::sourceparts \"/dev/null\";\n"
	                   "Dir::Etc::preferences \"/dev/null\";\n"
	                   "Dir::Etc::preferencesparts \"/dev/null\";\n"
	                   "Dir::Etc::trusted \"/dev/null\";\n"
	                   "Dir::Etc::trustedparts \"/dev/null\";\n");
	buf_fmt(&conf, "Dir::Etc::sourcelist \"%s/sources.list\";\n", apt->dir);
	buf_fmt(&conf, "Dir::State \"%s/state\";\nDir::State::status \"%s/state/status\";\n",
	        apt->dir, apt->dir);
	buf_fmt(&conf, "Dir::Cache \"%s/cache\";\nDir::Log \"%s/log\";\n", apt->dir, apt->dir);
	buf_fmt(&conf, "APT::Architecture \"%s\";\nAPT::Architectures {",
	        options->architectures[0]);
	for (size_t i = 0; options->architectures[i]; i++)
		buf_fmt(&conf, " \"%s\";", options->architectures[i]);
	buf_add_str(&conf,
	            " };\nAPT::Sandbox::User \"\";\nAPT::Install-Recommends \"false\";\n"
	            "APT::Update::Error-Mode \"any\";\nAPT::Get::Assume-Yes \"true\";\n"
	            "Acquire::Languages \"none\";\nAcquire::ForceHash \"SHA256\";\n"
	            /* apt takes itself for essential: not in an image */
	            "pkgCacheGen::ForceEssential \",\";\n"
	            "Acquire::Retries \"3\";\nAcquire::AllowInsecureRepositories \"false\";\n");
	bug_on(conf.overflow);
	return fs_write_file(AT_FDCWD, path, buf_text(&conf), conf.n, 0644, false, err);
}

static int make_folder(struct apt *apt, const struct apt_options *options, struct err *err)
{
	static const char *const dirs[] = { "state/lists/partial", "cache/archives/partial",
		                            "log" };
	_cleanup_free_ char *template = path_join(options->scratch, "apt-XXXXXX");
	_cleanup_free_ char *status = NULL;

	if (!mkdtemp(template))
		return err_sys(err, ERR_IO, "cannot make a folder in %s", options->scratch);
	apt->dir = steal(template);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		_cleanup_free_ char *path = path_join(apt->dir, dirs[i]);

		if (fs_make_dirs(AT_FDCWD, path, 0755, err) < 0)
			return -1;
	}
	status = path_join(apt->dir, "state/status");
	if (fs_write_file(AT_FDCWD, status, "", 0, 0644, false, err) < 0)
		return -1;
	return write_conf(apt, options, err);
}

/* What apt-get writes while it runs: its own words of that are for a terminal. */
struct watch {
	struct work *work; /* or NULL */
	const char *dir;
};

static void look_at(void *data)
{
	const struct watch *watch = data;
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;
	uint64_t bytes = 0;

	if (fs_list(AT_FDCWD, watch->dir, &names, &ignored) < 0)
		return;
	for (size_t i = 0; i < names.names.n; i++) {
		_cleanup_free_ char *path = path_join(watch->dir, names.names.v[i]);
		struct stat st;

		if (fs_stat(AT_FDCWD, path, &st, &ignored) == 0 && S_ISREG(st.st_mode))
			bytes += (uint64_t)st.st_size;
	}
	fs_names_deinit(&names);
	if (bytes > watch->work->bytes)
		watch->work->bytes = bytes;
	work_goes_on(watch->work);
}

/* Runs apt-get; the exit code is the caller's to judge. argv is NULL-ended. */
static int run(struct apt *apt, const char *const *argv, const char *dir, struct watch *watch,
               struct child_result *ret, struct err *err)
{
	_cleanup_free_ char *conf = str_fmt("APT_CONFIG=%s/apt.conf", apt->dir);
	const char *const env[] = { conf, "LC_ALL=C.UTF-8", "LANGUAGE=", NULL };
	const struct child_spec spec = {
		.argv = argv,
		.set_env = env,
		.dir = dir,
		.out_limit = OUT_MOST,
		.tick = watch && watch->work ? look_at : NULL,
		.tick_data = watch,
	};

	return child_run(&spec, ret, err);
}

/* apt's own errors: its lines that begin with "E:" (all of it where there are none). */
static void fault_text(const struct child_result *result, struct buf *ret)
{
	struct str rest = buf_str(&result->log), line;

	while (str_cut(&rest, '\n', &line))
		if (line.n > 3 && memcmp(line.p, "E: ", 3) == 0) {
			if (ret->n)
				buf_add_str(ret, "; ");
			buf_add(ret, line.p + 3, line.n - 3);
		}
	if (ret->n == 0)
		buf_add(ret, buf_text(&result->log), result->log.n < 800 ? result->log.n : 800);
}

static bool says(const struct child_result *result, const char *const *words)
{
	for (; *words; words++)
		if (strstr(buf_text(&result->log), *words))
			return true;
	return false;
}

/* What a failed download means to the user: of the index, or of files that it lists. */
static int network_fault(struct apt *apt, const struct child_result *result, bool index,
                         struct err *err)
{
	static const char *const keys[] = { "NO_PUBKEY", "is not signed",        "EXPKEYSIG",
		                            "BADSIG",    "couldn't be verified", NULL };
	static const char *const gone[] = { "does not have a Release file", "404  Not Found",
		                            "400  Bad Request", "403  Forbidden", NULL };
	static const char *const full[] = { "No space left on device", "Disk quota exceeded",
		                            NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(1500);

	fault_text(result, &text);
	if (says(result, full)) {
		err_set(err, ERR_IO, "no space is left on the disk of %s: %s", apt->dir,
		        buf_text(&text));
		return err_hint(err, "make room there, or keep the store elsewhere: --store DIR or "
		                     "KILN_STORE");
	}
	if (says(result, gone) && !index) {
		err_set(err, ERR_IO, "the mirror lists a file that it does not hand out: %s",
		        buf_text(&text));
		return err_hint(err,
		                "it may be in the middle of an update: try again later, or name "
		                "another one: --mirror URL, or KILN_DEBIAN_MIRROR");
	}
	if (says(result, gone)) {
		err_set(err, ERR_MACHINE, "the mirror does not serve Debian %s: %s", apt->suite,
		        buf_text(&text));
		return err_hint(err, "name one that does: --mirror URL, or KILN_DEBIAN_MIRROR");
	}
	if (says(result, keys)) {
		err_set(err, ERR_MACHINE,
		        "the archive's signature for %s cannot be checked with %s: %s", apt->suite,
		        apt->keyring, buf_text(&text));
		return err_hint(err,
		                "a newer keyring may know the key: sudo apt-get install "
		                "debian-archive-keyring, or name one with KILN_DEBIAN_KEYRING");
	}
	err_set(err, ERR_IO, "cannot reach Debian's archive: %s", buf_text(&text));
	return err_hint(err, "check the network and try again; with --offline Kiln uses only what "
	                     "its store holds");
}

/* Points the folder at one address and reads its index. */
static int update(struct apt *apt, const char *uri, struct err *err)
{
	static const char *const argv[] = { "apt-get", "-q", "update", NULL };
	_cleanup_child_result_ struct child_result result = { 0 };
	_cleanup_free_ char *partial = path_join(apt->dir, "state/lists/partial");
	_cleanup_free_ char *path = path_join(apt->dir, "sources.list");
	_cleanup_free_ char *line =
		str_fmt("%s [signed-by=%s%s] %s %s main\n", apt->sources ? "deb-src" : "deb",
	                apt->keyring, apt->old ? " check-valid-until=no" : "", uri, apt->suite);

	struct watch watch = { apt->work, partial };

	if (strpbrk(uri, " \t\n[]"))
		return err_set(err, ERR_USAGE,
		               "the mirror \"%s\" is no address (as in a line of "
		               "apt's sources: http://HOST/debian)",
		               uri);
	if (fs_write_file(AT_FDCWD, path, line, strlen(line), 0644, false, err) < 0 ||
	    run(apt, argv, NULL, &watch, &result, err) < 0)
		return -1;
	return result.exit_code == 0 ? 0 : network_fault(apt, &result, true, err);
}

static int update_from_machine(struct apt *apt, struct err *err)
{
	_cleanup_mirrors_ struct mirrors mirrors = { 0 };
	struct err first = ERR_INIT;

	if (mirrors_of_machine("/etc/apt", apt->suite, &mirrors, err) < 0)
		return -1;
	for (size_t i = 0; i < mirrors.uris.n && i < MIRRORS_TRIED; i++) {
		struct err fault = ERR_INIT;

		if (update(apt, mirrors.uris.v[i], &fault) == 0)
			return 0;
		if (i == 0 || fault.code == ERR_IO)
			first = fault;
	}
	if (first.code != ERR_NONE) {
		*err = first;
		return -1;
	}
	err_set(err, ERR_MACHINE, "this machine's apt configuration names no mirror of Debian");
	return err_hint(err, "name one: --mirror URL, or KILN_DEBIAN_MIRROR");
}

int apt_open(const struct apt_options *options, struct log *log, struct apt **ret, struct err *err)
{
	const char *named = mirror_named(options->mirror);
	struct work work;
	struct apt *apt;
	int rc;

	if (options->offline) {
		err_set(err, ERR_IO, "the archive of Debian %s is needed, and --offline forbids it",
		        options->suite);
		return err_hint(err, "run once without --offline");
	}
	apt = alloc(sizeof(*apt));
	apt->suite = str_dup(options->suite);
	apt->architecture = str_dup(options->architectures[0]);
	apt->sources = options->sources;
	apt->old = options->old;
	rc = mirror_keyring(&apt->keyring, err);
	if (rc == 0)
		rc = make_folder(apt, options, err);
	if (rc == 0) {
		work_begin(&work, log, "reading the index of Debian %s", options->suite);
		apt->work = &work;
		rc = named ? update(apt, named, err) : update_from_machine(apt, err);
		apt->work = NULL;
		work_end(&work, rc);
	}
	if (rc < 0) {
		apt_free(apt);
		return -1;
	}
	*ret = apt;
	return 0;
}

struct apt *apt_free(struct apt *apt)
{
	struct err ignored = ERR_INIT;

	if (!apt)
		return NULL;
	if (apt->dir)
		fs_remove_tree(AT_FDCWD, apt->dir, &ignored);
	free(apt->dir);
	free(apt->suite);
	free(apt->keyring);
	free(apt->architecture);
	free(apt);
	return NULL;
}

static int parse_uris(const struct child_result *result, struct debs *ret, struct err *err)
{
	struct str rest = buf_str(&result->out), line;

	while (str_cut(&rest, '\n', &line)) {
		if (line.n == 0 || line.p[0] != '\'')
			continue;
		if (!debs_add_uri_line(ret, line))
			return err_set(err, ERR_IO,
			               "apt-get --print-uris wrote a line that is not "
			               "understood: %.*s",
			               (int)(line.n < 200 ? line.n : 200), line.p);
	}
	return 0;
}

/* Of a package that is not there: the one it was meant to be. */
static int hint_nearest(struct apt *apt, const char *fault, struct err *err)
{
	static const char unknown[] = "Unable to locate package ";
	static const char *const argv[] = { "apt-cache", "pkgnames", NULL };
	_cleanup_child_result_ struct child_result result = { 0 };
	ARRAY(const char *) names = { 0 };
	struct err ignored = ERR_INIT;
	const char *near = NULL, *at = strstr(fault, unknown);
	_cleanup_free_ char *word = NULL;
	char *rest, *line;

	if (!at || run(apt, argv, apt->dir, NULL, &result, &ignored) < 0 || result.exit_code != 0)
		return -1;
	at += strlen(unknown);
	word = str_dup_n(at, strcspn(at, ";: "));
	rest = result.out.p;
	while ((line = strsep(&rest, "\n")))
		array_push(&names, line);
	array_push(&names, NULL);
	near = str_nearest(word, names.v);
	if (near)
		err_hint(err, "did you mean \"%s\"?", near);
	array_deinit(&names);
	return -1;
}

/* Runs `first` with `names` behind it and reads the files it would take. */
static int ask(struct apt *apt, const char *const *first, const char *const *names, size_t n,
               struct debs *ret, struct err *err)
{
	_cleanup_child_result_ struct child_result result = { 0 };
	ARRAY(const char *) argv = { 0 };
	int rc;

	for (; *first; first++)
		array_push(&argv, *first);
	for (size_t i = 0; i < n; i++)
		array_push(&argv, names[i]);
	array_push(&argv, NULL);
	rc = run(apt, argv.v, apt->dir, NULL, &result, err);
	array_deinit(&argv);
	if (rc < 0)
		return -1;
	if (result.exit_code != 0) {
		_cleanup_buf_ struct buf text = BUF_INIT(1500);

		fault_text(&result, &text);
		err_set(err, ERR_INPUT, "apt finds no set of packages in Debian %s: %s", apt->suite,
		        buf_text(&text));
		return hint_nearest(apt, buf_text(&text), err);
	}
	return parse_uris(&result, ret, err);
}

int apt_resolve(struct apt *apt, const char *const *names, size_t n, struct debs *ret,
                struct err *err)
{
	_cleanup_free_ char *essential =
		str_fmt("?and(?essential,?architecture(%s))", apt->architecture);
	const char *const first[] = { "apt-get", "-qq",     "install", "--print-uris",
		                      "--",      essential, NULL };
	struct debs debs = { 0 };

	if (ask(apt, first, names, n, &debs, err) < 0) {
		debs_deinit(&debs);
		return -1;
	}
	debs_sort(&debs);
	*ret = debs;
	return 0;
}

int apt_locate(struct apt *apt, const char *spec, struct debs *ret, struct err *err)
{
	static const char *const first[] = { "apt-get",      "-qq", "download",
		                             "--print-uris", "--",  NULL };
	_cleanup_debs_ struct debs debs = { 0 };

	if (ask(apt, first, &spec, 1, &debs, err) < 0)
		return -1;
	if (debs.list.n != 1)
		return err_set(err, ERR_INPUT, "apt finds %zu files for %s in Debian %s",
		               debs.list.n, spec, apt->suite);
	debs_add(ret, debs.list.v[0].name, debs.list.v[0].version, debs.list.v[0].architecture,
	         &debs.list.v[0].ref);
	return 0;
}

struct lookup {
	struct map *wanted; /* digest in hex → its place in `there`, as a pointer */
};

static int look_up(void *data, const struct deb822 *stanza, struct err *err)
{
	struct lookup *lookup = data;
	struct str hex = deb822_get(stanza, "SHA256");
	bool *there = hex.p ? map_get_n(lookup->wanted, hex.p, hex.n) : NULL;

	(void)err;
	if (there)
		*there = true;
	return 0;
}

int apt_lists_has(struct apt *apt, const struct debs *debs, bool *ret_there, struct err *err)
{
	_cleanup_free_ char *lists = path_join(apt->dir, "state/lists");
	struct lookup lookup = { map_new() };
	struct fs_names files = { 0 };
	int rc = fs_list(AT_FDCWD, lists, &files, err);

	for (size_t i = 0; i < debs->list.n; i++) {
		ret_there[i] = false;
		map_set(lookup.wanted, DIGEST_TEXT(&debs->list.v[i].ref.digest), &ret_there[i]);
	}
	for (size_t i = 0; rc == 0 && i < files.names.n; i++) {
		_cleanup_free_ char *path = path_join(lists, files.names.v[i]);
		_cleanup_fd_ int fd = -1;

		if (!str_ends(path, "_Packages"))
			continue;
		rc = fs_open(AT_FDCWD, path, &fd, err);
		if (rc == 0)
			rc = deb822_scan_fd(fd, files.names.v[i], look_up, &lookup, err);
	}
	fs_names_deinit(&files);
	map_free(lookup.wanted);
	return rc < 0 ? -1 : 0;
}

int apt_download(struct apt *apt, const char *const *specs, size_t n, const char *dir,
                 struct work *work, struct err *err)
{
	struct watch watch = { work, dir };
	_cleanup_child_result_ struct child_result result = { 0 };
	ARRAY(const char *) argv = { 0 };
	int rc;

	array_push(&argv, "apt-get");
	array_push(&argv, "-qq");
	array_push(&argv, "download");
	array_push(&argv, "--");
	for (size_t i = 0; i < n; i++)
		array_push(&argv, specs[i]);
	array_push(&argv, NULL);
	rc = run(apt, argv.v, dir, &watch, &result, err);
	array_deinit(&argv);
	if (rc < 0)
		return -1;
	return result.exit_code == 0 ? 0 : network_fault(apt, &result, false, err);
}

int apt_download_source(struct apt *apt, const char *name, const char *version, const char *dir,
                        struct work *work, struct err *err)
{
	struct watch watch = { work, dir };
	static const char *const gone[] = { "Can not find version",
		                            "Unable to find a source package", NULL };
	_cleanup_child_result_ struct child_result result = { 0 };
	_cleanup_free_ char *spec = version ? str_fmt("%s=%s", name, version) : str_dup(name);
	const char *const argv[] = { "apt-get",         "-qq", "source", "--only-source",
		                     "--download-only", "--",  spec,     NULL };

	if (run(apt, argv, dir, &watch, &result, err) < 0)
		return -1;
	if (result.exit_code == 0)
		return 0;
	if (says(&result, gone))
		return err_set(err, ERR_INPUT, "Debian %s has no source package %s%s%s", apt->suite,
		               name, version ? " " : "", version ? version : "");
	return network_fault(apt, &result, false, err);
}
