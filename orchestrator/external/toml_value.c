/*
 * TOML's strings, numbers, truths, dates and times. A plain word is cut out whole first and then
 * judged, so that what follows a value never decides what it is.
 */
#include "external/toml_impl.h"

#include <ctype.h>
#include <errno.h>

static void add_utf8(struct buf *out, unsigned long c)
{
	if (c < 0x80) {
		buf_add_char(out, (char)c);
		return;
	}
	if (c < 0x800) {
		buf_add_char(out, (char)(0xc0 | c >> 6));
	} else {
		if (c < 0x10000) {
			buf_add_char(out, (char)(0xe0 | c >> 12));
		} else {
			buf_add_char(out, (char)(0xf0 | c >> 18));
			buf_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		buf_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	buf_add_char(out, (char)(0x80 | (c & 0x3f)));
}

/* \uXXXX and \UXXXXXXXX; the position is on the letter. */
static int unicode_escape(struct toml_reader *r, struct buf *out)
{
	size_t digits = toml_peek(r, 0) == 'u' ? 4 : 8, start = r->at - 1;
	unsigned long c = 0;

	r->at++;
	for (size_t i = 0; i < digits; i++, r->at++) {
		char digit = toml_peek(r, 0);

		if (!isxdigit((unsigned char)digit))
			return toml_fault(r, start, "\\%c needs %zu hexadecimal digits",
			                  digits == 4 ? 'u' : 'U', digits);
		c = c * 16 + (unsigned long)(isdigit((unsigned char)digit) ?
		                                     digit - '0' :
		                                     (digit | 32) - 'a' + 10);
	}
	if (c == 0)
		return toml_fault(r, start, "a text must not hold a NUL");
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return toml_fault(r, start, "there is no such character");
	add_utf8(out, c);
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of a line's end at the position: 0 where there is none. */
static size_t line_end(const struct toml_reader *r)
{
	return toml_peek(r, 0) == '\n' ? 1 : toml_starts(r, "\r\n") ? 2 : 0;
}

/* A backslash at the end of a line swallows white space up to the next word. */
static bool swallow_line(struct toml_reader *r)
{
	size_t start = r->at;

	while (is_space(toml_peek(r, 0)))
		r->at++;
	if (!line_end(r)) {
		r->at = start;
		return false;
	}
	while (is_space(toml_peek(r, 0)) || line_end(r))
		r->at++;
	return true;
}

static int escape(struct toml_reader *r, bool lines, struct buf *out)
{
	static const char from[] = "btnfr\"\\", to[] = "\b\t\n\f\r\"\\";
	char c;
	const char *known;

	r->at++;
	if (lines && swallow_line(r))
		return 0;
	c = toml_peek(r, 0);
	if (c == 'u' || c == 'U')
		return unicode_escape(r, out);
	known = c ? strchr(from, c) : NULL;
	if (!known)
		return toml_fault(r, r->at - 1,
		                  "TOML has no such escape; a backslash is written \\\\");
	buf_add_char(out, to[known - from]);
	r->at++;
	return 0;
}

/* One character of a text, or an escape. */
static int character(struct toml_reader *r, bool literal, bool lines, struct buf *out)
{
	unsigned char c = (unsigned char)toml_peek(r, 0);
	size_t n = line_end(r);

	if (c == '\\' && !literal)
		return escape(r, lines, out);
	if (n && lines) {
		buf_add_char(out, '\n');
		r->at += n;
		return 0;
	}
	if (r->at >= r->text.n || n)
		return toml_fault(r, r->at, "the text has no end: a quotation mark is missing");
	if ((c < 0x20 && c != '\t') || c == 0x7f)
		return toml_fault(r, r->at, "a text must not hold control characters");
	buf_add_char(out, (char)c);
	r->at++;
	return 0;
}

/* The end of a text of several lines: three quotes, and up to two before them are its own. */
static bool closes(struct toml_reader *r, char quote, struct buf *out)
{
	size_t n = 0;

	while (n < 5 && toml_peek(r, n) == quote)
		n++;
	if (n < 3)
		return false;
	r->at += n;
	for (; n > 3; n--)
		buf_add_char(out, quote);
	return true;
}

int toml_string(struct toml_reader *r, bool lines, char **ret)
{
	_cleanup_buf_ struct buf out = BUF_INIT(TOML_MOST);
	char quote = toml_peek(r, 0);
	bool literal = quote == '\'';

	lines = lines && toml_starts(r, literal ? "'''" : "\"\"\"");
	r->at += lines ? 3 : 1;
	if (lines)
		r->at += line_end(r);
	while (lines ? !closes(r, quote, &out) : toml_peek(r, 0) != quote)
		if (character(r, literal, lines, &out) < 0)
			return -1;
	r->at += !lines;
	*ret = buf_steal(&out);
	return 0;
}

/* Matches a picture: d a digit, anything else itself. Returns the bytes matched, 0 for none. */
static size_t matches(const char *s, const char *picture)
{
	size_t i = 0;

	for (; picture[i]; i++)
		if (picture[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != picture[i])
			return 0;
	return i;
}

static int two(const char *s)
{
	return (s[0] - '0') * 10 + s[1] - '0';
}

static bool is_day(const char *s)
{
	static const int days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = two(s) * 100 + two(s + 2), month = two(s + 5), day = two(s + 8);

	if (month < 1 || month > 12 || day < 1 || day > days[month - 1])
		return false;
	return month != 2 || day < 29 || (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
}

/* The length of a time at s, 0 where it is none. */
static size_t time_of_day(const char *s)
{
	size_t n = matches(s, "dd:dd:dd");

	if (!n || two(s) > 23 || two(s + 3) > 59 || two(s + 6) > 59)
		return 0;
	if (s[n] == '.' && isdigit((unsigned char)s[n + 1]))
		for (n++; isdigit((unsigned char)s[n]); n++)
			;
	return n;
}

static bool is_date(const char *s)
{
	size_t n = matches(s, "dddd-dd-dd"), more;

	if (!n) {
		n = time_of_day(s);
		return n && !s[n];
	}
	if (!is_day(s))
		return false;
	if (!s[n])
		return true;
	if (!strchr("Tt ", s[n]) || !(more = time_of_day(s + n + 1)))
		return false;
	s += n + 1 + more;
	if (!*s || ((*s | 32) == 'z' && !s[1]))
		return true;
	n = *s == '+' || *s == '-' ? matches(s + 1, "dd:dd") : 0;
	return n && !s[n + 1] && two(s + 1) < 24 && two(s + 4) < 60;
}

/* Digits with single underscores between them, moved into `out`. Returns false for none. */
static bool digits(const char **s, const char *set, struct buf *out)
{
	if (!**s || !strchr(set, **s))
		return false;
	while (**s && strchr(set, **s)) {
		buf_add_char(out, *(*s)++);
		if (**s == '_' && (*s)[1] && strchr(set, (*s)[1]))
			(*s)++;
	}
	return true;
}

/* 0x…, 0o…, 0b…. Returns the JSON, or NULL. */
static json_t *based(const char *s)
{
	static const char *const sets[] = { "0123456789abcdefABCDEF", "01234567", "01" };
	_cleanup_buf_ struct buf out = BUF_INIT(256);
	int which = s[1] == 'x' ? 0 : s[1] == 'o' ? 1 : 2;
	long long value;

	s += 2;
	if (!digits(&s, sets[which], &out) || *s || out.overflow)
		return NULL;
	errno = 0;
	value = strtoll(buf_text(&out), NULL, which == 0 ? 16 : which == 1 ? 8 : 2);
	return errno ? NULL : json_integer(value);
}

/* Whole numbers and fractions, read by the JSON library, which no locale changes. */
static json_t *decimal(const char *s)
{
	static const char set[] = "0123456789";
	_cleanup_buf_ struct buf out = BUF_INIT(256);
	const char *first;

	if (*s == '-')
		buf_add_char(&out, '-');
	s += *s == '-' || *s == '+';
	if (str_eq(s, "inf") || str_eq(s, "nan"))
		return NULL;
	first = s;
	if (!digits(&s, set, &out) || (*first == '0' && s != first + 1))
		return NULL;
	if (*s == '.') {
		buf_add_char(&out, *s++);
		if (!digits(&s, set, &out))
			return NULL;
	}
	if (*s == 'e' || *s == 'E') {
		buf_add_char(&out, *s++);
		if (*s == '+' || *s == '-')
			buf_add_char(&out, *s++);
		if (!digits(&s, set, &out))
			return NULL;
	}
	if (*s || out.overflow)
		return NULL;
	return json_loads(buf_text(&out), JSON_DECODE_ANY, NULL);
}

/* The length of the word at the position; a date may hold one space, before its time. */
static size_t word_length(const struct toml_reader *r)
{
	struct str rest = toml_rest(r);
	size_t n = 0;

	while (n < rest.n && (isalnum((unsigned char)rest.p[n]) || strchr("+-_.:", rest.p[n])))
		n++;
	if (n == 10 && rest.n > 13 && isdigit((unsigned char)rest.p[0]) && rest.p[4] == '-' &&
	    rest.p[10] == ' ' && isdigit((unsigned char)rest.p[11]))
		for (n = 11; n < rest.n &&
		             (isalnum((unsigned char)rest.p[n]) || strchr("+-.:", rest.p[n]));)
			n++;
	return n;
}

int toml_plain(struct toml_reader *r, json_t **ret)
{
	size_t n = word_length(r), start = r->at;
	_cleanup_free_ char *word = str_dup_n(r->text.p + r->at, n);
	const char *unsigned_word = word + (*word == '+' || *word == '-');
	json_t *value = NULL;

	if (n == 0)
		return toml_fault(r, start, "a value is missing");
	if (str_eq(word, "true") || str_eq(word, "false"))
		value = json_boolean(*word == 't');
	else if (str_eq(unsigned_word, "inf") || str_eq(unsigned_word, "nan") || is_date(word))
		value = json_string(word);
	else if (word[0] == '0' && (word[1] == 'x' || word[1] == 'o' || word[1] == 'b'))
		value = based(word);
	else
		value = decimal(word);
	if (!value)
		return toml_fault(r, start,
		                  "%.40s is no value of TOML (a text needs quotes; numbers and "
		                  "dates have one form)",
		                  word);
	r->at += n;
	*ret = value;
	return 0;
}
