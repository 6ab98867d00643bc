/* Records are compared and read where they lie in the file. */
#include "engine/ledger.h"

#include "base/alloc.h"
#include "base/array.h"
#include "engine/engine.h"
#include "external/crypto.h"
#include "host/clock.h"
#include "snapshot/kept.h"

/* A day, so that results that are used are known as used. */
enum { SECONDS = 24 * 3600, BYTES_MOST = 64 << 20, WINDOW = 64 << 10, MADE_MOST = 1 << 20 };

/* A run that changed more than one in so many writes all anew. */
enum { CHANGES_ARE_FEW = 4 };

/* Most of what is known is as it was: what a run changed is written beside the rest. */
enum part_name { WHOLE, CHANGES, N_PARTS };

static const struct {
	const char *magic, *suffix;
} kinds[] = { [WHOLE] = { "kilnldg1", ".ledger" }, [CHANGES] = { "kilnldc1", ".ledger-changes" } };

/* Where a node's record lies in its file, behind its address; 0: there is none. */
struct entry {
	uint64_t at : 61;
	uint64_t part : 1;  /* enum part_name */
	uint64_t given : 1; /* its key was given out */
	uint64_t taken : 1; /* … and its result */
	uint32_t made;      /* its bytes, one behind their place there; 0: none are kept */
};

struct part {
	char name[64];
	struct kept file;
	size_t near; /* about there it is looked at; what is far from it takes no memory */
	char generation[SNAPSHOT_GENERATION + 1];
};

struct ledger {
	struct store *store;
	struct buf key;
	struct part parts[N_PARTS];
	const char *generation;               /* of the last part; "": there is none */
	char before[SNAPSHOT_GENERATION + 1]; /* of the store as the run begins */
	int64_t since; /* its oldest result was looked up then, real clock, us */
	bool holds;    /* its results do */
	const struct plan *plan;
	struct entry *entries;        /* by node */
	size_t n_wanted;              /* nodes that get a key: what is pinned has none */
	size_t n_strange;             /* records of none of these */
	size_t n_known, n_keys;       /* … that have an entry; whose keys were given out */
	struct buf bytes;             /* of the key that is asked for */
	ARRAY(struct buf) made;       /* such bytes, of nodes that are others than they were */
	size_t n_made;                /* … altogether */
	const struct action_env *env; /* whose digest is known */
	struct digest env_digest;
};

/* ---- what a key is made of ------------------------------------------------------------------ */

static void add_u32(struct buf *buf, uint32_t number)
{
	buf_add(buf, &number, sizeof(number));
}

/* With its length, so that no two lists of texts read the same. */
static void add_text(struct buf *buf, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	add_u32(buf, text ? (uint32_t)n : UINT32_MAX);
	buf_add(buf, text ? text : "", n);
}

static void add_texts(struct buf *buf, const char *const *texts, size_t n)
{
	add_u32(buf, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		add_text(buf, texts[i]);
}

/* Most stages share one. */
static void add_env(struct ledger *l, const struct action *action)
{
	_cleanup_buf_ struct buf text = BUF_INIT(BYTES_MOST);

	if (l->env != action->env) {
		for (size_t i = 0; i < action->n_env; i++) {
			add_text(&text, action->env[i].name);
			add_text(&text, action->env[i].value);
		}
		l->bytes.overflow |= text.overflow;
		digest_of(buf_text(&text), text.n, &l->env_digest);
		l->env = action->env;
	}
	buf_add(&l->bytes, &l->env_digest, sizeof(l->env_digest));
}

static void add_outputs(struct buf *buf, const struct action *action)
{
	add_u32(buf, (uint32_t)action->n_outputs);
	for (size_t i = 0; i < action->n_outputs; i++) {
		add_text(buf, action->outputs[i].path);
		add_u32(buf, action->outputs[i].non_empty);
		add_texts(buf, action->outputs[i].exclude, action->outputs[i].n_exclude);
	}
}

static void add_placement(struct buf *buf, const struct placement *placement)
{
	const struct tree_node *node = &placement->node;

	add_text(buf, placement->at);
	add_u32(buf, (uint32_t)node->kind << 1 | node->executable);
	if (node->kind == NODE_LINK) {
		add_text(buf, node->target);
		return;
	}
	buf_add(buf, &node->ref.digest, sizeof(node->ref.digest));
	buf_add(buf, &node->ref.size, sizeof(node->ref.size));
}

/* Everything that inputs_key() looks at, and nothing else. Returns false where that is too much. */
static bool make_bytes(struct ledger *l, size_t at, const struct placement *placements)
{
	const struct plan_node *node = &l->plan->nodes[at];
	static const struct digest none;
	struct action action = plan_action(l->plan, node);
	struct buf *buf = &l->bytes;

	buf_clear(buf);
	action_sort(&action);
	buf_add(buf, action.image ? action.image : &none, sizeof(none));
	add_env(l, &action);
	add_text(buf, action.arch);
	add_texts(buf, action.argv, action.n_argv);
	add_text(buf, action.workdir);
	add_outputs(buf, &action);
	add_text(buf, action.builtin);
	add_u32(buf, action.fixed_addresses);
	add_u32(buf, (uint32_t)action.n_exit_codes);
	buf_add(buf, action.exit_codes, action.n_exit_codes * sizeof(*action.exit_codes));
	add_texts(buf, action.reject, action.n_reject);
	for (size_t i = 0; i < node->n_inputs; i++)
		add_placement(buf, &placements[i]);
	return !buf->overflow;
}

/* ---- results -------------------------------------------------------------------------------- */

static void put_node(struct kept_writer *w, const struct tree_node *node)
{
	kept_put_u32(w, (uint32_t)node->kind << 1 | node->executable);
	kept_put(w, &node->ref, sizeof(node->ref));
	kept_put_str(w, node->kind == NODE_LINK ? node->target : NULL);
}

static void take_node(struct kept *file, struct tree_node *ret)
{
	uint32_t kind = kept_take_u32(file);

	*ret = (struct tree_node){ .name = "" };
	ret->kind = (enum node_kind)(kind >> 1);
	ret->executable = kind & 1;
	kept_take_into(file, &ret->ref, sizeof(ret->ref));
	ret->target = kept_take_str(file);
}

static void put_result(struct kept_writer *w, const struct result *result)
{
	struct result plain = *result;

	plain.outputs = NULL;
	kept_put(w, &plain, sizeof(plain));
	for (size_t i = 0; i < result->n_outputs; i++) {
		kept_put_str(w, result->outputs[i].path);
		put_node(w, result->outputs[i].node);
	}
}

/* Its texts are the arena's: the file is gone before what is done with a result. */
static void take_result(struct kept *file, struct arena *arena, struct result *ret)
{
	struct tree_node *nodes;

	kept_take_into(file, ret, sizeof(*ret));
	if (ret->n_outputs > file->n - file->at)
		file->bad = true;
	if (file->bad)
		return;
	ret->outputs = arena_array(arena, ret->n_outputs, sizeof(*ret->outputs));
	nodes = arena_array(arena, ret->n_outputs, sizeof(*nodes));
	for (size_t i = 0; i < ret->n_outputs; i++) {
		ret->outputs[i].path = arena_str(arena, kept_take_str(file));
		ret->outputs[i].node = &nodes[i];
		take_node(file, &nodes[i]);
		nodes[i].target = arena_str(arena, nodes[i].target);
	}
}

/* ---- a run ---------------------------------------------------------------------------------- */

struct ledger *ledger_new(struct store *store, const struct buf *key)
{
	struct ledger *l = alloc(sizeof(*l));

	l->store = store;
	l->key = BUF_INIT(key->limit);
	l->bytes = BUF_INIT(BYTES_MOST);
	buf_add(&l->key, key->p, key->n);
	l->generation = "";
	for (int i = 0; i < N_PARTS; i++)
		kept_name(key, kinds[i].suffix, l->parts[i].name);
	return l;
}

struct ledger *ledger_free(struct ledger *l)
{
	if (!l)
		return NULL;
	for (int i = 0; i < N_PARTS; i++)
		kept_close(&l->parts[i].file);
	for (size_t i = 0; i < l->made.n; i++)
		buf_deinit(&l->made.v[i]);
	array_deinit(&l->made);
	buf_deinit(&l->key);
	buf_deinit(&l->bytes);
	free(l->entries);
	free(l);
	return NULL;
}

static bool open_part(struct ledger *l, enum part_name name)
{
	struct part *part = &l->parts[name];

	if (!kept_open(store_folder(l->store), part->name, kinds[name].magic, &l->key, &part->file))
		return false;
	kept_take_into(&part->file, part->generation, SNAPSHOT_GENERATION);
	return true;
}

static bool open_whole(struct ledger *l)
{
	struct part *part = &l->parts[WHOLE];

	if (!open_part(l, WHOLE))
		return false;
	kept_take_into(&part->file, &l->since, sizeof(l->since));
	l->generation = part->generation;
	return true;
}

/* Changes of the whole that is there, and of no other one. */
static bool open_changes(struct ledger *l)
{
	struct part *part = &l->parts[CHANGES];
	char of[SNAPSHOT_GENERATION];

	if (!open_part(l, CHANGES))
		return false;
	kept_take_into(&part->file, of, sizeof(of));
	if (memcmp(of, l->generation, sizeof(of)) != 0)
		return false;
	l->generation = part->generation;
	return true;
}

static bool still_holds(const struct ledger *l)
{
	const int64_t age = clock_real_us() - l->since;

	return l->before[0] && strcmp(l->generation, l->before) == 0 && age >= 0 &&
	       age < (int64_t)SECONDS * 1000000;
}

/* The parts of a record behind its address. */
struct record {
	const char *bytes; /* what its key is made of */
	size_t n_bytes;
	struct blob_ref action;
};

static bool take_record(struct kept *file, struct record *ret)
{
	ret->bytes = kept_take_text(file, &ret->n_bytes);
	kept_take_into(file, &ret->action, sizeof(ret->action));
	return !file->bad && ret->bytes;
}

/* Records are looked at one behind the other, or one before the other. */
static void go_near(struct part *part, size_t here)
{
	size_t far = here > part->near ? here - part->near : part->near - here;

	if (far < WINDOW)
		return;
	kept_rest(&part->file, 0, part->file.n);
	part->near = here;
}

/* A place in the file to take from: a node's record, whose result comes next. */
static bool open_record(struct ledger *l, size_t at, struct kept *ret_file, struct record *ret)
{
	struct part *part = &l->parts[l->entries[at].part];
	const size_t here = l->entries[at].at;

	*ret_file = part->file;
	ret_file->at = here;
	ret_file->bad = false;
	go_near(part, here);
	return here > 0 && take_record(ret_file, ret);
}

static void skip_outputs(struct kept *file, size_t n)
{
	for (size_t i = 0; !file->bad && i < n; i++) {
		struct tree_node node;

		(void)kept_take_str(file);
		take_node(file, &node);
	}
}

/* What the store would say of an address. */
static void tell_last(const struct record *record, const struct result *result,
                      struct engine_node *node)
{
	node->last = record->action.digest;
	node->estimate = result->wall_us;
}

/* The node of a plan that a record is of. NULL: it gets no key, or, of another recipe than that, it stands
 * elsewhere. */
static struct entry *entry_of(struct ledger *l, uint32_t at, const char *address)
{
	if (at >= l->plan->n_nodes || !l->plan->nodes[at].wanted || l->plan->nodes[at].pinned ||
	    strcmp(l->plan->nodes[at].stage->address, address) != 0)
		return NULL;
	return &l->entries[at];
}

/* One record. False: there are no more. */
static bool read_record(struct ledger *l, enum part_name name, struct engine_node *nodes)
{
	struct kept *file = &l->parts[name].file;
	uint32_t at = kept_take_u32(file);
	const char *address = kept_take_str(file);
	const size_t here = file->at;
	struct result result;
	struct record record;
	struct entry *entry;

	if (!address || !take_record(file, &record))
		return false;
	kept_take_into(file, &result, sizeof(result));
	skip_outputs(file, result.n_outputs);
	if (file->bad)
		return false;
	entry = entry_of(l, at, address);
	if (!entry) {
		l->n_strange++;
		return true;
	}
	l->n_known += !entry->at;
	entry->at = here;
	entry->part = name;
	if (l->holds)
		tell_last(&record, &result, &nodes[at]);
	return true;
}

static void read_all(struct ledger *l, enum part_name name, struct engine_node *nodes)
{
	struct part *part = &l->parts[name];

	while (part->file.at < part->file.n && read_record(l, name, nodes))
		go_near(part, part->file.at);
}

void ledger_begin(struct ledger *l, const struct plan *plan, struct engine_node *nodes)
{
	bool changed;

	l->plan = plan;
	l->entries = alloc_array(plan->n_nodes, sizeof(*l->entries));
	for (size_t i = 0; i < plan->n_wanted; i++)
		l->n_wanted += !plan->nodes[plan->order[i]].pinned;
	if (!store_generation(l->store, l->before))
		l->before[0] = '\0';
	if (!open_whole(l))
		return;
	changed = open_changes(l);
	l->holds = still_holds(l);
	read_all(l, WHOLE, nodes);
	if (changed)
		read_all(l, CHANGES, nodes);
}

bool ledger_knows_all(const struct ledger *l)
{
	return l->holds && l->n_known == l->n_wanted;
}

/* They are wanted again when the run has ended. Of many that is more work, and not more memory. */
static void keep_made(struct ledger *l, size_t at)
{
	struct entry *entry = &l->entries[at];
	struct buf *copy;

	if (!entry->made) {
		if (l->n_made + l->bytes.n > MADE_MOST)
			return;
		array_push(&l->made, (struct buf)BUF_INIT(BYTES_MOST));
		entry->made = (uint32_t)l->made.n;
	}
	copy = &l->made.v[entry->made - 1];
	l->n_made -= copy->n;
	buf_clear(copy);
	buf_add(copy, l->bytes.p, l->bytes.n);
	l->n_made += copy->n;
}

bool ledger_key(struct ledger *l, size_t at, const struct placement *placements,
                struct blob_ref *ret_action)
{
	struct record record;
	struct kept file;

	if (!open_record(l, at, &file, &record) || !make_bytes(l, at, placements))
		return false;
	if (l->bytes.n != record.n_bytes || memcmp(l->bytes.p, record.bytes, record.n_bytes) != 0) {
		keep_made(l, at);
		return false;
	}
	*ret_action = record.action;
	l->entries[at].given = true;
	l->n_keys++;
	return true;
}

int ledger_result(struct ledger *l, size_t at, struct arena *arena, const struct result **ret,
                  struct err *err)
{
	struct record record;
	struct result result;
	struct kept file;
	int rc;

	if (!l->holds || !l->entries[at].given || !open_record(l, at, &file, &record))
		return STORE_MISS;
	take_result(&file, arena, &result);
	if (file.bad)
		return STORE_MISS;
	rc = store_has_content(l->store, &result, err);
	l->entries[at].taken = rc == 0;
	if (rc == 0)
		*ret = arena_dup(arena, &result, sizeof(result));
	return rc;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* The bytes of a node's key that are at hand. */
static bool bytes_known(struct ledger *l, size_t at)
{
	const struct entry *entry = &l->entries[at];
	struct record record;
	struct kept file;

	buf_clear(&l->bytes);
	if (entry->given && open_record(l, at, &file, &record))
		buf_add(&l->bytes, record.bytes, record.n_bytes);
	else if (entry->made)
		buf_add(&l->bytes, l->made.v[entry->made - 1].p, l->made.v[entry->made - 1].n);
	return l->bytes.n > 0;
}

/* The bytes of a node's key, in l->bytes. */
static bool bytes_again(struct ledger *l, size_t at, ledger_find_fn find, void *data)
{
	_cleanup_arena_ struct arena *arena = NULL;
	struct placement *placements;
	struct err ignored = ERR_INIT;

	if (bytes_known(l, at))
		return true;
	arena = arena_new();
	placements = arena_array(arena, l->plan->nodes[at].n_inputs, sizeof(*placements));
	return find(data, at, arena, placements, &ignored) == 0 && make_bytes(l, at, placements);
}

/* As it is, where all that it says was said by it. */
static bool copy_record(struct ledger *l, struct kept_writer *w, size_t at)
{
	const size_t address_n = strlen(l->plan->nodes[at].stage->address);
	const size_t head = sizeof(uint32_t) + sizeof(uint32_t) + address_n + 1;
	struct record record;
	struct result result;
	struct kept file;

	if (!l->entries[at].taken || !open_record(l, at, &file, &record))
		return false;
	kept_take_into(&file, &result, sizeof(result));
	skip_outputs(&file, result.n_outputs);
	kept_put(w, file.p + l->entries[at].at - head, file.at - l->entries[at].at + head);
	return true;
}

static void write_record(struct ledger *l, struct kept_writer *w, size_t at,
                         const struct engine_node *node)
{
	const struct blob_ref action = { node->action, node->action_size };

	kept_put_u32(w, (uint32_t)at);
	kept_put_str(w, l->plan->nodes[at].stage->address);
	kept_put_text(w, l->bytes.p, l->bytes.n);
	kept_put(w, &action, sizeof(action));
	put_result(w, node->result);
}

/* False: it is not known any more. */
static bool keep_record(struct ledger *l, struct kept_writer *w, size_t at,
                        const struct engine_node *node, ledger_find_fn find, void *data)
{
	if (copy_record(l, w, at))
		return true;
	if (!node->result || node->dev || !bytes_again(l, at, find, data))
		return false;
	write_record(l, w, at, node);
	return true;
}

/* Whether its record in the whole is as it was. */
static bool stays(const struct ledger *l, size_t at)
{
	return l->entries[at].taken && l->entries[at].part == WHOLE;
}

/* Few changes, beside a whole of which all else is known to be as it was. */
static bool changes_are_few(const struct ledger *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->plan->n_wanted; i++)
		n += !stays(l, l->plan->order[i]) && !l->plan->nodes[l->plan->order[i]].pinned;
	return l->holds && l->n_strange == 0 && n * CHANGES_ARE_FEW <= l->n_wanted;
}

static bool write_changes(struct ledger *l, const char *generation,
                          const struct engine_node *nodes, ledger_find_fn find, void *data)
{
	const struct part *part = &l->parts[CHANGES];
	struct kept_writer *w =
		kept_new(store_folder(l->store), kinds[CHANGES].magic, &l->key);
	bool whole = true;

	kept_put(w, generation, SNAPSHOT_GENERATION);
	kept_put(w, l->parts[WHOLE].generation, SNAPSHOT_GENERATION);
	for (size_t i = 0; whole && i < l->plan->n_wanted; i++) {
		size_t at = l->plan->order[i];

		if (!stays(l, at) && !l->plan->nodes[at].pinned)
			whole = keep_record(l, w, at, &nodes[at], find, data);
	}
	if (whole)
		kept_keep(w, part->name);
	kept_free(w);
	return whole;
}

static void write_whole(struct ledger *l, const char *generation, const struct engine_node *nodes,
                        ledger_find_fn find, void *data)
{
	const int64_t since = l->holds ? l->since : clock_real_us();
	struct kept_writer *w = kept_new(store_folder(l->store), kinds[WHOLE].magic, &l->key);

	kept_put(w, generation, SNAPSHOT_GENERATION);
	kept_put(w, &since, sizeof(since));
	for (size_t i = 0; i < l->plan->n_wanted; i++)
		(void)keep_record(l, w, l->plan->order[i], &nodes[l->plan->order[i]], find, data);
	kept_keep(w, l->parts[WHOLE].name);
	kept_free(w);
	kept_drop(store_folder(l->store), l->parts[CHANGES].name);
}

void ledger_end(struct ledger *l, const struct engine_node *nodes, ledger_find_fn find, void *data)
{
	char generation[SNAPSHOT_GENERATION + 1];

	if (!store_generation(l->store, generation) ||
	    (l->holds && l->n_keys == l->n_wanted && strcmp(generation, l->generation) == 0))
		return;
	if (!changes_are_few(l) || !write_changes(l, generation, nodes, find, data))
		write_whole(l, generation, nodes, find, data);
}
