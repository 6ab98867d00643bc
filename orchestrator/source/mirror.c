/*
 * Reads apt's sources in both of their formats. Only addresses are taken: options, keys and
 * components of the machine's configuration do not matter to the private apt folder.
 */
#include "source/mirror.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/str.h"
#include "host/fs.h"
#include "source/deb822.h"

enum { SOURCES_MOST = 1 << 20 };

/* How likely an address serves a suite. */
enum rank { RANK_NO, RANK_OTHER, RANK_OTHER_DEBIAN, RANK_SUITE, RANK_SUITE_DEBIAN };

struct candidate {
	char *uri;
	enum rank rank;
};

struct candidates {
	const char *suite;
	ARRAY(struct candidate) list;
};

void mirrors_deinit(struct mirrors *mirrors)
{
	for (size_t i = 0; i < mirrors->uris.n; i++)
		free(mirrors->uris.v[i]);
	array_deinit(&mirrors->uris);
}

static bool is_debian_suite(struct str suite)
{
	static const char *const names[] = { "bookworm",  "trixie",   "forky",        "duke",
		                             "bullseye",  "sid",      "stable",       "testing",
		                             "oldstable", "unstable", "experimental", NULL };

	for (size_t i = 0; names[i]; i++)
		if (str_same(suite, str_of(names[i])))
			return true;
	return false;
}

static enum rank rank_of(const struct candidates *candidates, struct str uri, struct str suite)
{
	_cleanup_free_ char *text = str_dup_n(uri.p, uri.n);
	size_t n = strlen(text);
	bool debian;

	while (n > 0 && text[n - 1] == '/')
		text[--n] = '\0';
	debian = str_ends(text, "/debian");
	if (str_same(suite, str_of(candidates->suite)))
		return debian ? RANK_SUITE_DEBIAN : RANK_SUITE;
	if (!is_debian_suite(suite))
		return RANK_NO;
	return debian ? RANK_OTHER_DEBIAN : RANK_OTHER;
}

static void add_candidate(struct candidates *candidates, struct str uri, struct str suite)
{
	enum rank rank = rank_of(candidates, uri, suite);
	struct candidate *candidate;

	if (rank == RANK_NO || !memchr(uri.p, ':', uri.n) ||
	    (uri.n > 6 && memcmp(uri.p, "cdrom:", 6) == 0))
		return;
	for (size_t i = 0; i < candidates->list.n; i++) {
		candidate = &candidates->list.v[i];
		if (str_same(uri, str_of(candidate->uri))) {
			if (rank > candidate->rank)
				candidate->rank = rank;
			return;
		}
	}
	candidate = array_add(&candidates->list);
	candidate->uri = str_dup_n(uri.p, uri.n);
	candidate->rank = rank;
}

static bool has_word(struct str text, const char *word)
{
	struct str part;

	while (deb822_word(&text, &part))
		if (str_same(part, str_of(word)))
			return true;
	return false;
}

/* deb [options] URI SUITE COMPONENT… */
static void read_list(struct candidates *candidates, struct str text)
{
	struct str line, word, uri, suite;

	while (str_cut(&text, '\n', &line)) {
		const char *hash = line.n ? memchr(line.p, '#', line.n) : NULL;

		if (hash)
			line.n = (size_t)(hash - line.p);
		if (!deb822_word(&line, &word) || !str_same(word, STR("deb")))
			continue;
		if (!deb822_word(&line, &uri))
			continue;
		if (uri.p[0] == '[') {
			while (uri.p[uri.n - 1] != ']' && deb822_word(&line, &uri))
				;
			if (!deb822_word(&line, &uri))
				continue;
		}
		if (deb822_word(&line, &suite) && has_word(line, "main"))
			add_candidate(candidates, uri, suite);
	}
}

static void read_deb822(struct candidates *candidates, struct str text)
{
	_cleanup_deb822_ struct deb822 stanza = { 0 };
	struct err ignored = ERR_INIT;

	while (deb822_next(&text, &stanza, "sources", &ignored) == 0) {
		struct str uris = deb822_get(&stanza, "URIs"), uri;

		if (!has_word(deb822_get(&stanza, "Types"), "deb") ||
		    !has_word(deb822_get(&stanza, "Components"), "main") ||
		    deb822_is(&stanza, "Enabled", "no"))
			continue;
		while (deb822_word(&uris, &uri)) {
			struct str suites = deb822_get(&stanza, "Suites"), suite;

			while (deb822_word(&suites, &suite))
				add_candidate(candidates, uri, suite);
		}
	}
}

/* A file that is not there, not readable or too large names no mirror. */
static void read_sources(struct candidates *candidates, int etc, const char *path)
{
	_cleanup_buf_ struct buf buf = BUF_INIT(SOURCES_MOST);
	struct err ignored = ERR_INIT;

	if (fs_read(etc, path, &buf, &ignored) != 0)
		return;
	if (str_ends(path, ".list"))
		read_list(candidates, buf_str(&buf));
	else if (str_ends(path, ".sources"))
		read_deb822(candidates, buf_str(&buf));
}

static void read_all(struct candidates *candidates, int etc)
{
	struct fs_names files = { 0 };
	struct err ignored = ERR_INIT;

	read_sources(candidates, etc, "sources.list");
	if (fs_list(etc, "sources.list.d", &files, &ignored) == 0)
		for (size_t i = 0; i < files.names.n; i++) {
			_cleanup_free_ char *path = path_join("sources.list.d", files.names.v[i]);

			read_sources(candidates, etc, path);
		}
	fs_names_deinit(&files);
}

int mirrors_of_machine(const char *etc, const char *suite, struct mirrors *ret, struct err *err)
{
	struct candidates candidates = { .suite = suite };
	_cleanup_fd_ int fd = -1;
	int rc = fs_open_dir(AT_FDCWD, etc, &fd, err);

	if (rc < 0)
		return -1;
	if (rc == 0)
		read_all(&candidates, fd);
	for (int rank = RANK_SUITE_DEBIAN; rank > RANK_NO; rank--)
		for (size_t i = 0; i < candidates.list.n; i++)
			if (candidates.list.v[i].rank == (enum rank)rank)
				array_push(&ret->uris, candidates.list.v[i].uri);
	array_deinit(&candidates.list);
	return 0;
}

static const char *env_or_null(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

const char *mirror_named(const char *mirror)
{
	return mirror && *mirror ? mirror : env_or_null("KILN_DEBIAN_MIRROR");
}

char *mirror_snapshot(const char *distribution, const char *time)
{
	const char *base = env_or_null("KILN_DEBIAN_SNAPSHOT");
	size_t n;

	if (!base || !time)
		return NULL;
	n = strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	return str_fmt("%.*s/%s/%s", (int)n, base, distribution, time);
}

bool mirror_is_word(const char *path)
{
	return path[strcspn(path, " \t\n[]#%\"'\\,")] == '\0';
}

int mirror_keyring(char **ret, struct err *err)
{
	static const char *const places[] = { "/usr/share/keyrings/debian-archive-keyring.gpg",
		                              "/usr/share/keyrings/debian-archive-keyring.pgp",
		                              "/etc/apt/keyrings/debian-archive-keyring.gpg" };
	const char *named = env_or_null("KILN_DEBIAN_KEYRING");

	if (named) {
		int rc = fs_real_path(named, ret, err);

		if (rc > 0)
			return err_set(err, ERR_MACHINE,
			               "KILN_DEBIAN_KEYRING names %s, which is not there", named);
		if (rc < 0 || mirror_is_word(*ret))
			return rc;
		err_set(err, ERR_USAGE,
		        "KILN_DEBIAN_KEYRING names %s: the path has a blank or a sign that means "
		        "something to apt",
		        *ret);
		free(*ret);
		*ret = NULL;
		return err_hint(err, "put the file, or a link to it, elsewhere");
	}
	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (fs_exists(AT_FDCWD, places[i])) {
			*ret = str_dup(places[i]);
			return 0;
		}
	err_set(err, ERR_MACHINE, "the keyring of Debian's archive is not on this machine (%s)",
	        places[0]);
	return err_hint(
		err, "install it: sudo apt-get install debian-archive-keyring; or name a keyring "
		     "file with KILN_DEBIAN_KEYRING");
}
