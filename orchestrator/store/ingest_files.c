/*
 * Reading what an ingest found. When it is much, forked children read: each takes the next few
 * files, opens them beneath the root as the walk would, writes their blobs, and leaves what it
 * found out in common memory.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "external/crypto.h"
#include "host/clock.h"
#include "host/crew.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/stamps.h"
#include "store/ingest_impl.h"

enum {
	/* From here on children are worth what they cost, a millisecond each. */
	MANY_FILES = 500,
	MUCH = 32 << 20,
	/* A large file is one claim; of small ones some are, at least half a millisecond's work. */
	LARGE = 1 << 20,
	FILES_A_CLAIM = 16,
};

/* What reading a file brought out. */
struct got {
	struct blob_ref ref;
	bool executable;
	bool settled; /* it was the same file from when it was listed to when it was read */
	bool stays;   /* hashed, and its blob is not there yet: it can be moved */
};

struct claim {
	size_t from, n; /* of the order */
};

struct reading {
	struct ingest *in;
	struct got *got; /* one for each found file; shared */
	size_t *order;   /* large files first, the largest first of all */
	ARRAY(struct claim) claims;
	int dir_fd; /* the folder of the file read last */
	const char *dir;
	int64_t began_us;
};

static bool same_stamps(const struct stat *a, const struct stat *b)
{
	const struct stamps x = stamps_of(a), y = stamps_of(b);

	return stamps_equal(&x, &y);
}

/* ---- one file ------------------------------------------------------------------------------- */

/* The folder that a file lies in, or what it was when it was listed. */
static int open_dir(struct reading *r, const struct found_file *file, int *ret_fd, struct err *err)
{
	int rc;

	if (!file->dir || (r->dir == file->dir && r->dir_fd >= 0)) {
		*ret_fd = file->dir ? r->dir_fd : r->in->root;
		return 0;
	}
	r->dir_fd = fs_close(r->dir_fd);
	rc = fs_open_beneath(r->in->root, file->dir[0] ? file->dir : ".", O_RDONLY | O_DIRECTORY, 0,
	                     true, &r->dir_fd, err);
	if (rc == FS_MISSING)
		return ingest_refuse(r->in, file->dir, "", "changed while it was read", err);
	if (rc < 0)
		return err_while(err, "taking %s into the store", r->in->shown);
	r->dir = file->dir;
	*ret_fd = r->dir_fd;
	return 0;
}

/* Opens a file that is still what a tree can hold. */
static int open_file(struct reading *r, const struct found_file *file, struct stat *st, int *ret_fd,
                     struct err *err)
{
	const char *name = file->node->name;
	_cleanup_fd_ int fd = -1;
	int dir = -1;

	if (open_dir(r, file, &dir, err) < 0)
		return -1;
	if (!failpoint("ingest-open"))
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st) < 0)
		return ingest_cannot(r->in, "open", file->dir, name, err);
	if (ingest_check(r->in, file->dir, name, st, err) < 0)
		return -1;
	if (!S_ISREG(st->st_mode))
		return ingest_refuse(r->in, file->dir, name, "changed while it was read", err);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static int read_file(struct reading *r, size_t i, struct err *err)
{
	const struct found_file *file = &r->in->found.v[i];
	struct got *got = &r->got[i];
	_cleanup_fd_ int fd = -1;
	struct stat st, after;
	int rc;

	if (open_file(r, file, &st, &fd, err) < 0)
		return -1;
	got->stays = r->in->options->moves && blobs_movable(r->in->blobs, fd, &st);
	rc = got->stays ? digest_of_fd(fd, file->node->name, &got->ref, err) :
	                  blobs_put_fd(r->in->blobs, fd, file->node->name, &got->ref, err);
	if (rc < 0)
		return -1;
	got->executable = (st.st_mode & S_IXUSR) != 0;
	if (r->in->stamps || got->stays)
		got->settled = same_stamps(&file->st, &st) && fstat(fd, &after) == 0 &&
		               same_stamps(&st, &after) && (uint64_t)st.st_size == got->ref.size;
	if (got->stays && !got->settled)
		return ingest_refuse(r->in, file->dir, file->node->name,
		                     "changed while it was read", err);
	return 0;
}

static int read_claim(void *data, size_t n, struct err *err)
{
	struct reading *r = data;
	const struct claim *claim = &r->claims.v[n];

	for (size_t i = 0; i < claim->n; i++)
		if (read_file(r, r->order[claim->from + i], err) < 0)
			return -1;
	return 0;
}

/* ---- who reads what ------------------------------------------------------------------------- */

static int cmp_size(const void *a, const void *b, void *data)
{
	const struct found_file *found = data;
	off_t x = found[*(const size_t *)a].st.st_size, y = found[*(const size_t *)b].st.st_size;

	return x == y ? 0 : x > y ? -1 : 1;
}

/* The largest first, so that none is left for the end; small ones as they lie beside each other. */
static void share_out(struct reading *r)
{
	const struct found_file *found = r->in->found.v;
	size_t n = r->in->found.n, n_large = 0, at = 0;

	r->order = alloc_array(n, sizeof(*r->order));
	for (size_t i = 0; i < n; i++)
		if (found[i].st.st_size >= LARGE)
			r->order[n_large++] = i;
	if (n_large > 1)
		qsort_r(r->order, n_large, sizeof(*r->order), cmp_size, (void *)found);
	at = n_large;
	for (size_t i = 0; i < n; i++)
		if (found[i].st.st_size < LARGE)
			r->order[at++] = i;
	for (at = 0; at < n_large; at++)
		array_push(&r->claims, ((struct claim){ at, 1 }));
	for (; at < n; at += FILES_A_CLAIM)
		array_push(&r->claims,
		           ((struct claim){ at, n - at < FILES_A_CLAIM ? n - at : FILES_A_CLAIM }));
}

static size_t n_children(const struct reading *r, size_t n_fds)
{
	const struct ingest *in = r->in;
	size_t most = crew_processors();
	uint64_t bytes = 0;

	for (size_t i = 0; i < in->found.n; i++)
		bytes += (uint64_t)in->found.v[i].st.st_size;
	if (n_fds == 0 || (in->found.n < MANY_FILES && bytes < MUCH))
		return 0;
	return in->options->children && in->options->children < most ? in->options->children : most;
}

static void begin_child(void *data)
{
	blobs_forked(((struct reading *)data)->in->blobs);
}

static void end_child(void *data)
{
	blobs_free(((struct reading *)data)->in->blobs);
}

static int read_all(struct reading *r, struct err *err)
{
	_cleanup_free_ char *what = str_fmt("reading %s", r->in->shown);
	int fds[BLOBS_FDS + 1];
	size_t n_fds = blobs_descriptors(r->in->blobs, fds);
	struct crew_spec spec = { .what = what,
		                  .n_children = n_children(r, n_fds),
		                  .n_claims = r->claims.n,
		                  .keep_fds = fds,
		                  .n_keep_fds = n_fds + 1,
		                  .begin = begin_child,
		                  .work = read_claim,
		                  .end = end_child,
		                  .data = r };

	fds[n_fds] = r->in->root;
	return crew_run(&spec, err);
}

/* ---- what came of it ------------------------------------------------------------------------ */

static void note_move(struct ingest *in, const struct found_file *file, const struct got *got)
{
	_cleanup_free_ char *dir = file->dir ? path_join(in->base, file->dir) : NULL;

	array_push(&in->options->moves->list,
	           ((struct move){ file->dir ? path_join(dir, file->node->name) : str_dup(in->base),
	                           file->st, got->ref }));
}

static int take_got(const struct reading *r, size_t i, struct err *err)
{
	struct ingest *in = r->in;
	const struct found_file *file = &in->found.v[i];
	const struct got *got = &r->got[i];

	file->node->ref = got->ref;
	file->node->executable = got->executable;
	if (in->options->non_empty && got->ref.size == 0)
		return ingest_refuse(in, file->dir, file->node->name,
		                     "is empty, but content is needed", err);
	if (got->stays)
		note_move(in, file, got);
	if (in->stamps && got->settled && !got->stays)
		in->stamps->note(in->stamps, &file->st, r->began_us, &got->ref);
	return 0;
}

int ingest_read_found(struct ingest *in, struct err *err)
{
	struct reading r = { .in = in, .dir_fd = -1, .began_us = clock_real_us() };
	size_t size = in->found.n * sizeof(*r.got);
	void *memory = NULL;
	int rc = 0;

	if (in->found.n == 0)
		return 0;
	if (crew_share(size, &memory, err) < 0)
		return -1;
	r.got = memory;
	share_out(&r);
	rc = read_all(&r, err);
	for (size_t i = 0; rc == 0 && i < in->found.n; i++)
		rc = take_got(&r, i, err);
	in->found.n = 0;
	fs_close(r.dir_fd);
	array_deinit(&r.claims);
	free(r.order);
	crew_unshare(memory, size);
	return rc;
}
