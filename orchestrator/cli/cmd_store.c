/* kiln store: how much lies there, taking away what nobody needs, checking what is there. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "cli/keep.h"
#include "cli/print.h"
#include "host/clock.h"
#include "image/image.h"
#include "image/place.h"
#include "report/size.h"
#include "store/gc.h"

enum { TEXT_MOST = 1 << 20, DAY_S = 24 * 60 * 60, AGE_MOST = 100000 };

struct opened {
	struct store *store;
	struct image_entries entries;
	struct gc_image *images;
	char **texts; /* what images' records say */
	struct map *needed;
};

static void opened_deinit(struct opened *o)
{
	for (size_t i = 0; o->texts && i < o->entries.list.n; i++)
		free(o->texts[i]);
	free(o->texts);
	free(o->images);
	image_entries_deinit(&o->entries);
	map_free(o->needed);
	store_close(o->store);
}

static int list_images(struct opened *o, struct err *err)
{
	if (image_list(o->store, &o->entries, err) < 0)
		return -1;
	o->images = alloc_array(o->entries.list.n + 1, sizeof(*o->images));
	o->texts = alloc_array(o->entries.list.n + 1, sizeof(*o->texts));
	for (size_t i = 0; i < o->entries.list.n; i++) {
		const struct image_entry *entry = &o->entries.list.v[i];

		o->texts[i] = json_dumps(entry->info, JSON_COMPACT);
		digest_parse(entry->hex, &o->images[i].tree);
		o->images[i].about = o->texts[i] ? o->texts[i] : "";
		o->images[i].bytes =
			(uint64_t)json_integer_value(json_object_get(entry->info, "bytes"));
	}
	return 0;
}

/* Whoever works in the store may be long at it. */
static int be_alone(struct cli *cli, struct store *store, struct err *err)
{
	int rc = store_alone(store, false, err);

	if (rc != STORE_BUSY)
		return rc;
	print_note(cli, "  waiting for another kiln that works in the store %s", store_dir(store));
	return store_alone(store, true, err);
}

static int open_all(struct cli *cli, bool dry, struct opened *ret, struct err *err)
{
	ret->needed = map_new();
	if (store_open(cli->store_dir, &ret->store, err) < 0)
		return -1;
	/* Alone before anything is looked at: what others pin meanwhile must stay. */
	if (!dry && (be_alone(cli, ret->store, err) < 0 || image_place_sweep(ret->store, err) < 0))
		return -1;
	if (store_sweep(ret->store, err) < 0 || list_images(ret, err) < 0)
		return -1;
	return keep_needed(ret->store, dry, ret->needed, err);
}

static json_t *amount_json(const struct gc_amount *amount)
{
	return json_pack("{s:I,s:I}", "count", (json_int_t)amount->n, "bytes",
	                 (json_int_t)amount->bytes);
}

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

/* ---- stats ---------------------------------------------------------------------------------- */

static int print_stats(const struct cli *cli, struct store *store, const struct gc_outcome *o,
                       struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	_cleanup_json_ json_t *json = NULL;
	char a[24], b[24], c[24], d[24], e[24];
	struct gc_amount folders;

	store_count_folders(store, &folders);
	if (cli->json) {
		json = json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:I,s:I,s:I}", "schema",
		                 "kiln.store.stats/1", "store", json_any_text(store_dir(store)),
		                 "blobs", amount_json(&o->blobs), "images", amount_json(&o->images),
		                 "folders", amount_json(&folders), "unneeded",
		                 amount_json(&o->blobs_gone), "results", (json_int_t)o->n_results,
		                 "facts", (json_int_t)o->n_facts, "pinned_bytes",
		                 (json_int_t)o->needed);
		return print_json(json, err);
	}
	buf_fmt(&text,
	        "store     %s\n"
	        "blobs     %s in %zu\n"
	        "images    %s in %zu\n"
	        "folders   %s in %zu: large inputs, what failures left, builds by increments\n"
	        "results   %zu of stages, %zu facts about sources and images\n"
	        "pinned    %s is what locks and releases name\n"
	        "unneeded  %s in %zu blobs that nothing names: `kiln store gc` removes them\n",
	        store_dir(store), size_text(o->blobs.bytes, a), o->blobs.n,
	        size_text(o->images.bytes, b), o->images.n, size_text(folders.bytes, e), folders.n,
	        o->n_results, o->n_facts, size_text(o->needed, c),
	        size_text(o->blobs_gone.bytes, d), o->blobs_gone.n);
	return print_text(buf_text(&text), text.n, err);
}

static int run_stats(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct opened o = { 0 };
	struct gc_outcome outcome;
	int rc = open_all(cli, true, &o, err);

	(void)args;
	if (rc == 0) {
		const struct gc_request request = {
			.budget = -1,
			.needed = o.needed,
			.images = o.images,
			.n_images = o.entries.list.n,
			.dry = true,
		};

		rc = store_gc(o.store, &request, &outcome, err);
	}
	if (rc == 0)
		rc = print_stats(cli, o.store, &outcome, err);
	opened_deinit(&o);
	return rc;
}

const struct command cmd_store_stats = {
	.name = "store stats",
	.summary = "say what lies in the store",
	.operands = "",
	.help = "Prints how much there is of content and of unpacked images, what of it locks and\n"
		"releases name, and what nothing names any more. Folders are large inputs that\n"
		"stages share, what the last failures left, and those of builds by increments:\n"
		"a collection takes the first, and with a limit all of them.\n",
	.topic = TOPIC_STORE,
	.run = run_stats,
};

/* ---- gc ------------------------------------------------------------------------------------- */

/* "500M", "10G": decimal, as disks are sold. */
static int read_size(const char *text, int64_t *ret, struct err *err)
{
	static const char units[] = "KMGT";
	char *end;
	const char *unit;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
	if (unit)
		end++;
	for (const char *p = units; unit && p <= unit && n <= INT64_MAX / 1000; p++)
		n *= 1000;
	if (errno || !isdigit((unsigned char)text[0]) || *end || n > INT64_MAX / 1000)
		return err_set(err, ERR_USAGE,
		               "--size takes a number of bytes, or one with K, M, G or T, not "
		               "\"%s\"",
		               text);
	*ret = (int64_t)n;
	return 0;
}

static int read_age(const char *text, int64_t *ret_before, struct err *err)
{
	char *end;
	unsigned long days = strtoul(text, &end, 10);

	if (!isdigit((unsigned char)text[0]) || *end || days > AGE_MOST)
		return err_set(err, ERR_USAGE, "--age takes a number of days, not \"%s\"", text);
	*ret_before = clock_real_us() / 1000000 - (int64_t)days * DAY_S;
	if (days == 0) /* all of it, what was used this moment too */
		*ret_before += 2 * DAY_S;
	return 0;
}

static int read_limits(const struct command_args *args, struct gc_request *request, struct err *err)
{
	const char *size = args_value(args, "--size"), *age = args_value(args, "--age");

	request->budget = -1;
	request->dry = args_has(args, "--dry-run");
	if (size && read_size(size, &request->budget, err) < 0)
		return -1;
	return age ? read_age(age, &request->used_before, err) : 0;
}

static int print_collected(const struct cli *cli, const struct gc_outcome *o, bool dry,
                           struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	_cleanup_json_ json_t *json = NULL;
	char a[24], b[24], c[24], d[24];

	if (cli->json) {
		json = json_pack("{s:s,s:b,s:o,s:o,s:I,s:I,s:I,s:I}", "schema", "kiln.store.gc/1",
		                 "dry", dry, "blobs_removed", amount_json(&o->blobs_gone),
		                 "images_removed", amount_json(&o->images_gone), "results_removed",
		                 (json_int_t)o->n_results_gone, "facts_removed",
		                 (json_int_t)o->n_facts_gone, "bytes_left",
		                 (json_int_t)(o->blobs.bytes + o->images.bytes -
		                              o->blobs_gone.bytes - o->images_gone.bytes),
		                 "pinned_bytes", (json_int_t)o->needed);
		return print_json(json, err);
	}
	buf_fmt(&text,
	        "%s  %s in %zu blob%s, %s in %zu image%s, results of %zu stage%s\n"
	        "left     %s, of which locks and releases need %s\n",
	        dry ? "would remove" : "removed", size_text(o->blobs_gone.bytes, a),
	        o->blobs_gone.n, plural(o->blobs_gone.n), size_text(o->images_gone.bytes, b),
	        o->images_gone.n, plural(o->images_gone.n), o->n_results_gone,
	        plural(o->n_results_gone),
	        size_text(o->blobs.bytes + o->images.bytes - o->blobs_gone.bytes -
	                          o->images_gone.bytes,
	                  c),
	        size_text(o->needed, d));
	return print_text(buf_text(&text), text.n, err);
}

static int collect(const struct cli *cli, struct opened *o, struct gc_request *request,
                   struct err *err)
{
	struct gc_outcome outcome;

	request->needed = o->needed;
	request->images = o->images;
	request->n_images = o->entries.list.n;
	if (store_gc(o->store, request, &outcome, err) < 0)
		return -1;
	for (size_t i = 0; !request->dry && i < request->n_images; i++)
		if (o->images[i].goes && image_place_remove(o->store, &o->images[i].tree, err) < 0)
			return -1;
	return print_collected(cli, &outcome, request->dry, err);
}

static int run_gc(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct opened o = { 0 };
	struct gc_request request = { 0 };
	int rc;

	if (read_limits(args, &request, err) < 0)
		return -1;
	rc = open_all(cli, request.dry, &o, err);
	if (rc == 0)
		rc = collect(cli, &o, &request, err);
	opened_deinit(&o);
	return rc;
}

static const struct command_option gc_options[] = {
	{ "--size", "SIZE", "remove what was used longest ago until so much is left: 500M, 10G",
	  false },
	{ "--age", "DAYS", "remove what was not used for so many days", false },
	{ "--dry-run", NULL, "only say what would be removed", false },
	{ 0 },
};

const struct command cmd_store_gc = {
	.name = "store gc",
	.summary = "remove from the store what nobody needs",
	.operands = "",
	.help = "Always removes content that nothing names any more. With --size or --age also results\n"
		"of stages, sources and images, those used longest ago first. What locks and releases\n"
		"on this machine name stays, whatever its age: a lock counts since a command read it\n"
		"here, a release since it was written, as long as their files are there. With a limit\n"
		"the folders that `kiln shell --failed` shows and those of --dev go too. Waits for other\n"
		"kilns that work in the store.\n",
	.options = gc_options,
	.topic = TOPIC_STORE,
	.run = run_gc,
};

/* ---- fsck ----------------------------------------------------------------------------------- */

static int print_checked(const struct cli *cli, const struct fsck_outcome *o, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	_cleanup_json_ json_t *json = NULL;
	char a[24];

	if (cli->json) {
		json = json_pack("{s:s,s:o,s:o,s:I,s:I}", "schema", "kiln.store.fsck/1", "blobs",
		                 amount_json(&o->blobs), "corrupt", amount_json(&o->corrupt),
		                 "results", (json_int_t)o->n_results, "forgotten",
		                 (json_int_t)o->n_forgotten);
		return print_json(json, err);
	}
	buf_fmt(&text,
	        "blobs    %zu, %s: %zu corrupt%s\n"
	        "results  %zu: %zu forgotten%s\n",
	        o->blobs.n, size_text(o->blobs.bytes, a), o->corrupt.n,
	        o->corrupt.n ? ", dropped" : "", o->n_results, o->n_forgotten,
	        o->n_forgotten ? ", their content is not whole" : "");
	return print_text(buf_text(&text), text.n, err);
}

static int run_fsck(struct cli *cli, const struct command_args *args, struct err *err)
{
	struct fsck_outcome outcome = { 0 };
	struct store *store;
	int rc;

	(void)args;
	if (store_open(cli->store_dir, &store, err) < 0)
		return -1;
	rc = be_alone(cli, store, err);
	if (rc == 0)
		rc = store_sweep(store, err);
	if (rc == 0)
		rc = store_fsck(store, &outcome, err);
	if (rc == 0)
		rc = print_checked(cli, &outcome, err);
	if (rc == 0 && outcome.corrupt.n) {
		rc = err_set(err, ERR_IO, "%zu blob%s of the store %s had another content than %s",
		             outcome.corrupt.n, plural(outcome.corrupt.n), store_dir(store),
		             outcome.corrupt.n == 1 ? "its name says" : "their names say");
		err_hint(err, "they are dropped, and made or fetched anew when something needs "
		              "them; a disk that does this wants a look (dmesg, smartctl)");
	}
	store_close(store);
	return rc;
}

const struct command cmd_store_fsck = {
	.name = "store fsck",
	.summary = "check that the store's content is what it says",
	.operands = "",
	.help = "Reads and hashes everything, drops what is corrupt and forgets the results of stages\n"
		"whose content is not whole, so that they run again. Ends with 7 when something was\n"
		"corrupt. Unpacked images are not looked at. Waits for other kilns that work in the\n"
		"store.\n",
	.topic = TOPIC_STORE,
	.run = run_fsck,
};
