/* Records are compared and read where they lie in the file. */
#include "engine/ledger.h"

#include "base/alloc.h"
#include "base/array.h"
#include "engine/engine.h"
#include "engine/ledger_bytes.h"
#include "engine/ledger_record.h"
#include "host/clock.h"
#include "snapshot/kept.h"

/* A day, so that results that are used are known as used. */
enum { SECONDS = 24 * 3600, WINDOW = 64 << 10, MADE_MOST = 1 << 20 };

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
	const char *generation; /* of the last part; "": there is none */
	int64_t since;          /* its oldest result was looked up then, real clock, us */
	bool opened;            /* its parts were looked for … */
	bool whole, changed;    /* … and these are there */
	bool holds;             /* its results are what they were */
	const struct plan *plan;
	struct entry *entries;     /* by node */
	size_t n_wanted;           /* nodes that get a key: what is pinned has none */
	size_t n_strange;          /* records of none of these */
	size_t n_known, n_keys;    /* … that have an entry; whose keys were given out */
	struct ledger_bytes bytes; /* of the key that is asked for */
	ARRAY(struct buf) made;    /* such bytes, of nodes that are others than they were */
	size_t n_made;             /* … altogether */
};

/* ---- a run ---------------------------------------------------------------------------------- */

struct ledger *ledger_new(struct store *store, const struct buf *key)
{
	struct ledger *l = alloc(sizeof(*l));

	l->store = store;
	l->key = BUF_INIT(key->limit);
	ledger_bytes_init(&l->bytes);
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
	ledger_bytes_deinit(&l->bytes);
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

static void open_parts(struct ledger *l)
{
	if (l->opened)
		return;
	l->opened = true;
	l->whole = open_whole(l);
	l->changed = l->whole && open_changes(l);
}

bool ledger_holds(struct ledger *l)
{
	char now[SNAPSHOT_GENERATION + 1];
	int64_t age;

	open_parts(l);
	age = clock_real_us() - l->since;
	return l->whole && store_generation(l->store, now) && strcmp(l->generation, now) == 0 &&
	       age >= 0 && age < (int64_t)SECONDS * 1000000;
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
static bool open_record(struct ledger *l, size_t at, struct kept *ret_file,
                        struct ledger_record *ret)
{
	struct part *part = &l->parts[l->entries[at].part];
	const size_t here = l->entries[at].at;

	*ret_file = part->file;
	ret_file->at = here;
	ret_file->bad = false;
	go_near(part, here);
	return here > 0 && ledger_record_take(ret_file, ret);
}

/* What the store would say of an address. */
static void tell_last(const struct ledger_record *record, const struct result *result,
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
	struct ledger_record record;
	struct entry *entry;

	if (!address || !ledger_record_take(file, &record))
		return false;
	ledger_record_skip_result(file, &result);
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
	l->plan = plan;
	l->entries = alloc_array(plan->n_nodes, sizeof(*l->entries));
	for (size_t i = 0; i < plan->n_wanted; i++)
		l->n_wanted += !plan->nodes[plan->order[i]].pinned;
	l->holds = ledger_holds(l);
	if (l->whole)
		read_all(l, WHOLE, nodes);
	if (l->changed)
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
		if (l->n_made + l->bytes.text.n > MADE_MOST)
			return;
		array_push(&l->made, (struct buf)BUF_INIT(LEDGER_BYTES_MOST));
		entry->made = (uint32_t)l->made.n;
	}
	copy = &l->made.v[entry->made - 1];
	l->n_made -= copy->n;
	buf_clear(copy);
	buf_add(copy, l->bytes.text.p, l->bytes.text.n);
	l->n_made += copy->n;
}

bool ledger_key(struct ledger *l, size_t at, const struct placement *placements,
                struct blob_ref *ret_action)
{
	struct ledger_record record;
	struct kept file;

	if (!open_record(l, at, &file, &record) ||
	    !ledger_bytes_make(&l->bytes, l->plan, at, placements))
		return false;
	if (l->bytes.text.n != record.n_bytes ||
	    memcmp(l->bytes.text.p, record.bytes, record.n_bytes) != 0) {
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
	struct ledger_record record;
	struct result result;
	struct kept file;
	int rc;

	if (!l->holds || !l->entries[at].given || !open_record(l, at, &file, &record))
		return STORE_MISS;
	ledger_record_take_result(&file, arena, &result);
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
	struct ledger_record record;
	struct kept file;

	buf_clear(&l->bytes.text);
	if (entry->given && open_record(l, at, &file, &record))
		buf_add(&l->bytes.text, record.bytes, record.n_bytes);
	else if (entry->made)
		buf_add(&l->bytes.text, l->made.v[entry->made - 1].p, l->made.v[entry->made - 1].n);
	return l->bytes.text.n > 0;
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
	return find(data, at, arena, placements, &ignored) == 0 &&
	       ledger_bytes_make(&l->bytes, l->plan, at, placements);
}

/* As it is, where all that it says was said by it. */
static bool copy_record(struct ledger *l, struct kept_writer *w, size_t at)
{
	struct ledger_record record;
	struct result result;
	struct kept file;

	if (!l->entries[at].taken || !open_record(l, at, &file, &record))
		return false;
	ledger_record_skip_result(&file, &result);
	ledger_record_copy(w, at, l->plan->nodes[at].stage->address, &file, l->entries[at].at);
	return true;
}

/* False: it is not known any more. */
static bool keep_record(struct ledger *l, struct kept_writer *w, size_t at,
                        const struct engine_node *node, ledger_find_fn find, void *data)
{
	if (copy_record(l, w, at))
		return true;
	if (!node->result || node->dev || !bytes_again(l, at, find, data))
		return false;
	ledger_record_put(w, at, l->plan->nodes[at].stage->address, &l->bytes.text,
	                  &(struct blob_ref){ node->action, node->action_size }, node->result);
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

static bool write_changes(struct ledger *l, const char *generation, const struct engine_node *nodes,
                          ledger_find_fn find, void *data)
{
	const struct part *part = &l->parts[CHANGES];
	struct kept_writer *w = kept_new(store_folder(l->store), kinds[CHANGES].magic, &l->key);
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
