/*
 * Debian's control format. Files of an archive's index are 50 MB and more, so the scanner reads a
 * window at a time and hands out whole stanzas.
 */
#include "source/deb822.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"

enum { WINDOW = 256 << 10, STANZA_MOST = 16 << 20 };

void deb822_deinit(struct deb822 *stanza)
{
	array_deinit(&stanza->fields);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct str trim(struct str s)
{
	while (s.n > 0 && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool line_starts(struct str line, const char *prefix)
{
	size_t n = strlen(prefix);

	return line.n >= n && memcmp(line.p, prefix, n) == 0;
}

/* Adds one line of a stanza: a field, or more of the last one. */
static int add_line(struct deb822 *stanza, struct str line, const char *what, struct err *err)
{
	const char *colon;
	struct deb822_field *field;

	if (line.p[0] == ' ' || line.p[0] == '\t') {
		if (stanza->fields.n == 0)
			return err_set(err, ERR_INPUT, "%s: a value goes on before any field",
			               what);
		field = &stanza->fields.v[stanza->fields.n - 1];
		field->value.n = (size_t)(line.p + line.n - field->value.p);
		return 0;
	}
	colon = memchr(line.p, ':', line.n);
	if (!colon || colon == line.p)
		return err_set(err, ERR_INPUT, "%s: not a \"Field: value\" line: %.*s", what,
		               (int)(line.n < 80 ? line.n : 80), line.p);
	field = array_add(&stanza->fields);
	field->name = (struct str){ line.p, (size_t)(colon - line.p) };
	field->value = trim((struct str){ colon + 1, line.n - field->name.n - 1 });
	if (field->value.n == 0) /* further lines extend from here */
		field->value.p = line.p + line.n;
	return 0;
}

int deb822_next(struct str *rest, struct deb822 *stanza, const char *what, struct err *err)
{
	struct str line;
	bool armour = false;

	stanza->fields.n = 0;
	while (str_cut(rest, '\n', &line)) {
		struct str text = trim(line);

		if (line_starts(line, "-----BEGIN PGP SIGNED MESSAGE")) {
			armour = true; /* its own header lines end with an empty one */
			continue;
		}
		if (line_starts(line, "-----BEGIN PGP SIGNATURE")) {
			*rest = (struct str){ NULL, 0 };
			break;
		}
		if (text.n == 0) {
			armour = false;
			if (stanza->fields.n)
				return 0;
			continue;
		}
		if (armour || line.p[0] == '#')
			continue;
		if (add_line(stanza, line, what, err) < 0)
			return -1;
	}
	return stanza->fields.n ? 0 : DEB822_END;
}

struct str deb822_get(const struct deb822 *stanza, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < stanza->fields.n; i++) {
		const struct deb822_field *field = &stanza->fields.v[i];

		if (field->name.n == n && strncasecmp(field->name.p, name, n) == 0)
			return field->value;
	}
	return (struct str){ NULL, 0 };
}

char *deb822_get_dup(const struct deb822 *stanza, const char *name)
{
	struct str value = deb822_get(stanza, name);

	return value.p ? str_dup_n(value.p, value.n) : NULL;
}

bool deb822_is(const struct deb822 *stanza, const char *name, const char *value)
{
	struct str have = deb822_get(stanza, name);

	return have.p && str_same(have, str_of(value));
}

bool deb822_word(struct str *rest, struct str *ret_word)
{
	size_t n = 0;

	while (rest->n > 0 && (is_blank(rest->p[0]) || rest->p[0] == '\n')) {
		rest->p++;
		rest->n--;
	}
	while (n < rest->n && !is_blank(rest->p[n]) && rest->p[n] != '\n')
		n++;
	if (n == 0)
		return false;
	*ret_word = (struct str){ rest->p, n };
	rest->p += n;
	rest->n -= n;
	return true;
}

/* The length of the part of a window that holds whole stanzas only; 0 when there is none. */
static size_t whole_stanzas(const char *p, size_t n)
{
	while (n > 1) {
		const char *end = memrchr(p, '\n', n);

		if (!end || end == p)
			return 0;
		n = (size_t)(end - p);
		if (p[n - 1] == '\n')
			return n + 1;
	}
	return 0;
}

static int visit_part(struct str part, struct deb822 *stanza, const char *what,
                      deb822_visit_fn visit, void *data, struct err *err)
{
	int rc;

	while ((rc = deb822_next(&part, stanza, what, err)) == 0) {
		rc = visit(data, stanza, err);
		if (rc)
			return rc;
	}
	return rc < 0 ? -1 : 0;
}

int deb822_scan_fd(int fd, const char *what, deb822_visit_fn visit, void *data, struct err *err)
{
	_cleanup_deb822_ struct deb822 stanza = { 0 };
	_cleanup_buf_ struct buf buf = BUF_INIT(STANZA_MOST);
	_cleanup_free_ char *window = alloc(WINDOW);

	for (;;) {
		ssize_t n = read(fd, window, WINDOW);
		size_t whole;
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read %s", what);
		buf_add(&buf, window, (size_t)n);
		if (buf.overflow)
			return err_set(err, ERR_INPUT, "%s: a stanza is larger than %d bytes", what,
			               STANZA_MOST);
		whole = n == 0 ? buf.n : whole_stanzas(buf_text(&buf), buf.n);
		rc = visit_part((struct str){ buf_text(&buf), whole }, &stanza, what, visit, data,
		                err);
		if (rc || n == 0)
			return rc;
		if (whole) {
			memmove(buf.p, buf.p + whole, buf.n - whole);
			buf.n -= whole;
			buf.p[buf.n] = '\0';
		}
	}
}
