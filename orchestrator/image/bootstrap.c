/*
 * mmdebstrap over a local archive. Its root is read from its standard output as a tar stream; its
 * messages are kept in a nameless file and shown when it fails.
 */
#include "image/bootstrap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/str.h"
#include "host/child.h"
#include "host/fs.h"
#include "host/tmpfile.h"
#include "image/guard.h"
#include "image/repository.h"
#include "source/mirror.h"

enum {
	LOG_MOST = 16 << 20,
	LOG_LINES = 15,
	TICK_MS = 250,
	SUBIDS_MOST = 1 << 20,
	SUBIDS_NEEDED = 65536
};

static bool is_root(void)
{
	return geteuid() == 0;
}

/* Whether a line NAME:START:COUNT of subuid or subgid gives this user enough ids. */
static bool range_suffices(struct str line, const char *name, const char *number)
{
	struct str who, start, count;
	char digits[16] = "";

	if (!str_cut(&line, ':', &who) || !str_cut(&line, ':', &start) ||
	    !str_cut(&line, ':', &count) || count.n >= sizeof(digits))
		return false;
	memcpy(digits, count.p, count.n);
	return (str_same(who, str_of(name)) || str_same(who, str_of(number))) &&
	       strtoul(digits, NULL, 10) >= SUBIDS_NEEDED;
}

static bool has_range(const char *file, const char *name, const char *number)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(SUBIDS_MOST);
	struct err ignored = ERR_INIT;
	struct str rest, line;

	if (fs_read(AT_FDCWD, file, &buf, &ignored) != 0)
		return false;
	rest = buf_str(&buf);
	while (str_cut(&rest, '\n', &line))
		if (range_suffices(line, name, number))
			return true;
	return false;
}

static bool has_program(const char *name)
{
	_cleanup_free_ char *path = NULL;

	return child_find(name, &path);
}

static int check_unprivileged(struct err *err)
{
	const struct passwd *user = getpwuid(geteuid());
	_cleanup_free_ char *number = str_fmt("%u", (unsigned int)geteuid());
	const char *name = user ? user->pw_name : number;

	if (!has_program("newuidmap")) {
		err_set(err, ERR_MACHINE,
		        "newuidmap is not on this machine: an image cannot be built "
		        "without being root");
		return err_hint(err, "sudo apt-get install uidmap");
	}
	if (!has_range("/etc/subuid", name, number) || !has_range("/etc/subgid", name, number)) {
		err_set(err, ERR_MACHINE,
		        "user %s has no range of %d subordinate ids in /etc/subuid "
		        "and /etc/subgid: an image cannot be built without being root",
		        name, SUBIDS_NEEDED);
		return err_hint(err,
		                "sudo usermod --add-subuids 100000-165535 --add-subgids "
		                "100000-165535 %s",
		                name);
	}
	return 0;
}

/*
 * The folder in which mmdebstrap's folder is made. As root it lies in the store; otherwise mmdebstrap's
 * other user must reach it, so it stands where everybody can walk.
 */
static const char *work_base(const char *scratch)
{
	const char *base = getenv("TMPDIR");

	if (is_root())
		return scratch;
	return base && *base == '/' ? base : "/var/tmp";
}

/* The folder's path stands in a line of apt's sources, where blanks and brackets mean something. */
static int check_word(const char *base, struct err *err)
{
	if (mirror_is_word(base))
		return 0;
	err_set(err, ERR_MACHINE,
	        "apt cannot read packages below \"%s\": the path has a blank or a "
	        "sign that means something to apt",
	        base);
	return err_hint(err, "%s",
	                is_root() ? "keep the store elsewhere: --store DIR or KILN_STORE" :
	                            "set TMPDIR to a folder without");
}

/* Root of a user namespace has the users that it was given: packages want files of others than root. */
static int check_users(const char *map, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 10);
	struct err ignored = ERR_INIT;
	unsigned long sum = 0;
	struct str rest, line;
	char *at;

	if (fs_read(AT_FDCWD, map, &text, &ignored) != 0)
		return 0;
	rest = buf_str(&text);
	while (str_cut(&rest, '\n', &line)) { /* the first id inside, the first outside, how many */
		strtoul(line.p, &at, 10);
		strtoul(at, &at, 10);
		sum += strtoul(at, NULL, 10);
	}
	if (sum >= SUBIDS_NEEDED || sum == 0)
		return 0;
	err_set(err, ERR_MACHINE,
	        "this is root of a user namespace with %lu user%s, and Debian's packages have "
	        "files of more: an image cannot be built here",
	        sum, sum == 1 ? "" : "s");
	return err_hint(err, "run Kiln outside of it: it makes its own; or make the image there "
	                     "first: kiln image build");
}

int bootstrap_check(const char *scratch, struct err *err)
{
	if (!has_program("mmdebstrap")) {
		err_set(err, ERR_MACHINE,
		        "mmdebstrap is not on this machine: an image cannot be built");
		return err_hint(err,
		                "sudo apt-get install mmdebstrap uidmap; or bring the image from "
		                "another machine: kiln image export, kiln image import");
	}
	if (is_root() ? check_users("/proc/self/uid_map", err) < 0 : check_unprivileged(err) < 0)
		return -1;
	return check_word(work_base(scratch), err);
}

/* A folder under a name nobody can list. */
static int make_work(const struct bootstrap *bootstrap, char **ret, struct err *err)
{
	const char *base = work_base(bootstrap->scratch);
	_cleanup_free_ char *work = NULL, *tmp = NULL;

	work = path_join(base, "kiln-image-XXXXXX");
	if (!mkdtemp(work))
		return err_sys(err, ERR_IO, "cannot make a folder in %s", base);
	tmp = path_join(work, "tmp");
	if (chmod(work, 0711) < 0 || mkdir(tmp, 0700) < 0 || chmod(tmp, 01777) < 0) {
		err_sys(err, ERR_IO, "cannot prepare %s", work);
		rmdir(work);
		return -1;
	}
	*ret = steal(work);
	return 0;
}

static char *include_list(const struct debs *packages)
{
	struct buf buf = BUF_INIT(LOG_MOST);

	buf_add_str(&buf, "--include=");
	for (size_t i = 0; i < packages->list.n; i++) {
		_cleanup_free_ char *spec = deb_spec(&packages->list.v[i]);

		if (i)
			buf_add_char(&buf, ',');
		buf_add_str(&buf, spec);
	}
	return buf_steal(&buf);
}

static char *architecture_list(const char *const *architectures)
{
	struct buf buf = BUF_INIT(LOG_MOST);

	buf_add_str(&buf, "--architectures=");
	for (size_t i = 0; architectures[i]; i++)
		buf_fmt(&buf, "%s%s", i ? "," : "", architectures[i]);
	return buf_steal(&buf);
}

/*
 * As root mmdebstrap mounts /proc and /dev where everybody sees them, and a kill would leave mounts
 * and processes behind: namespaces of its own end with it. (Otherwise it makes them.)
 */
static const char *const contained[] = { "unshare", "--mount",      "--pid", "--ipc", "--net",
	                                 "--fork",  "--kill-child", "--",    NULL };

static const char *const options[] = {
	"--variant=essential",
	"--format=tar",
	"--aptopt=APT::Install-Recommends \"false\"",
	"--aptopt=APT::Sandbox::User \"root\"",
	"--aptopt=Acquire::Check-Valid-Until \"false\"",
	"--aptopt=Acquire::Languages \"none\"",
	"--dpkgopt=force-unsafe-io", /* the root is thrown away; the image is synced */
	"--dpkgopt=path-exclude=/usr/share/man/*",
	"--dpkgopt=path-exclude=/usr/share/info/*",
	"--dpkgopt=path-exclude=/usr/share/locale/*",
	"--dpkgopt=path-exclude=/usr/share/doc/*",
	"--dpkgopt=path-include=/usr/share/doc/*/copyright",
	"--dpkgopt=path-exclude=/usr/share/lintian/*",
	NULL,
};

struct words {
	ARRAY(const char *) list;
};

static void add_words(struct words *words, const char *const *more)
{
	for (; *more; more++)
		array_push(&words->list, *more);
}

static int spawn(const struct bootstrap *bootstrap, const char *work, int out, int log,
                 struct child *ret, struct err *err)
{
	_cleanup_free_ char *include = include_list(bootstrap->packages);
	_cleanup_free_ char *architectures = architecture_list(bootstrap->architectures);
	_cleanup_free_ char *line =
		str_fmt("deb [trusted=yes] copy://%s/repository %s main", work, bootstrap->suite);
	_cleanup_free_ char *tmp = str_fmt("TMPDIR=%s/tmp", work);
	const char *const tool[] = { "mmdebstrap", is_root() ? "--mode=root" : "--mode=unshare",
		                     NULL };
	const char *const what[] = { architectures, include, bootstrap->suite, "-", line, NULL };
	const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/",
		"LC_ALL=C.UTF-8",
		"TZ=UTC",
		"SOURCE_DATE_EPOCH=315532800",
		tmp,
		NULL,
	};
	struct words argv = { 0 };
	int rc;

	if (is_root())
		add_words(&argv, contained);
	add_words(&argv, tool);
	add_words(&argv, options);
	add_words(&argv, what);
	array_push(&argv.list, NULL);
	rc = child_spawn(&(struct child_spec){ .argv = argv.list.v,
	                                       .env = env,
	                                       .dir = "/",
	                                       .stdout_fd = out,
	                                       .stderr_fd = log },
	                 ret, err);
	array_deinit(&argv.list);
	return rc;
}

/* The last lines of what mmdebstrap said. */
static int tool_failed(int log, int exit_code, struct err *err)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(LOG_MOST);
	struct err ignored = ERR_INIT;
	const char *from;
	int lines = 0;

	lseek(log, 0, SEEK_SET);
	fs_read_fd(log, "the messages of mmdebstrap", &buf, &ignored);
	while (buf.n > 0 && buf.p[buf.n - 1] == '\n')
		buf.p[--buf.n] = '\0';
	from = buf_text(&buf) + buf.n;
	while (from > buf_text(&buf) && lines < LOG_LINES)
		if (*--from == '\n')
			lines++;
	if (strstr(from, "No space left"))
		return err_set(err, ERR_IO, "mmdebstrap ran out of disk space:%s%s",
		               lines ? "" : "\n", from);
	return err_set(err, ERR_MACHINE, "mmdebstrap failed with status %d; its last lines:%s%s",
	               exit_code, *from == '\n' ? "" : "\n", from);
}

/* What stands behind the end of the archive is padding: the writer must be able to write it. */
static void drain(int fd)
{
	char block[4096];
	ssize_t n;

	do
		n = read(fd, block, sizeof(block));
	while (n > 0 || (n < 0 && errno == EINTR));
}

static int steal_fd(int *fd)
{
	int own = *fd;

	*fd = -1;
	return own;
}

/* The tool is silent until all is installed: until then only time goes on. */
static void await_first(int in, struct work *work)
{
	struct pollfd fd = { .fd = in, .events = POLLIN };

	while (poll(&fd, 1, TICK_MS) <= 0)
		work_goes_on(work);
}

/* Reads what the started tool writes from `in`, which it takes over, and waits for its end. */
static int follow(struct child *child, int in, int log, struct image_unpack *unpack,
                  struct err *err)
{
	struct err fault = ERR_INIT;
	int rc, code, sig = 0;

	await_first(in, unpack->work);
	rc = image_unpack_tar(unpack, in, "the tree mmdebstrap wrote", &fault);
	if (rc == 0)
		drain(in);
	fs_close(in); /* where that was not the end, it ends by a broken pipe, and cleans up */
	code = child_wait(child, &sig, NULL);
	/* A tool that failed wrote half a tree: its own words say why. */
	if (rc < 0 && (code == 0 || fault.code == ERR_IO)) {
		*err = fault;
		return -1;
	}
	return code == 0 ? 0 : tool_failed(log, code, err);
}

static int run_tool(const struct bootstrap *bootstrap, const char *work,
                    struct image_unpack *unpack, struct err *err)
{
	_cleanup_fd_ int dir = -1, log = -1, in = -1, out = -1;
	struct child child;
	struct guard guard;
	int ends[2], rc, sig;

	if (fs_must(fs_open_dir(AT_FDCWD, work, &dir, err), work, err) < 0 ||
	    tmpfile_open(dir, "the messages of mmdebstrap", &log, err) < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(err, ERR_IO, "cannot make a pipe");
	in = ends[0];
	out = ends[1];
	if (spawn(bootstrap, work, out, log, &child, err) < 0)
		return -1;
	out = fs_close(out);
	if (is_root())
		return follow(&child, steal_fd(&in), log, unpack, err);
	if (guard_start(&child, work, &guard, err) < 0) {
		child_kill(&child);
		child_wait(&child, &sig, NULL);
		return -1;
	}
	rc = follow(&child, steal_fd(&in), log, unpack, err);
	guard_end(&guard);
	return rc;
}

int bootstrap_run(struct blobs *blobs, const struct bootstrap *bootstrap,
                  struct image_unpack *unpack, struct log *log, struct err *err)
{
	_cleanup_free_ char *dir = NULL, *repository = NULL;
	struct err ignored = ERR_INIT;
	struct work work;
	int rc;

	if (bootstrap_check(bootstrap->scratch, err) < 0 || make_work(bootstrap, &dir, err) < 0)
		return -1;
	work_begin(&work, log, "installing %zu packages of Debian %s", bootstrap->packages->list.n,
	           bootstrap->suite);
	unpack->work = &work;
	repository = path_join(dir, "repository");
	rc = repository_write(blobs, repository, bootstrap->suite, bootstrap->architectures,
	                      bootstrap->packages, err);
	if (rc == 0)
		rc = run_tool(bootstrap, dir, unpack, err);
	unpack->work = NULL;
	work_end(&work, rc);
	guard_remove(dir, &ignored);
	return rc;
}
