#ifndef KILN_REFERENCE_PAPER_H
#define KILN_REFERENCE_PAPER_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * What a page is written on: a manual page or Markdown. Pages are composed once, by calls on a
 * paper, and look native on each. Texts are plain, with `code` in backquotes; line ends in them
 * are spaces.
 */
struct paper_title {
	const char *name;    /* "kiln-image-build" */
	int section;         /* of the manual: 1, 5 */
	const char *summary; /* one line, without a point */
};

struct paper {
	void (*title)(struct buf *out, const struct paper_title *title);
	/* Level 1 is a part of the page, 2 a part of that. */
	void (*heading)(struct buf *out, int level, const char *text);
	void (*text)(struct buf *out, const char *text);
	/* What is typed, and what it does. Items that follow each other make a list. */
	void (*item)(struct buf *out, const char *term, const char *text);
	/* Lines that stand as they are. */
	void (*code)(struct buf *out, const char *lines);
};

extern const struct paper paper_man, paper_markdown;

#endif
