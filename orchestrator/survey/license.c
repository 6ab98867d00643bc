/* Licences by sentences that stand in one of them alone, with white space and case left out. */
#include "survey/license.h"
#include "base/str.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "model/spdx.h"
#include "survey/surveyor.h"

enum { SOURCES_MOST = 40, HEAD_MOST = 4000 };
enum { TITLE_MOST = 400 }; /* how far down a title may stand */

struct mark {
	const char *id;
	const char *words, *also; /* both must stand there; `also` may be NULL */
	const char *later;        /* of a GNU licence: the identifier with later versions */
};

/* In this order: what quotes another licence comes before it. GNU's own texts quote each other and are
 * known by their titles. */
static const struct mark marks[] = {
	{ "Apache-2.0", "apache license version 2.0", NULL, NULL },
	{ "AGPL-3.0-only", "gnu affero general public license version 3", NULL,
	  "AGPL-3.0-or-later" },
	{ "LGPL-2.0-only", "gnu library general public license version 2", NULL,
	  "LGPL-2.0-or-later" },
	{ "LGPL-2.1-only", "gnu lesser general public license version 2.1", NULL,
	  "LGPL-2.1-or-later" },
	{ "LGPL-3.0-only", "gnu lesser general public license version 3", NULL,
	  "LGPL-3.0-or-later" },
	{ "GPL-3.0-only", "gnu general public license version 3", NULL, "GPL-3.0-or-later" },
	{ "GPL-2.0-only", "gnu general public license version 2", NULL, "GPL-2.0-or-later" },
	{ "MPL-2.0", "mozilla public license version 2.0", NULL, NULL },
	{ "BSL-1.0", "boost software license - version 1.0", NULL, NULL },
	{ "Unlicense", "this is free and unencumbered software released into the public domain",
	  NULL, NULL },
	{ "CC0-1.0", "cc0 1.0 universal", NULL, NULL },
	{ "Artistic-2.0", "artistic license 2.0", NULL, NULL },
	{ "Zlib", "this notice may not be removed or altered from any source distribution", NULL,
	  NULL },
	{ "ISC",
	  "permission to use, copy, modify, and or distribute this software for any purpose with or "
	  "without fee is hereby granted, provided that",
	  NULL, NULL },
	{ "ISC",
	  "permission to use, copy, modify, and distribute this software for any purpose with or "
	  "without fee is hereby granted, provided that",
	  NULL, NULL },
	{ "0BSD",
	  "permission to use, copy, modify, and or distribute this software for any purpose with or "
	  "without fee is hereby granted.",
	  NULL, NULL },
	{ "bzip2-1.0.6", "the origin of this software must not be misrepresented",
	  "redistribution and use in source and binary forms", NULL },
	{ "BSD-4-Clause", "all advertising materials mentioning features",
	  "redistribution and use in source and binary forms", NULL },
	{ "BSD-3-Clause", "endorse or promote products",
	  "redistribution and use in source and binary forms", NULL },
	{ "BSD-2-Clause", "redistribution and use in source and binary forms", NULL, NULL },
	{ "MIT", "permission is hereby granted, free of charge, to any person obtaining a copy",
	  NULL, NULL },
	{ 0 },
};

/* Lower case, one blank for white space and for the comment signs that lines begin with. */
static char *squeeze(const char *text)
{
	char *squeezed = str_dup(text), *end = squeezed;

	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (isspace(c) || strchr("*#;/\"", c)) {
			if (end > squeezed && end[-1] != ' ')
				*end++ = ' ';
		} else if (c == ',' && strncmp(p, ", version", 9) == 0) {
			continue;
		} else {
			*end++ = (char)tolower(c);
		}
	}
	*end = '\0';
	return squeezed;
}

const char *license_of_text(const char *text, bool later)
{
	_cleanup_free_ char *squeezed = squeeze(text);

	for (const struct mark *mark = marks; mark->id; mark++) {
		const char *at = strstr(squeezed, mark->words);

		if (!at || (mark->later && at > squeezed + TITLE_MOST) ||
		    (mark->also && !strstr(squeezed, mark->also)))
			continue;
		return later && mark->later ? mark->later : mark->id;
	}
	return NULL;
}

/* "SPDX-License-Identifier: EXPRESSION" of a text; NULL where it has none that is an expression. */
static const char *declared(struct survey *s, const char *text)
{
	static const char tag[] = "SPDX-License-Identifier:";
	const char *p = strstr(text, tag);
	char *expression;
	size_t n;

	if (!p)
		return NULL;
	p += strlen(tag);
	p += strspn(p, " \t");
	n = strcspn(p, "\r\n");
	expression = arena_str_n(s->arena, p, n);
	if (strstr(expression, "*/"))
		*strstr(expression, "*/") = '\0';
	while ((n = strlen(expression)) > 0 && isspace((unsigned char)expression[n - 1]))
		expression[n - 1] = '\0';
	return spdx_fault(expression) ? NULL : expression;
}

static bool is_source(const char *path)
{
	static const char *const ends[] = { ".c", ".cc", ".cpp", ".cxx", ".h", ".rs", NULL };

	for (size_t i = 0; ends[i]; i++)
		if (str_ends(path, ends[i]))
			return !survey_is_aside(path);
	return false;
}

struct heads {
	bool later;           /* one of them says "any later version" */
	const char *declared; /* what they declare, where all agree */
	bool disagree;
};

/* What the first sources say of the licence in the comments that they begin with. */
static struct heads read_heads(struct survey *s)
{
	struct heads heads = { 0 };
	size_t looked = 0;

	for (size_t i = 0; i < s->files.list.n && looked < SOURCES_MOST; i++) {
		const char *path = s->files.list.v[i].path;
		const char *text = is_source(path) ? survey_text(s, path) : NULL;
		_cleanup_free_ char *head = NULL, *squeezed = NULL;
		const char *says;

		if (!text)
			continue;
		looked++;
		head = str_dup_n(text, strnlen(text, HEAD_MOST));
		squeezed = squeeze(head);
		heads.later |= strstr(squeezed, "any later version") != NULL;
		says = declared(s, head);
		heads.disagree |= says && heads.declared && !str_eq(says, heads.declared);
		if (says)
			heads.declared = says;
	}
	return heads;
}

static bool is_license_name(const char *path)
{
	static const char *const starts[] = { "LICENSE",   "LICENCE",   "COPYING",
		                              "COPYRIGHT", "UNLICENSE", NULL };
	_cleanup_free_ char *upper = str_dup(path_base(path));

	for (char *p = upper; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	for (size_t i = 0; starts[i]; i++)
		if (str_starts(upper, starts[i]) &&
		    !isalpha((unsigned char)upper[strlen(starts[i])]))
			return true;
	return false;
}

/* "MIT OR Apache-2.0" of two files that a project offers side by side. */
static void from_files(struct survey *s, const struct heads *heads)
{
	for (size_t i = 0; i < s->documents.n; i++) {
		const char *text = survey_text(s, s->documents.v[i]), *id;

		id = text ? declared(s, text) : NULL;
		if (!id && text)
			id = license_of_text(text, heads->later);
		if (!id)
			continue;
		if (!s->license) {
			s->license = id;
			s->license_from = s->documents.v[i];
		} else if (!strstr(s->license, id)) {
			survey_note(s,
			            "%s is %s besides: say in the recipe whether both hold (AND) "
			            "or one may be chosen (OR)",
			            s->documents.v[i], id);
		}
	}
}

/* A README that carries the licence in place of a file. */
static void from_readme(struct survey *s, const struct heads *heads)
{
	struct survey_words readmes = survey_glob(s, "README*");

	for (size_t i = 0; i < readmes.n && !s->license; i++) {
		const char *text = survey_text(s, readmes.v[i]);

		s->license = text ? license_of_text(text, heads->later) : NULL;
		if (s->license) {
			s->license_from = readmes.v[i];
			survey_add(&s->documents, readmes.v[i]);
		}
	}
	array_deinit(&readmes);
}

static void find_files(struct survey *s, const char *folder)
{
	for (size_t i = 0; i < s->files.list.n; i++) {
		const char *path = s->files.list.v[i].path;

		if (str_starts(path, folder) && !strchr(path + strlen(folder), '/') &&
		    is_license_name(path))
			survey_add(&s->documents, path);
	}
}

void license_find(struct survey *s)
{
	struct heads heads = read_heads(s);

	find_files(s, "");
	if (s->documents.n == 0)
		find_files(s, "doc/");
	if (s->license)
		return;
	if (heads.declared && !heads.disagree) {
		s->license = heads.declared;
		s->license_from = "the sources";
		return;
	}
	from_files(s, &heads);
	if (!s->license)
		from_readme(s, &heads);
}
