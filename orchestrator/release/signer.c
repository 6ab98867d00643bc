/* Signing keys by name: the table of schemes, and the development key of this machine. */
#include "release/signer.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/fs.h"

void secret_deinit(struct buf *buf)
{
	if (buf->p)
		explicit_bzero(buf->p, buf->cap);
	buf_deinit(buf);
}

static int read_all(int fd, const char *what, struct buf *pem, struct err *err)
{
	struct err mine = ERR_INIT;

	if (fs_read_fd(fd, what, pem, &mine) < 0)
		return err_set(err, ERR_MACHINE, "%s", mine.cause);
	return 0;
}

static int read_file(const char *path, struct buf *pem, struct err *err)
{
	_cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		err_sys(err, ERR_MACHINE, "cannot open the signing key %s", path);
		return err_hint(err, errno == ENOENT ? "make one with: kiln keygen NAME" :
		                                       "run Kiln as the user who owns the key");
	}
	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_MACHINE, "cannot look at the signing key %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_MACHINE, "the signing key %s is no plain file", path);
	if (st.st_mode & 077) {
		err_set(err, ERR_MACHINE, "the signing key %s can be read by others (mode %04o)",
		        path, (unsigned int)(st.st_mode & 07777));
		return err_hint(err, "chmod 600 %s   (and replace the key if others had access)",
		                path);
	}
	return read_all(fd, path, pem, err);
}

static int read_env(const char *name, struct buf *pem, struct err *err)
{
	char *value = getenv(name);

	if (!value || !value[0]) {
		err_set(err, ERR_MACHINE, "the environment variable %s holds no signing key", name);
		return err_hint(err, "put the PEM text of the private key into it");
	}
	buf_add_str(pem, value);
	explicit_bzero(value, strlen(value));
	unsetenv(name);
	return pem->overflow ? err_set(err, ERR_MACHINE,
	                               "the environment variable %s is larger "
	                               "than a key can be",
	                               name) :
	                       0;
}

/* The passphrase leaves the environment, and the memory that /proc shows it from, whether or not it
 * is needed: nothing that is started later has it. NULL where none is set. */
static int take_passphrase(struct buf *secret, const char **ret, struct err *err)
{
	char *value = getenv("KILN_KEY_PASSPHRASE");

	*ret = NULL;
	if (!value)
		return 0;
	buf_add_str(secret, value);
	explicit_bzero(value, strlen(value));
	unsetenv("KILN_KEY_PASSPHRASE");
	if (secret->overflow)
		return err_set(err, ERR_MACHINE, "KILN_KEY_PASSPHRASE is too long");
	*ret = buf_text(secret);
	return 0;
}

static int read_fd(const char *text, struct buf *pem, struct err *err)
{
	char *end;
	long n;
	int rc;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || !isdigit((unsigned char)text[0]) || n > INT_MAX)
		return err_set(err, ERR_USAGE, "fd:%s: expected the number of an open file", text);
	if (fcntl((int)n, F_GETFD) < 0) {
		err_set(err, ERR_MACHINE, "fd:%ld is not open", n);
		return err_hint(err, "hand it over like this: kiln sign DIR --key fd:3 3<key.pem");
	}
	rc = read_all((int)n, "the signing key's descriptor", pem, err);
	close((int)n);
	return rc;
}

const struct signer_scheme signer_schemes[] = {
	{ "env", "NAME", "the PEM text in an environment variable", read_env },
	{ "fd", "N", "the PEM text behind an open descriptor", read_fd },
	{ "file", "PATH", "a PEM file of mode 0600", read_file },
	{ 0 },
};

static int unknown_scheme(const char *spec, struct err *err)
{
	err_set(err, ERR_USAGE, "--key %s: expected file:PATH, env:NAME or fd:N",
	        strstr(spec, "PRIVATE KEY") ? "(a key's own text)" : spec);
	if (access(spec, F_OK) == 0)
		err_hint(err, "did you mean --key file:%s?", spec);
	return -1;
}

static int make(const char *label, struct key *key, bool development, struct signer **ret)
{
	struct signer *signer = alloc(sizeof(*signer));

	signer->key = key;
	signer->label = str_dup(label);
	signer->fingerprint = key_fingerprint(key);
	signer->development = development;
	*ret = signer;
	return 0;
}

int signer_open(const char *spec, const char *passphrase, struct signer **ret, struct err *err)
{
	_cleanup_secret_ struct buf pem = BUF_INIT(KEY_PEM_MOST);
	struct err mine = ERR_INIT;
	struct key *key;

	for (const struct signer_scheme *s = signer_schemes; s->name; s++) {
		size_t n = strlen(s->name);

		if (!str_starts(spec, s->name) || spec[n] != ':' || spec[n + 1] == '\0')
			continue;
		if (s->read(spec + n + 1, &pem, err) < 0)
			return -1;
		if (key_read_private(buf_text(&pem), pem.n, passphrase, spec, &key, &mine) == 0)
			return make(spec, key, false, ret);
		err_set(err, ERR_MACHINE, "%s", mine.cause);
		return mine.hint[0] ? err_hint(err, "%s", mine.hint) : -1;
	}
	return unknown_scheme(spec, err);
}

/* Makes the key unless somebody else just did: a link never overwrites. */
static int make_development(int dirfd, const char *name, struct err *err)
{
	_cleanup_secret_ struct buf pem = BUF_INIT(KEY_PEM_MOST);
	_cleanup_key_ struct key *key = NULL;
	_cleanup_free_ char *temp = str_fmt(".%s.%d.tmp", name, (int)getpid());
	int rc;

	if (key_generate(KEY_P256, &key, err) < 0 || key_write_private(key, NULL, &pem, err) < 0 ||
	    fs_write_file(dirfd, temp, pem.p, pem.n, 0600, true, err) < 0)
		return -1;
	rc = linkat(dirfd, temp, dirfd, name, 0);
	if (rc < 0 && errno == EEXIST)
		rc = 0;
	if (rc < 0)
		err_sys(err, ERR_IO, "cannot make the development key");
	unlinkat(dirfd, temp, 0);
	return rc;
}

static const char development_name[] = "development.pem";

/* $XDG_STATE_HOME/kiln, ~/.local/state/kiln; caller frees. */
static int default_state_dir(char **ret, struct err *err)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (state && state[0] == '/')
		*ret = path_join(state, "kiln");
	else if (home && home[0] == '/')
		*ret = path_join(home, ".local/state/kiln");
	else
		return err_set(err, ERR_MACHINE,
		               "no place for a development key: neither "
		               "XDG_STATE_HOME nor HOME is set");
	return 0;
}

char *signer_development_path(void)
{
	struct err ignored = ERR_INIT;
	_cleanup_free_ char *dir = NULL;

	return default_state_dir(&dir, &ignored) < 0 ? NULL : path_join(dir, development_name);
}

static int development_signer(const char *state_dir, struct log *log, struct signer **ret,
                              struct err *err)
{
	const char *name = development_name;
	_cleanup_free_ char *path = str_fmt("%s/%s", state_dir, name);
	_cleanup_free_ char *spec = str_fmt("file:%s", path);
	_cleanup_fd_ int dirfd = -1;

	if (fs_make_dirs(AT_FDCWD, state_dir, 0700, err) < 0)
		return err_while(err, "making the development key");
	if (fs_open_dir(AT_FDCWD, state_dir, &dirfd, err) != 0)
		return err_set(err, ERR_IO, "cannot open the folder %s", state_dir);
	if (!fs_exists(dirfd, name)) {
		if (make_development(dirfd, name, err) < 0)
			return -1;
		log_say(log, LOG_NOTE, "made a development key for this machine: %s", path);
	}
	if (signer_open(spec, NULL, ret, err) < 0)
		return -1;
	(*ret)->development = true;
	return 0;
}

int signer_choose(const struct signer_request *request, struct log *log, struct signer **ret,
                  struct err *err)
{
	_cleanup_free_ char *state_dir = str_dup(request->state_dir);
	_cleanup_secret_ struct buf secret = BUF_INIT(64 << 10);
	const char *passphrase;

	if (take_passphrase(&secret, &passphrase, err) < 0)
		return -1;
	if (request->passphrase)
		passphrase = request->passphrase;
	if (request->unsigned_wanted && request->spec)
		return err_set(err, ERR_USAGE, "--unsigned and --key exclude each other");
	if (request->unsigned_wanted)
		return SIGNER_NONE;
	if (request->spec)
		return signer_open(request->spec, passphrase, ret, err);
	if (request->under_ci) {
		err_set(err, ERR_MACHINE,
		        "no signing key: under CI a release is not signed with a "
		        "development key");
		return err_hint(err,
		                "give --key env:NAME with the key in a secret of that name, or "
		                "--unsigned and sign later with: kiln sign DIR --key …");
	}
	if (!state_dir && default_state_dir(&state_dir, err) < 0)
		return -1;
	return development_signer(state_dir, log, ret, err);
}

struct signer *signer_free(struct signer *signer)
{
	if (signer) {
		key_free(signer->key);
		free(signer->label);
		free(signer->fingerprint);
		free(signer);
	}
	return NULL;
}

void signer_cleanup(struct signer **signer)
{
	*signer = signer_free(*signer);
}
