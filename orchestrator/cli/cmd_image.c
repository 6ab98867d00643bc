/* kiln image build, ls, export, import: pinned root file systems, by hand. */
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "cli/command.h"
#include "cli/print.h"
#include "host/fs.h"
#include "image/bundle.h"
#include "image/definition.h"
#include "image/image.h"
#include "model/container.h"
#include "model/lock.h"
#include "recipe/recipe.h"
#include "store/store.h"

enum { TEXT_MOST = 16 << 20 };

static const char default_image[] = "trixie";

/* The project this was started in. Caller frees. */
static char *find_project(void)
{
	_cleanup_free_ char *here = NULL;
	struct err ignored = ERR_INIT;

	return fs_real_path(".", &here, &ignored) == 0 ? recipe_project(here) : str_dup(".");
}

static uint64_t number_in(const json_t *info, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(info, key));
}

/* ---- build -------------------------------------------------------------------------------- */

/* What `build` was asked for, for every name. */
struct build {
	struct cli *cli;
	struct store *store;
	char *project;
	json_t *lock;
	struct image_request request;
	json_t *out;
};

static int show_built(struct build *build, const char *name, const struct image *image,
                      struct err *err)
{
	_cleanup_free_ char *text = NULL;
	json_t *entry;

	if (build->cli->json) {
		entry = json_pack("{s:s, s:s, s:s, s:b, s:s?, s:O}", "name", name, "tree",
		                  DIGEST_TEXT(&image->tree), "root", image->root_path, "resolved",
		                  (int)image->resolved_now, "resolved_on", image->resolved_on,
		                  "lock", image->lock_section);
		json_array_append_new(build->out, entry);
		return 0;
	}
	text = str_fmt("%s  sha256:%s  %zu packages%s%s\n", name, DIGEST_TEXT(&image->tree),
	               json_array_size(json_object_get(image->lock_section, "packages")),
	               image->resolved_on ? ", unpinned, resolved " : ", pinned by " LOCK_FILE,
	               image->resolved_on ? image->resolved_on : "");
	return print_text(text, strlen(text), err);
}

static int build_one(struct build *build, const char *name, struct err *err)
{
	struct definition container = { 0 };
	_cleanup_image_ struct image image = { 0 };
	int rc = container_load(build->project, name, &container, err);

	if (rc == DEFINITION_UNKNOWN)
		return definition_refuse(build->project, "containers", "container", name, err);
	if (rc < 0)
		return -1;
	build->request.name = name;
	build->request.container = yaml_doc_json(container.yaml);
	build->request.lock =
		build->request.update ? NULL : lock_image(build->lock, name, build->request.arch);
	rc = image_ensure(build->store, &build->request, &build->cli->log, &image, err);
	definition_deinit(&container);
	return rc < 0 ? -1 : show_built(build, name, &image, err);
}

static int build_all(struct build *build, const struct command_args *args, struct err *err)
{
	_cleanup_free_ char *lock = NULL;

	build->project = find_project();
	lock = args_value(args, "--lock") ? str_dup(args_value(args, "--lock")) :
	                                    path_join(build->project, LOCK_FILE);
	if (lock_read(lock, &build->lock, NULL, err) < 0 ||
	    store_open(build->cli->store_dir, &build->store, err) < 0)
		return -1;
	if (!build->lock && args_value(args, "--lock") && !build->request.update) {
		err_set(err, ERR_INPUT, "there is no lock %s", lock);
		return err_hint(err, "write one: kiln lock --lock %s", lock);
	}
	if (!build->lock)
		build->lock = lock_new();
	if (args->n_operands == 0)
		return build_one(build, default_image, err);
	for (size_t i = 0; i < args->n_operands; i++)
		if (build_one(build, args->operands[i], err) < 0)
			return -1;
	return 0;
}

static int print_list(const char *schema, const char *key, json_t *list, struct err *err)
{
	_cleanup_json_ json_t *out = json_object();

	json_object_set_new(out, "schema", json_string(schema));
	json_object_set(out, key, list);
	return print_json(out, err);
}

static int run_build(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct build build = { .cli = cli, .out = json_array() };
	int rc;

	build.request.arch = image_machine_arch();
	build.request.offline = args_has(args, "--offline");
	build.request.update = args_has(args, "--update");
	build.request.mirror = args_value(args, "--mirror");
	rc = build_all(&build, args, err);
	if (rc == 0 && cli->json)
		rc = print_list("kiln.image.build/1", "images", build.out, err);
	store_close(build.store);
	json_cleanup(&build.lock);
	json_cleanup(&build.out);
	free(build.project);
	return rc;
}

static const struct command_option build_options[] = {
	{ "--lock", "FILE", "the lock; default: kiln.lock at the project's root", false },
	{ "--offline", NULL, "fetch nothing", false },
	{ "--mirror", "URL", "the Debian mirror to take packages from", false },
	{ "--update", NULL, "resolve anew, without the lock", false },
	{ 0 },
};

const struct command cmd_image_build = {
	.name = "image build",
	.summary = "make the root file systems that builds run in",
	.operands = "[IMAGE]...",
	.help = "IMAGE is a container: .kiln/containers/IMAGE.yaml or one that Kiln brings (default:\n"
		"trixie). With a lock the image is made of exactly the pinned packages and must have the\n"
		"pinned tree; without one it is made of what the archive has today, and that answer is\n"
		"kept until --update. Packages stay in the store: making an image again needs no\n"
		"network. Prints the digest of the tree.\n",
	.options = build_options,
	.min_operands = 0,
	.max_operands = 64,
	.topic = TOPIC_IMAGE,
	.run = run_build,
};

/* ---- ls ----------------------------------------------------------------------------------- */

static int print_entries(struct cli *cli, const struct image_entries *entries, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	_cleanup_json_ json_t *list = json_array();

	for (size_t i = 0; i < entries->list.n; i++) {
		const struct image_entry *entry = &entries->list.v[i];
		const json_t *lock = json_object_get(entry->info, "lock");
		uint64_t bytes = number_in(entry->info, "bytes");

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:I, s:I, s:i}", "tree", entry->hex, "name",
		                  json_str_or(entry->info, "name", "?"), "architecture",
		                  json_str_or(entry->info, "architecture", "?"), "bytes",
		                  (json_int_t)bytes, "nodes",
		                  (json_int_t)number_in(entry->info, "nodes"), "packages",
		                  (int)json_array_size(json_object_get(lock, "packages"))));
		buf_fmt(&text, "%-12s %-7s %6llu MB  sha256:%s\n",
		        json_str_or(entry->info, "name", "?"),
		        json_str_or(entry->info, "architecture", "?"),
		        (unsigned long long)(bytes / 1000000), entry->hex);
	}
	return cli->json ? print_list("kiln.image.ls/1", "images", list, err) :
	                   print_text(buf_text(&text), text.n, err);
}

static int run_ls(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct image_entries entries = { 0 };
	struct store *store;
	int rc;

	(void)args;
	if (store_open(cli->store_dir, &store, err) < 0)
		return -1;
	rc = image_list(store, &entries, err);
	if (rc == 0)
		rc = print_entries(cli, &entries, err);
	image_entries_deinit(&entries);
	store_close(store);
	return rc;
}

const struct command cmd_image_ls = {
	.name = "image ls",
	.summary = "list the images in the store",
	.operands = "",
	.help = "Prints name, architecture, size and digest of each unpacked image.\n",
	.max_operands = 0,
	.topic = TOPIC_IMAGE,
	.run = run_ls,
};

/* ---- export ------------------------------------------------------------------------------- */

/* The image a user means: by name, by digest or its beginning, or the only one there is. */
static int choose(const struct image_entries *entries, const char *wanted, struct digest *ret,
                  struct err *err)
{
	const char *found = NULL;
	size_t n = 0;

	if (wanted && str_starts(wanted, "sha256:"))
		wanted += 7;
	for (size_t i = 0; i < entries->list.n; i++) {
		const struct image_entry *entry = &entries->list.v[i];

		if (wanted && !str_eq(json_str_or(entry->info, "name", ""), wanted) &&
		    !(strlen(wanted) >= 6 && str_starts(entry->hex, wanted)))
			continue;
		found = entry->hex;
		n++;
	}
	if (n == 1) {
		digest_parse(found, ret);
		return 0;
	}
	if (n == 0)
		err_set(err, ERR_INPUT, "the store has no image%s%s", wanted ? " " : "",
		        wanted ? wanted : "");
	else
		err_set(err, ERR_USAGE, "%zu images fit%s%s: name one by its digest", n,
		        wanted ? " " : "", wanted ? wanted : "");
	return err_hint(err, entries->list.n ? "kiln image ls lists those there are" :
	                                       "make it first: kiln image build");
}

static int run_export(struct cli *cli, const struct command_args *args, struct err *err)
{
	const char *file = args->operands[0];
	struct image_entries entries = { 0 };
	_cleanup_free_ char *text = NULL;
	struct digest tree = { 0 };
	struct store *store;
	int rc;

	if (store_open(cli->store_dir, &store, err) < 0)
		return -1;
	rc = image_list(store, &entries, err);
	if (rc == 0)
		rc = choose(&entries, args->n_operands > 1 ? args->operands[1] : NULL, &tree, err);
	image_entries_deinit(&entries);
	if (rc == 0)
		print_note(cli, "  writing the packages %sof image sha256:%s to %s",
		           args_has(args, "--tree") ? "and the tree " : "", DIGEST_TEXT(&tree),
		           file);
	if (rc == 0)
		rc = image_export(store, &tree, args_has(args, "--tree"), file, err);
	store_close(store);
	if (rc < 0)
		return -1;
	if (cli->json) {
		_cleanup_json_ json_t *out =
			json_pack("{s:s, s:o, s:s}", "schema", "kiln.image.export-result/1", "file",
		                  json_any_text(file), "tree", DIGEST_TEXT(&tree));

		return print_json(out, err);
	}
	text = str_fmt("%s  sha256:%s\n", file, DIGEST_TEXT(&tree));
	return print_text(text, strlen(text), err);
}

static const struct command_option export_options[] = {
	{ "--tree", NULL, "with the unpacked tree: importing then needs no mmdebstrap", false },
	{ 0 },
};

const struct command cmd_image_export = {
	.name = "image export",
	.summary = "write an image into one file",
	.operands = "FILE [IMAGE|DIGEST]",
	.help = "Writes a tar file with the image's manifest, its section of the lock and every\n"
		"package it is made of. IMAGE or DIGEST may be left out when the store has one image.\n",
	.options = export_options,
	.min_operands = 1,
	.max_operands = 2,
	.topic = TOPIC_IMAGE,
	.run = run_export,
};

/* ---- import ------------------------------------------------------------------------------- */

static int run_import(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_image_ struct image image = { 0 };
	_cleanup_free_ char *text = NULL;
	struct store *store;
	int rc;

	if (store_open(cli->store_dir, &store, err) < 0)
		return -1;
	rc = image_import(store, args->operands[0], &cli->log, &image, err);
	store_close(store);
	if (rc < 0)
		return -1;
	if (cli->json) {
		_cleanup_json_ json_t *out =
			json_pack("{s:s, s:s, s:o, s:O}", "schema", "kiln.image.import/1", "tree",
		                  DIGEST_TEXT(&image.tree), "root", json_any_text(image.root_path),
		                  "lock", image.lock_section);

		return print_json(out, err);
	}
	text = str_fmt("sha256:%s\n", DIGEST_TEXT(&image.tree));
	return print_text(text, strlen(text), err);
}

const struct command cmd_image_import = {
	.name = "image import",
	.summary = "take an exported image into the store",
	.operands = "FILE",
	.help = "Checks every package and every file of the image against its digest, and the tree\n"
		"against the digest the file claims. What a lock pins is then there without network.\n"
		"That the packages give that tree is the file's word: it counts for a lock that names\n"
		"the tree. Where the file has no tree (exported without --tree) its packages are\n"
		"installed here, which runs their scripts: take it from somebody you trust.\n",
	.min_operands = 1,
	.max_operands = 1,
	.topic = TOPIC_IMAGE,
	.run = run_import,
};
