/* Requests to runners and their replies as bytes. */
#include "exec/wire.h"

#include <string.h>

static void put_u64(struct buf *buf, uint64_t v)
{
	buf_add(buf, &v, sizeof(v));
}

static void put_bytes(struct buf *buf, const void *p, size_t n)
{
	put_u64(buf, n);
	if (n)
		buf_add(buf, p, n);
}

static void put_text(struct buf *buf, const char *s)
{
	put_bytes(buf, s ? s : "", s ? strlen(s) : 0);
}

/* Takes from the front; sets *bad and gives zeroes once the bytes do not suffice. */
static void take_raw(struct str *in, void *out, size_t n, bool *bad)
{
	memset(out, 0, n);
	if (*bad || in->n < n) {
		*bad = true;
		return;
	}
	memcpy(out, in->p, n);
	in->p += n;
	in->n -= n;
}

static uint64_t take_u64(struct str *in, bool *bad)
{
	uint64_t v;

	take_raw(in, &v, sizeof(v), bad);
	return v;
}

static struct str take_bytes(struct str *in, bool *bad)
{
	uint64_t n = take_u64(in, bad);
	struct str part = { in->p, 0 };

	if (*bad || n > in->n) {
		*bad = true;
		return part;
	}
	part.n = n;
	in->p += n;
	in->n -= n;
	return part;
}

static char *take_text(struct arena *arena, struct str *in, bool *bad)
{
	struct str part = take_bytes(in, bad);

	return arena_str_n(arena, part.p ? part.p : "", part.n);
}

static void put_network(struct buf *buf, const struct sandbox_network *network)
{
	put_u64(buf, network != NULL);
	if (!network)
		return;
	put_text(buf, network->ca);
	put_u64(buf, network->n_env);
	for (size_t i = 0; i < network->n_env; i++) {
		put_text(buf, network->env[i].name);
		put_text(buf, network->env[i].value);
	}
}

static const struct sandbox_network *take_network(struct arena *arena, struct str *in, bool *bad)
{
	struct sandbox_network *network;
	struct action_env *env;
	uint64_t n;

	if (!take_u64(in, bad))
		return NULL;
	network = arena_alloc(arena, sizeof(*network));
	network->ca = take_text(arena, in, bad);
	if (!*network->ca)
		network->ca = NULL;
	n = take_u64(in, bad);
	if (*bad || n > WIRE_REQUEST_MAX / sizeof(uint64_t)) {
		*bad = true;
		return NULL;
	}
	env = arena_array(arena, n, sizeof(*env));
	for (uint64_t i = 0; i < n; i++) {
		env[i].name = take_text(arena, in, bad);
		env[i].value = take_text(arena, in, bad);
	}
	network->env = env;
	network->n_env = n;
	return network;
}

void wire_put_request(const struct runner_request *r, struct buf *buf)
{
	put_text(buf, r->store_dir);
	put_text(buf, r->images_dir);
	put_text(buf, r->runtime);
	put_text(buf, r->address);
	buf_add(buf, r->action.bytes, sizeof(r->action.bytes));
	put_u64(buf, r->action_size);
	put_u64(buf, (uint64_t)r->epoch);
	put_u64(buf, (uint64_t)r->timeout_ms);
	put_u64(buf, (uint64_t)r->jobs);
	put_u64(buf, (uint64_t)r->nice);
	put_text(buf, r->dev);
	put_u64(buf, (uint64_t)r->jobs_style);
	put_text(buf, r->jobs_dir);
	put_u64(buf, (uint64_t)r->memory);
	put_u64(buf, (uint64_t)r->disk);
	put_u64(buf, (uint64_t)r->processes);
	put_u64(buf, r->paranoid);
	put_u64(buf, r->said);
	put_network(buf, r->network);
}

int wire_take_request(struct arena *arena, struct str bytes, struct runner_request *ret,
                      struct err *err)
{
	struct str in = bytes;
	struct runner_request r = { 0 };
	bool bad = false;

	r.store_dir = take_text(arena, &in, &bad);
	r.images_dir = take_text(arena, &in, &bad);
	r.runtime = take_text(arena, &in, &bad);
	r.address = take_text(arena, &in, &bad);
	take_raw(&in, r.action.bytes, sizeof(r.action.bytes), &bad);
	r.action_size = take_u64(&in, &bad);
	r.epoch = (int64_t)take_u64(&in, &bad);
	r.timeout_ms = (int64_t)take_u64(&in, &bad);
	r.jobs = (int)take_u64(&in, &bad);
	r.nice = (int)take_u64(&in, &bad);
	r.dev = take_text(arena, &in, &bad);
	r.jobs_style = (enum jobserver_style)take_u64(&in, &bad);
	r.jobs_dir = take_text(arena, &in, &bad);
	r.memory = (int64_t)take_u64(&in, &bad);
	r.disk = (int64_t)take_u64(&in, &bad);
	r.processes = (int64_t)take_u64(&in, &bad);
	r.paranoid = take_u64(&in, &bad) != 0;
	r.said = take_u64(&in, &bad) != 0;
	r.network = take_network(arena, &in, &bad);
	if (bad || in.n)
		return err_set(err, ERR_BUG, "malformed request to a runner");
	*ret = r;
	return 0;
}

/* What a message to the main process is; no reply begins like a line. */
enum { SAID = 0x5a1d, REPLY };

void wire_put_said(const char *line, struct buf *buf)
{
	put_u64(buf, SAID);
	put_text(buf, line);
}

size_t wire_take_said(struct str bytes, struct str *ret)
{
	struct str in = bytes;
	size_t taken = 0;

	for (;;) {
		bool bad = false;
		bool said = take_u64(&in, &bad) == SAID;
		struct str line = said ? take_bytes(&in, &bad) : in;

		if (bad || !said)
			return taken;
		*ret = line;
		taken = bytes.n - in.n;
	}
}

void wire_put_reply(struct runner_reply *r, struct buf *buf)
{
	struct buf result = BUF_INIT(WIRE_REPLY_MAX);

	put_u64(buf, REPLY);
	put_u64(buf, (uint64_t)r->status);
	put_text(buf, r->why);
	put_u64(buf, r->outside);
	put_u64(buf, r->copied);
	put_u64(buf, (uint64_t)r->err.code);
	put_u64(buf, (uint64_t)r->err.sys);
	put_text(buf, r->err.cause);
	put_text(buf, r->err.trail);
	put_text(buf, r->err.hint);
	result_encode(&r->result, &result);
	bug_on(result.overflow);
	put_bytes(buf, result.p, result.n);
	put_u64(buf, r->bytes_in);
	put_u64(buf, r->bytes_out);
	put_text(buf, "end");
	buf_deinit(&result);
}

static void take_fixed(struct str *in, char *out, size_t size, bool *bad)
{
	struct str part = take_bytes(in, bad);
	size_t n = part.n < size ? part.n : size - 1;

	memcpy(out, part.p ? part.p : "", n);
	out[n] = '\0';
}

int wire_take_reply(struct arena *arena, struct str bytes, struct runner_reply *ret,
                    struct err *err)
{
	struct str in = bytes;
	struct runner_reply r = { .err = ERR_INIT };
	struct str result, end;
	bool bad = false;

	bad = take_u64(&in, &bad) != REPLY || bad;
	r.status = (enum exec_status)take_u64(&in, &bad);
	r.why = take_text(arena, &in, &bad);
	r.outside = take_u64(&in, &bad) != 0;
	r.copied = take_u64(&in, &bad) != 0;
	r.err.code = (enum err_code)take_u64(&in, &bad);
	r.err.sys = (int)take_u64(&in, &bad);
	take_fixed(&in, r.err.cause, sizeof(r.err.cause), &bad);
	take_fixed(&in, r.err.trail, sizeof(r.err.trail), &bad);
	take_fixed(&in, r.err.hint, sizeof(r.err.hint), &bad);
	result = take_bytes(&in, &bad);
	r.bytes_in = take_u64(&in, &bad);
	r.bytes_out = take_u64(&in, &bad);
	end = take_bytes(&in, &bad);
	if (bad || in.n || !str_same(end, STR("end")))
		return err_set(err, ERR_IO, "a runner ended in the middle of its answer");
	if (result_decode(arena, result, &r.result, err) < 0)
		return -1;
	if (!*r.why)
		r.why = NULL;
	*ret = r;
	return 0;
}
