/* Markdown as code hosts show it. */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "reference/paper.h"

/* An underscore between letters is no markup. */
static bool in_word(const char *text, const char *p)
{
	return p > text && isalnum((unsigned char)p[-1]) && isalnum((unsigned char)p[1]);
}

/* Plain text with `code`; outside of that nothing may read as markup. */
static void add_inline(struct buf *out, const char *text)
{
	bool code = false;

	for (const char *p = text + strspn(text, " \n"); *p; p++) {
		if (*p == '\n') {
			p += strspn(p, " \n") - 1;
			if (p[1])
				buf_add_char(out, ' ');
			continue;
		}
		if (*p == '`')
			code = !code;
		else if (!code && (strchr("\\*<>[]|", *p) || (*p == '_' && !in_word(text, p))))
			buf_add_char(out, '\\');
		buf_add_char(out, *p);
	}
}

static void title(struct buf *out, const struct paper_title *t)
{
	buf_fmt(out, "# %s\n\n", t->name);
	add_inline(out, t->summary);
	buf_add_str(out, ".\n");
}

static void heading(struct buf *out, int level, const char *text)
{
	buf_fmt(out, "\n%s ", level == 1 ? "##" : "###");
	add_inline(out, text);
	buf_add_char(out, '\n');
}

static void text(struct buf *out, const char *t)
{
	buf_add_char(out, '\n');
	add_inline(out, t);
	buf_add_char(out, '\n');
}

static bool after_item(const struct buf *out)
{
	const char *p = buf_text(out);
	const char *end = p + out->n;

	while (end > p && end[-1] == '\n')
		end--;
	while (end > p && end[-1] != '\n')
		end--;
	return str_starts(end, "- ");
}

static void item(struct buf *out, const char *term, const char *t)
{
	if (!after_item(out))
		buf_add_char(out, '\n');
	buf_fmt(out, "- `%s`", term);
	if (t[0]) {
		buf_add_str(out, ": ");
		add_inline(out, t);
	}
	buf_add_char(out, '\n');
}

static void code(struct buf *out, const char *lines)
{
	size_t n = strlen(lines);

	buf_fmt(out, "\n```\n%s%s```\n", lines, n && lines[n - 1] == '\n' ? "" : "\n");
}

const struct paper paper_markdown = { title, heading, text, item, code };
