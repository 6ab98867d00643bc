/*
 * Reading a manifest back: an imported image brings its own, and it is outside input. What is not in
 * canonical form is refused, so that one tree has one text and one digest.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "image/tree.h"

enum { NODES_MOST = 4000000 };

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes \xHH; NULL where it is malformed or what it says needed no escape. */
static char *unescape(struct str text)
{
	char *out = alloc(text.n + 1), *to = out;

	for (size_t i = 0; i < text.n; i++) {
		int value = (unsigned char)text.p[i];

		if (text.p[i] == '\\') {
			if (i + 3 >= text.n || text.p[i + 1] != 'x' ||
			    hex_value(text.p[i + 2]) < 0 || hex_value(text.p[i + 3]) < 0)
				goto malformed;
			value = hex_value(text.p[i + 2]) * 16 + hex_value(text.p[i + 3]);
			if (value == 0 || (value > ' ' && value != '\\' && value != 0x7f))
				goto malformed;
			i += 3;
		} else if (value <= ' ' || value == 0x7f) {
			goto malformed;
		}
		*to++ = (char)value;
	}
	return out;
malformed:
	free(out);
	return NULL;
}

static bool number(struct str text, int base, uint64_t most, uint64_t *ret)
{
	uint64_t value = 0;

	if (text.n == 0 || text.n > 19)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int digit = hex_value(text.p[i]);

		if (digit < 0 || digit >= base)
			return false;
		value = value * (uint64_t)base + (uint64_t)digit;
		if (value > most)
			return false;
	}
	*ret = value;
	return true;
}

/* "SHA256 SIZE" of a file, the target of a link. */
static bool parse_content(struct str *rest, struct image_node *node)
{
	char hex[DIGEST_HEX_SIZE] = "";
	struct str part;

	if (node->kind == 'l') {
		if (!str_cut(rest, ' ', &part))
			return false;
		node->target = unescape(part);
		return node->target != NULL;
	}
	if (node->kind == 'd')
		return true;
	if (!str_cut(rest, ' ', &part) || part.n != DIGEST_HEX_LEN)
		return false;
	memcpy(hex, part.p, DIGEST_HEX_LEN);
	return digest_parse(hex, &node->ref.digest) && str_cut(rest, ' ', &part) &&
	       number(part, 10, INT64_MAX, &node->ref.size);
}

static bool parse_line(struct str line, struct image_tree *tree)
{
	struct image_node parsed = { 0 }, *node;
	struct str kind, mode, uid, gid;
	uint64_t value[3];
	char *path;

	if (!str_cut(&line, ' ', &kind) || kind.n != 1 || !memchr("dfl", kind.p[0], 3) ||
	    !str_cut(&line, ' ', &mode) || mode.n != 4 || !number(mode, 8, 07777, &value[0]) ||
	    !str_cut(&line, ' ', &uid) || !number(uid, 10, UINT32_MAX, &value[1]) ||
	    !str_cut(&line, ' ', &gid) || !number(gid, 10, UINT32_MAX, &value[2]))
		return false;
	parsed.kind = kind.p[0];
	if (parsed.kind == 'l' && value[0] != 0777)
		return false;
	if (!parse_content(&line, &parsed) || !line.p || !(path = unescape(line))) {
		free(parsed.target);
		return false;
	}
	if (!*path || path_tree_fault(path) || image_tree_find(tree, path)) {
		free(parsed.target);
		free(path);
		return false;
	}
	node = image_tree_add(tree, path, parsed.kind);
	node->mode = (uint32_t)value[0];
	node->uid = (int64_t)value[1];
	node->gid = (int64_t)value[2];
	node->ref = parsed.ref;
	node->target = parsed.target;
	free(path);
	return true;
}

static int parse_lines(struct image_tree *tree, struct str text, const char *what, struct err *err)
{
	struct str line, rest = text;
	size_t n = 1;

	if (!str_cut(&rest, '\n', &line) || !str_same(line, STR("kiln.image.manifest/1")))
		return err_set(err, ERR_INPUT, "%s: not an image's manifest", what);
	while (str_cut(&rest, '\n', &line)) {
		n++;
		if (line.n == 0 && !rest.p)
			break;
		if (n > NODES_MOST || !parse_line(line, tree))
			return err_set(err, ERR_INPUT, "%s:%zu: malformed line: %.*s", what, n,
			               (int)(line.n < 200 ? line.n : 200), line.p);
		if (tree->nodes.n > 1 && strcmp(tree->nodes.v[tree->nodes.n - 2].path,
		                                tree->nodes.v[tree->nodes.n - 1].path) >= 0)
			return err_set(err, ERR_INPUT, "%s:%zu: not sorted by path", what, n);
	}
	return 0;
}

/* One tree has one text, or it would have several digests: what is read is written again. */
static bool is_canonical(const struct image_tree *tree, struct str text)
{
	struct buf again = BUF_INIT(text.n);
	bool same;

	image_tree_text(tree, &again);
	same = !again.overflow && str_same(buf_str(&again), text);
	buf_deinit(&again);
	return same;
}

int image_tree_parse(struct image_tree *tree, struct str text, const char *what, struct err *err)
{
	if (parse_lines(tree, text, what, err) < 0)
		return -1;
	if (!is_canonical(tree, text))
		return err_set(err, ERR_INPUT,
		               "%s: another spelling of a tree than the one that is digested",
		               what);
	return 0;
}
