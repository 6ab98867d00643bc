/*
 * Manifest and normal form of an image. The normal form is applied to the stream that the bootstrap
 * tool writes, so that no hook runs in the image and every version of the tool gives the same.
 */
#include "image/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

void image_tree_init(struct image_tree *tree)
{
	*tree = (struct image_tree){ .paths = map_new() };
}

void image_tree_deinit(struct image_tree *tree)
{
	for (size_t i = 0; i < tree->nodes.n; i++) {
		free(tree->nodes.v[i].path);
		free(tree->nodes.v[i].target);
	}
	array_deinit(&tree->nodes);
	tree->paths = map_free(tree->paths);
}

struct image_node *image_tree_find(const struct image_tree *tree, const char *path)
{
	size_t place = (size_t)(uintptr_t)map_get(tree->paths, path);

	return place ? &tree->nodes.v[place - 1] : NULL;
}

struct image_node *image_tree_add(struct image_tree *tree, const char *path, char kind)
{
	struct image_node *node = image_tree_find(tree, path);

	if (!node) {
		node = array_add(&tree->nodes);
		node->path = str_dup(path);
		map_set(tree->paths, path, (void *)(uintptr_t)tree->nodes.n);
	}
	node->kind = kind;
	free(node->target);
	node->target = NULL;
	return node;
}

static int node_cmp(const void *a, const void *b)
{
	return strcmp(((const struct image_node *)a)->path, ((const struct image_node *)b)->path);
}

static void add_escaped(struct buf *buf, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == '\\' || c == 0x7f)
			buf_fmt(buf, "\\x%02x", c);
		else
			buf_add_char(buf, *text);
	}
}

void image_tree_manifest(struct image_tree *tree, struct buf *buf)
{
	array_sort(&tree->nodes, node_cmp);
	tree->paths = map_free(tree->paths);
	image_tree_text(tree, buf);
}

void image_tree_text(const struct image_tree *tree, struct buf *buf)
{
	buf_add_str(buf, "kiln.image.manifest/1\n");
	for (size_t i = 0; i < tree->nodes.n; i++) {
		const struct image_node *node = &tree->nodes.v[i];

		buf_fmt(buf, "%c %04o %lld %lld ", node->kind, node->mode, (long long)node->uid,
		        (long long)node->gid);
		if (node->kind == 'f')
			buf_fmt(buf, "%s %llu ", DIGEST_TEXT(&node->ref.digest),
			        (unsigned long long)node->ref.size);
		if (node->kind == 'l') {
			add_escaped(buf, node->target);
			buf_add_char(buf, ' ');
		}
		add_escaped(buf, node->path);
		buf_add_char(buf, '\n');
	}
}

enum image_rule image_rule_for(const char *path)
{
	static const char *const dropped[] = {
		"dev/**",
		"proc/**",
		"sys/**",
		"run/**",
		"tmp/**",
		"build",
		"build/**",
		"etc/hostname",
		"etc/hosts",
		"etc/machine-id",
		"etc/resolv.conf",
		/* the tool's own traces and the mirror's address */
		"etc/apt/sources.list",
		"etc/apt/sources.list.d/**",
		"etc/apt/apt.conf.d/99mmdebstrap",
		"etc/dpkg/dpkg.cfg.d/99mmdebstrap",
		/* caches, locks, old copies, logs: made anew when needed, never the same twice */
		"var/cache/apt/**",
		"var/cache/ldconfig/**",
		"var/cache/debconf/*-old",
		"var/lib/apt/extended_states",
		"var/lib/apt/lists/**",
		"var/lib/dpkg/*-old",
		"var/lib/dpkg/lock",
		"var/lib/dpkg/lock-frontend",
		"var/lib/dpkg/triggers/Lock",
		"var/lib/systemd/random-seed",
		"var/log/**",
		"etc/passwd-",
		"etc/group-",
		"etc/shadow-",
		"etc/gshadow-",
		"etc/.pwd.lock",
	};

	for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
		if (str_glob(dropped[i], path))
			return IMAGE_DROP;
	return IMAGE_KEEP;
}

const struct image_fixed image_fixed[] = {
	{ "build", NULL },
	{ "dev", NULL },
	{ "etc", NULL },
	{ "etc/hostname", "builder\n" },
	{ "etc/hosts", "127.0.0.1 localhost builder\n" },
	{ "etc/machine-id", "" },
	{ "etc/resolv.conf", "" },
	{ "proc", NULL },
	{ "run", NULL },
	{ "sys", NULL },
	{ "tmp", NULL },
	{ NULL, NULL },
};
