/* Naming packages where others can look them up, without saying which mirror they came from. */
#include "model/purl.h"

#include <ctype.h>
#include <string.h>

static void add_encoded(struct buf *buf, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (isalnum(c) || strchr(".-_~:", c))
			buf_add_char(buf, (char)c);
		else
			buf_fmt(buf, "%%%02X", c);
	}
}

void purl_deb(struct buf *buf, const char *name, const char *version, const char *arch)
{
	buf_add_str(buf, "pkg:deb/debian/");
	add_encoded(buf, name);
	buf_add_char(buf, '@');
	add_encoded(buf, version);
	buf_add_str(buf, "?arch=");
	add_encoded(buf, arch);
}

void purl_cargo(struct buf *buf, const char *name, const char *version, const char *qualifier,
                const char *value)
{
	buf_add_str(buf, "pkg:cargo/");
	add_encoded(buf, name);
	buf_add_char(buf, '@');
	add_encoded(buf, version);
	if (!qualifier)
		return;
	buf_fmt(buf, "?%s=", qualifier);
	add_encoded(buf, value);
}

void purl_generic(struct buf *buf, const char *name, const char *version)
{
	buf_add_str(buf, "pkg:generic/");
	add_encoded(buf, name);
	buf_add_char(buf, '@');
	add_encoded(buf, version);
}
