/*
 * kiln doctor: what this machine lacks, a line a need, before anything is paid for. Every need is
 * asked of the part that will need it, in the way that it will.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/map.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/print.h"
#include "cli/runtime.h"
#include "cli/session.h"
#include "exec/limits.h"
#include "external/json.h"
#include "host/child.h"
#include "host/fs.h"
#include "image/bootstrap.h"
#include "image/definition.h"
#include "image/image.h"
#include "profile/probe.h"
#include "recipe/recipe.h"
#include "release/signer.h"
#include "sandbox/group.h"
#include "sandbox/overlay.h"
#include "sandbox/spec.h"
#include "source/mirror.h"
#include "store/place.h"
#include "store/store.h"

/* What is kept, as measured: an image with its packages; a variant of a middling program. */
enum { IMAGE_MB = 1300, VARIANT_MB = 50 };
/* Without a recipe: one image, and two targets of such a program. */
enum { SPACE_WANTED_MB = 2000 };

enum need_state { NEED_OK, NEED_NOTE, NEED_LACK };

struct finding {
	enum need_state state;
	struct buf text;
	struct err err; /* LACK: what, and its hint the line to type */
};

struct need {
	const char *name;
	/* Fills the finding; `cli` has the store and the mirror. */
	void (*look)(const struct cli *cli, struct finding *f);
};

static void found(struct finding *f, const char *text)
{
	buf_add_str(&f->text, text);
}

/* The first line that a program says of its version. */
static void found_program(struct finding *f, const char *program, const char *option)
{
	const char *const argv[] = { program, option, NULL };
	const struct child_spec spec = { .argv = argv, .timeout_ms = 10000 };
	_cleanup_child_result_ struct child_result result = { 0 };
	struct str rest, line;

	if (child_run(&spec, &result, &f->err) < 0) {
		f->state = NEED_LACK;
		return;
	}
	rest = buf_str(&result.out);
	if (str_cut(&rest, '\n', &line))
		buf_add(&f->text, line.p, line.n);
}

/* ---- the needs ---------------------------------------------------------------------------- */

static void look_architecture(const struct cli *cli, struct finding *f)
{
	const char *arch = image_machine_arch();

	(void)cli;
	if (arch) {
		found(f, arch);
		return;
	}
	f->state = NEED_LACK;
	err_set(&f->err, ERR_MACHINE, "this machine's architecture is not one of Debian's");
}

static void look_sandbox(const struct cli *cli, struct finding *f)
{
	static const enum need_state states[] = { NEED_OK, [RUNTIME_SECOND] = NEED_NOTE };
	int rc = runtime_survey(&f->text, &f->err);

	(void)cli;
	f->state = rc < 0 ? NEED_LACK : states[rc];
}

static void look_bootstrap(const struct cli *cli, struct finding *f)
{
	char *store = NULL;

	if (store_place(cli->store_dir, &store, &f->err) < 0 || bootstrap_check(store, &f->err) < 0)
		f->state = NEED_LACK;
	else
		found_program(f, "mmdebstrap", "--version");
	free(store);
}

static void look_keyring(const struct cli *cli, struct finding *f)
{
	char *path = NULL;

	(void)cli;
	if (mirror_keyring(&path, &f->err) < 0)
		f->state = NEED_LACK;
	else
		found(f, path);
	free(path);
}

static void look_mirror(const struct cli *cli, struct finding *f)
{
	_cleanup_mirrors_ struct mirrors mirrors = { 0 };

	(void)cli;
	if (mirror_named(NULL) && !strstr(mirror_named(NULL), ":/")) {
		f->state = NEED_LACK;
		err_set(&f->err, ERR_MACHINE, "KILN_DEBIAN_MIRROR is \"%s\", which is no address",
		        mirror_named(NULL));
		err_hint(&f->err, "as in KILN_DEBIAN_MIRROR=https://HOST/debian");
		return;
	}
	if (mirror_named(NULL)) {
		found(f, "the one KILN_DEBIAN_MIRROR names");
		return;
	}
	if (mirrors_of_machine("/etc/apt", "trixie", &mirrors, &f->err) == 0 && mirrors.uris.n) {
		found(f, "the one apt is configured for");
		return;
	}
	f->state = NEED_LACK;
	err_set(&f->err, ERR_MACHINE, "apt of this machine names no Debian mirror");
	err_hint(&f->err, "name one: KILN_DEBIAN_MIRROR=URL or --mirror URL");
}

/* Here or in a folder above. */
static bool is_in_repository(void)
{
	char *dir = getcwd(NULL, 0);
	bool found = false;

	while (dir && !found) {
		_cleanup_free_ char *git = path_join(dir, ".git"), *up = path_dir(dir);
		bool top = str_eq(up, dir);

		found = fs_exists(AT_FDCWD, git);
		free(dir);
		dir = top ? NULL : str_dup(up);
	}
	free(dir);
	return found;
}

static void look_git(const struct cli *cli, struct finding *f)
{
	_cleanup_free_ char *path = NULL;

	(void)cli;
	if (child_find("git", &path)) {
		found_program(f, "git", "--version");
		return;
	}
	if (is_in_repository()) {
		f->state = NEED_LACK;
		err_set(&f->err, ERR_MACHINE, "not on this machine, and this is a git repository");
		err_hint(&f->err, "sudo apt-get install git");
		return;
	}
	f->state = NEED_NOTE;
	found(f,
	      "not here; recipes with checkout or git.version need it: sudo apt-get install git");
}

static void look_store(const struct cli *cli, struct finding *f)
{
	_cleanup_free_ char *dir = NULL;

	if (store_place(cli->store_dir, &dir, &f->err) < 0 || store_check(dir, &f->err) < 0)
		f->state = NEED_LACK;
	else
		buf_fmt(&f->text, "%s%s", dir,
		        fs_exists(AT_FDCWD, dir) ? "" : ", made when it is needed");
}

/* ---- disk --------------------------------------------------------------------------------- */

struct wants {
	size_t images, variants; /* images that are not in the store */
	bool known;              /* there is a recipe here, and it can be read */
};

static bool image_is_there(const struct image_entries *entries, const char *name)
{
	for (size_t i = 0; i < entries->list.n; i++)
		if (str_eq(json_str_or(entries->list.v[i].info, "name", ""), name))
			return true;
	return false;
}

/* A store that is not there yet has no images, and is not made for the question. */
static void list_images(const char *store_dir, struct image_entries *ret)
{
	struct err ignored = ERR_INIT;
	struct store *store;

	if (!fs_exists(AT_FDCWD, store_dir) || store_open(store_dir, &store, &ignored) < 0)
		return;
	image_list(store, ret, &ignored);
	store_close(store);
}

static void count_wants(const struct recipe *recipe, const char *store_dir, struct wants *ret)
{
	struct map *seen = map_new();
	struct image_entries entries = { 0 };

	list_images(store_dir, &entries);
	for (size_t i = 0; i < recipe->n_targets; i++) {
		const struct recipe_target *target = &recipe->targets[i];

		ret->variants += target->n_variants;
		if (!map_has(seen, target->image) && !image_is_there(&entries, target->image))
			ret->images++;
		map_set(seen, target->image, ret);
	}
	image_entries_deinit(&entries);
	map_free(seen);
	ret->known = true;
}

/* What the recipe that is found here would need; a wrong one is for other commands to refuse. */
static void read_wants(const char *store_dir, struct wants *ret)
{
	_cleanup_free_ char *project = NULL, *path = NULL;
	_cleanup_json_ json_t *document = NULL;
	struct recipe_request request = { 0 };
	struct err ignored = ERR_INIT;
	_cleanup_arena_ struct arena *arena = arena_new();
	struct recipe_memo memo;
	struct recipe recipe;

	recipe_memo_init(&memo, store_dir);
	if (recipe_find(NULL, &project, &path, &ignored) == 0) {
		request = (struct recipe_request){ .project = project, .recipe = path };
		if (session_read_recipe(arena, &request, &memo, &document, &recipe, &ignored) == 0)
			count_wants(&recipe, store_dir, ret);
	}
	recipe_memo_deinit(&memo);
}

/* The nearest folder that is there: the store may be made yet. */
static double free_gb(const char *store_dir)
{
	_cleanup_free_ char *at = fs_nearest(store_dir);
	struct statvfs fs = { 0 };

	(void)statvfs(at, &fs);
	return (double)fs.f_bavail * (double)fs.f_frsize / 1e9;
}

static void look_space(const struct cli *cli, struct finding *f)
{
	_cleanup_free_ char *at = NULL;
	struct wants wants = { 0 };
	double gb, wanted = SPACE_WANTED_MB / 1e3;

	if (store_place(cli->store_dir, &at, &f->err) < 0) {
		f->state = NEED_LACK;
		return;
	}
	gb = free_gb(at);
	read_wants(at, &wants);
	buf_fmt(&f->text, "%s: %.1f GB free", at, gb);
	if (wants.known) {
		wanted = (double)(wants.images * IMAGE_MB + wants.variants * VARIANT_MB) / 1e3;
		buf_fmt(&f->text,
		        "; the recipe here takes about %.1f GB (%zu image%s to make, %zu %s)",
		        wanted, wants.images, wants.images == 1 ? "" : "s", wants.variants,
		        wants.variants == 1 ? "variant" : "variants of its targets");
	}
	if (gb >= wanted)
		return;
	/* The figure is an estimate: what is near to it may do. */
	f->state = gb < wanted / 2 ? NEED_LACK : NEED_NOTE;
	if (!wants.known)
		buf_fmt(&f->text, ", and an image with its builds takes about %.1f GB", wanted);
	if (f->state == NEED_LACK) {
		err_set(&f->err, ERR_IO, "%s", buf_text(&f->text));
		err_hint(&f->err,
		         "make room, or keep the store elsewhere: --store DIR or KILN_STORE");
		buf_clear(&f->text);
		return;
	}
	buf_add_str(&f->text, "; keep the store elsewhere with --store DIR or KILN_STORE");
}

/* How inputs come into a work folder, and outputs out of it. */
static void look_checkout(const struct cli *cli, struct finding *f)
{
	_cleanup_free_ char *store = NULL, *at = NULL;
	_cleanup_fd_ int fd = -1;

	if (store_place(cli->store_dir, &store, &f->err) < 0) {
		f->state = NEED_LACK;
		return;
	}
	at = fs_nearest(store);
	fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && checkout_clones(fd))
		found(f, "inputs are cloned from the store, its file system can (reflink)");
	else
		found(f, "inputs are copied from the store, its file system clones nothing");
	buf_add_str(&f->text, overlay_works(at) ?
	                              "; large folders of them are seen through overlays" :
	                              "; large folders of them, too: overlays do not work here");
	buf_add_str(&f->text, "; large outputs are moved there");
}

/* ---- limits of stages --------------------------------------------------------------------- */

/* Where the kernel cannot be told, the runner looks: what is quick can be over by then. */
static void found_group(struct finding *f, enum group_limit limit, const char *most)
{
	struct groups *groups = groups_open("", 0);
	const char *holder = groups_holder(groups, limit);

	if (holder) {
		buf_fmt(&f->text, "enforced by %s; %s", holder, most);
	} else {
		f->state = NEED_NOTE;
		buf_fmt(&f->text,
		        "watched by the runner, ten times a second; %s. Enforced in a group of "
		        "Kiln's own: systemd-run --user --scope -p Delegate=yes kiln …",
		        most);
	}
	groups_close(groups);
}

static void look_memory(const struct cli *cli, struct finding *f)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct groups *groups = groups_open("", 0);
	const char *most = arena_fmt(arena, "a stage may have %s where its recipe says nothing",
	                             limits_size(arena, limits_memory(groups)));

	(void)cli;
	groups_close(groups);
	found_group(f, GROUP_MEMORY, most);
}

static void look_processes(const struct cli *cli, struct finding *f)
{
	char most[96];

	(void)cli;
	snprintf(most, sizeof(most),
	         "a stage may have %d with their threads where its recipe says nothing",
	         LIMITS_PROCESSES);
	found_group(f, GROUP_PROCESSES, most);
}

static void look_disk(const struct cli *cli, struct finding *f)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	_cleanup_free_ char *dir = NULL, *at = NULL;
	struct statvfs fs = { 0 };

	if (store_place(cli->store_dir, &dir, &f->err) < 0) {
		f->state = NEED_LACK;
		return;
	}
	at = fs_nearest(dir);
	(void)statvfs(at, &fs);
	buf_fmt(&f->text,
	        "watched by the runner: a stage leaves %s of the store's file system; /tmp and "
	        "/dev/shm of a stage are enforced by their mounts: 1 GiB each",
	        limits_size(arena, limits_reserve((uint64_t)fs.f_blocks * (uint64_t)fs.f_frsize)));
}

static void look_output(const struct cli *cli, struct finding *f)
{
	_cleanup_arena_ struct arena *arena = arena_new();

	(void)cli;
	buf_fmt(&f->text,
	        "enforced by the runner, through which all of it goes: %s of standard output, %s "
	        "of standard error",
	        limits_size(arena, LIMITS_OUT), limits_size(arena, LIMITS_LOG));
}

static void look_time(const struct cli *cli, struct finding *f)
{
	(void)cli;
	found(f, "enforced by the runner, where a recipe says timeout");
}

static void look_profiler(const struct cli *cli, struct finding *f)
{
	const char *sentence;

	(void)cli;
	if (!profiler_probe(&sentence))
		f->state = NEED_NOTE;
	buf_fmt(&f->text, "%s%s", sentence,
	        f->state == NEED_NOTE ? "; BOLT's profiles are taken by counters" : "");
}

static void look_key(const struct cli *cli, struct finding *f)
{
	_cleanup_free_ char *path = signer_development_path();

	(void)cli;
	f->state = NEED_NOTE;
	if (path && fs_exists(AT_FDCWD, path))
		buf_fmt(&f->text, "a development key in %s; ", path);
	found(f, "for releases that others verify: kiln keygen release");
}

/* They lie in the images, and Kiln itself calls them: no binfmt_misc, no package. */
static void look_emulators(const struct cli *cli, struct finding *f)
{
	(void)cli;
	found(f, "qemu-user of the images runs programs of other architectures; nothing of this "
	         "machine is needed");
}

static const struct need needs[] = {
	{ "architecture", look_architecture },
	{ "sandbox", look_sandbox },
	{ "mmdebstrap", look_bootstrap },
	{ "Debian's keyring", look_keyring },
	{ "Debian mirror", look_mirror },
	{ "git", look_git },
	{ "store", look_store },
	{ "disk", look_space },
	{ "checkout", look_checkout },
	{ "memory limit", look_memory },
	{ "process limit", look_processes },
	{ "disk limit", look_disk },
	{ "output limit", look_output },
	{ "time limit", look_time },
	{ "profiler", look_profiler },
	{ "emulators", look_emulators },
	{ "signing key", look_key },
};

/* ---- showing ------------------------------------------------------------------------------ */

static const char *const state_words[] = { "ok", "note", "lack" };

static void show(const struct need *need, const struct finding *f, struct buf *text)
{
	_cleanup_free_ char *words =
		str_clean(str_of(f->state == NEED_LACK ? f->err.cause : buf_text(&f->text)));

	buf_fmt(text, "%-5s %-18s %s\n", state_words[f->state], need->name, words);
	if (f->state == NEED_LACK && f->err.hint[0])
		buf_fmt(text, "      %-18s → %s\n", "", f->err.hint);
}

static json_t *json_of(const struct need *need, const struct finding *f)
{
	return json_pack("{s:s,s:s,s:o,s:s?}", "need", need->name, "state", state_words[f->state],
	                 "text",
	                 json_any_text(f->state == NEED_LACK ? f->err.cause : buf_text(&f->text)),
	                 "do", f->state == NEED_LACK && f->err.hint[0] ? f->err.hint : NULL);
}

static int run(struct cli *cli, const struct command_args *args, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	json_t *list = json_array();
	_cleanup_json_ json_t *json =
		json_pack("{s:s,s:o}", "schema", "kiln.doctor/1", "needs", list);
	size_t lacks = 0;

	(void)args;
	for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
		struct finding f = { .text = BUF_INIT(4096), .err = ERR_INIT };

		needs[i].look(cli, &f);
		lacks += f.state == NEED_LACK;
		show(&needs[i], &f, &text);
		json_array_append_new(list, json_of(&needs[i], &f));
		buf_deinit(&f.text);
	}
	if ((cli->json ? print_json(json, err) : print_text(buf_text(&text), text.n, err)) < 0)
		return -1;
	if (lacks == 0)
		return 0;
	return err_set(err, ERR_MACHINE, "this machine lacks %zu of what Kiln needs: see above",
	               lacks);
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "say what this machine lacks, and what to type",
	.operands = "",
	.help = "One line a need: ok, or a note of what works differently here, or what is lacking and\n"
		"the line to type; beside a recipe, what it takes of the disk. Ends with status 5 when\n"
		"something is lacking.",
	.first = true,
	.run = run,
};
