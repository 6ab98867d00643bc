/* Manual pages in the man(7) macros, which man-db, mandoc and groff all read. */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "reference/paper.h"

/* A page says when its form was made; a date of the build would make every build differ. */
#define PAGE_DATE "2026-11-26"

static void add_char(struct buf *out, char c)
{
	if (c == '\\')
		buf_add_str(out, "\\e");
	else if (c == '-')
		buf_add_str(out, "\\-");
	else if (c == '\'')
		buf_add_str(out, "\\(aq");
	else if (c == '`')
		buf_add_str(out, "\\(ga");
	else if (c == '^')
		buf_add_str(out, "\\(ha");
	else if (c == '~')
		buf_add_str(out, "\\(ti");
	else
		buf_add_char(out, c);
}

/* A line must not begin like a request. */
static void guard(struct buf *out, char first)
{
	if (first == '.' || first == '\'')
		buf_add_str(out, "\\&");
}

static void add_inline(struct buf *out, const char *text, bool breaks)
{
	bool code = false;

	text += strspn(text, " \n");
	guard(out, text[0]);
	for (const char *p = text; *p; p++) {
		if (*p == '`') {
			code = !code;
			buf_add_str(out, code ? "\\fB" : "\\fR");
		} else if (*p == '\n' || *p == ' ') {
			size_t n = strspn(p, " \n");

			if (p[n] && breaks && *p == '\n') {
				buf_add_char(out, '\n');
				guard(out, p[n]);
			} else if (p[n]) {
				buf_add_char(out, ' ');
			}
			p += n - 1;
		} else {
			add_char(out, *p);
		}
	}
	buf_add_char(out, '\n');
}

static void title(struct buf *out, const struct paper_title *t)
{
	_cleanup_free_ char *upper = str_dup(t->name);

	for (char *p = upper; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	buf_fmt(out, ".TH \"%s\" \"%d\" \"" PAGE_DATE "\" \"kiln " KILN_VERSION "\" \"Kiln\"\n",
	        upper, t->section);
	buf_add_str(out, ".nh\n.ad l\n.SH NAME\n");
	for (const char *p = t->name; *p; p++)
		add_char(out, *p);
	buf_add_str(out, " \\- ");
	add_inline(out, t->summary, true);
}

static void heading(struct buf *out, int level, const char *text)
{
	buf_add_str(out, level == 1 ? ".SH \"" : ".SS \"");
	for (const char *p = text; *p && *p != '\n'; p++) {
		if (*p == '"')
			buf_add_str(out, "\\(dq");
		else if (*p != '`')
			add_char(out, level == 1 ? (char)toupper((unsigned char)*p) : *p);
	}
	buf_add_str(out, "\"\n");
}

/* Behind a heading a paragraph begins by itself. */
static void paragraph(struct buf *out)
{
	const char *start = buf_text(out), *p = start + out->n;

	while (p > start && p[-1] == '\n')
		p--;
	while (p > start && p[-1] != '\n')
		p--;
	if (!str_starts(p, ".SH") && !str_starts(p, ".SS"))
		buf_add_str(out, ".PP\n");
}

static void text(struct buf *out, const char *t)
{
	paragraph(out);
	add_inline(out, t, true);
}

static void item(struct buf *out, const char *term, const char *t)
{
	buf_add_str(out, ".TP\n\\fB");
	for (const char *p = term; *p; p++) {
		if (*p != '`')
			add_char(out, *p);
		if (*p == '|') /* a long type may be broken here */
			buf_add_str(out, "\\:");
	}
	buf_add_str(out, "\\fR\n");
	if (t[0])
		add_inline(out, t, true);
	else
		buf_add_str(out, "\\&\n");
}

static void code(struct buf *out, const char *lines)
{
	paragraph(out);
	buf_add_str(out, ".RS 4\n.nf\n");
	for (const char *p = lines; *p; p++) {
		if (p == lines || p[-1] == '\n')
			guard(out, *p);
		add_char(out, *p);
	}
	if (*lines && lines[strlen(lines) - 1] != '\n')
		buf_add_char(out, '\n');
	buf_add_str(out, ".fi\n.RE\n");
}

const struct paper paper_man = { title, heading, text, item, code };
