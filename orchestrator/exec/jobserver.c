/*
 * A fifo a stage. What is in it is asked for by FIONREAD and taken out by reads that do not block, so
 * a stage that races with us takes a token or leaves it, and the counts stay right either way.
 */
#include "exec/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "host/clock.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/tmpfile.h"
#include "sandbox/identity.h"

/* An offer stands for so long before it moves: what we write ourselves wakes us too, and two stages that
 * take nothing would be offered one token in turn for ever. */
enum { FLOOD = 4096, OFFER_US = 20000 };

struct client {
	uint64_t stage;
	char name[24]; /* its folder in js->dir */
	char *path;    /* the same, absolute */
	int fd;        /* the fifo, both ends */
	int given;     /* bytes put in, without those that we took out again */
	bool hungry;   /* it had nothing left when tokens were shared */
	bool cut;      /* it floods its fifo: nobody listens any more */
	struct jobserver_end end;
};

struct jobserver {
	char *work;    /* STORE/work */
	int parent_fd; /* … open */
	struct tmpdir dir;
	char *path; /* of dir; no fifo was made yet: NULL */
	int epoll_fd;
	ARRAY(struct client) clients;
	ARRAY(struct client) idle; /* fifos of stages that have ended, for the next */
	unsigned int counter;
	int64_t moved_us; /* when offers were moved last */
};

/* ---- one fifo ------------------------------------------------------------------------------- */

/* Takes at most n bytes out; how many there were. */
static int take_out(struct client *c, int n)
{
	char bytes[256];
	int taken = 0;

	while (taken < n) {
		size_t want = (size_t)(n - taken);
		ssize_t got = read(c->fd, bytes, want < sizeof(bytes) ? want : sizeof(bytes));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		taken += (int)got;
	}
	return taken;
}

static void put_in(struct client *c)
{
	if (write(c->fd, "+", 1) == 1)
		c->given++;
	else
		c->hungry = false; /* it is full: of something else than tokens */
}

/* How many of its tokens lie in the fifo. More than were given are not tokens: they are dropped. */
static int offered(struct client *c)
{
	int n = 0;

	if (c->cut || ioctl(c->fd, FIONREAD, &n) < 0)
		return 0;
	if (n > c->given) {
		int dropped = take_out(c, n - c->given);

		c->end.surplus += dropped;
		n -= dropped;
	}
	return n < c->given ? n : c->given;
}

static int lent(struct client *c)
{
	int n = c->given - offered(c);

	if (n > c->end.most)
		c->end.most = n;
	return n;
}

/* ---- sharing -------------------------------------------------------------------------------- */

static int all_given(const struct jobserver *js)
{
	int n = 0;

	for (size_t i = 0; i < js->clients.n; i++)
		n += js->clients.v[i].given;
	return n;
}

/* Of those that took all they were offered, the one that has been given the fewest; NULL: none. */
static struct client *neediest(struct jobserver *js)
{
	struct client *best = NULL;

	for (size_t i = 0; i < js->clients.n; i++) {
		struct client *c = &js->clients.v[i];

		if (c->hungry && (!best || c->given < best->given))
			best = c;
	}
	return best;
}

/* Bytes that were never lent cost us time: from such a stage nothing is taken any more. */
static void cut_off(struct jobserver *js, struct client *c)
{
	c->cut = true;
	epoll_ctl(js->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
}

static bool find_hungry(struct jobserver *js)
{
	bool any = false;

	for (size_t i = 0; i < js->clients.n; i++) {
		struct client *c = &js->clients.v[i];

		lent(c); /* notes the most, drops what is none */
		if (c->end.surplus > FLOOD && !c->cut)
			cut_off(js, c);
		c->hungry = offered(c) == 0 && !c->cut;
		any |= c->hungry;
	}
	return any;
}

/* Takes offers back: all of those that are not hungry, or what is more than there is to offer. How many. */
static int withdraw_offers(struct jobserver *js, bool all, int tokens)
{
	int withdrawn = 0;

	for (size_t i = 0; i < js->clients.n; i++) {
		struct client *c = &js->clients.v[i];
		int most = all ? INT_MAX : all_given(js) - tokens, there = offered(c);

		if (most > 0) {
			int taken = take_out(c, most < there ? most : there);

			c->given -= taken;
			withdrawn += taken;
		}
	}
	return withdrawn;
}

void jobserver_share(struct jobserver *js, int tokens)
{
	struct epoll_event event;
	struct client *c;
	int64_t now = clock_mono_us();
	bool any, moves;

	while (epoll_wait(js->epoll_fd, &event, 1, 0) > 0)
		;
	any = find_hungry(js);
	moves = any && now - js->moved_us >= OFFER_US;
	if (withdraw_offers(js, moves, tokens) > 0)
		js->moved_us = now;
	for (int n = all_given(js); any && n < tokens && (c = neediest(js)); n++)
		put_in(c);
}

int jobserver_lent(struct jobserver *js)
{
	int n = 0;

	for (size_t i = 0; i < js->clients.n; i++)
		n += lent(&js->clients.v[i]);
	return n;
}

static struct client *find(struct jobserver *js, uint64_t stage)
{
	for (size_t i = 0; i < js->clients.n; i++)
		if (js->clients.v[i].stage == stage)
			return &js->clients.v[i];
	return NULL;
}

int jobserver_lent_to(struct jobserver *js, uint64_t stage)
{
	struct client *c = find(js, stage);

	return c ? lent(c) : 0;
}

int jobserver_fd(const struct jobserver *js)
{
	return js->epoll_fd;
}

/* ---- coming and going ----------------------------------------------------------------------- */

static int make_fifo(struct jobserver *js, struct client *c, struct err *err)
{
	_cleanup_free_ char *at = path_join(c->name, JOBSERVER_FILE);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	if (failpoint("jobs-fifo") || mkdirat(js->dir.fd, c->name, 0755) < 0 ||
	    mkfifoat(js->dir.fd, at, 0600) < 0)
		return err_sys(err, ERR_IO, "cannot make a fifo in %s", js->path);
	/* The build's user reads and writes it; the folder stays ours. */
	if (sandbox_drops() && (failpoint("jobs-owner") ||
	                        fchownat(js->dir.fd, at, sandbox_uid(), sandbox_gid(), 0) < 0))
		return err_sys(err, ERR_IO, "cannot give a fifo to the build's user");
	c->fd = openat(js->dir.fd, at, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (failpoint("jobs-open") || c->fd < 0 ||
	    epoll_ctl(js->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
		return err_sys(err, ERR_IO, "cannot open a fifo in %s", js->path);
	return 0;
}

static void client_deinit(struct jobserver *js, struct client *c)
{
	struct err ignored = ERR_INIT;

	fs_close(c->fd);
	fs_remove_tree(js->dir.fd, c->name, &ignored);
	free(c->path);
}

/* When the first stage needs it: most runs of a large graph start none. */
static int make_folder(struct jobserver *js, struct err *err)
{
	if (js->path)
		return 0;
	if (!js->dir.name && tmpdir_init(&js->dir, js->parent_fd, "jobs", err) < 0)
		return -1;
	/* Through it alone, as sandbox/spec.h wants it: what is above lets nobody in. */
	if (sandbox_drops() && (failpoint("jobs-folder") || fchmod(js->dir.fd, 0711) < 0))
		return err_sys(err, ERR_IO, "cannot open %s/%s to the build user", js->work,
		               js->dir.name);
	js->path = path_join(js->work, js->dir.name);
	return 0;
}

static int make_client(struct jobserver *js, struct client *ret, struct err *err)
{
	struct client c = { .fd = -1 };

	if (make_folder(js, err) < 0)
		return err_while(err, "opening the job server for a stage");
	snprintf(c.name, sizeof(c.name), "%u", js->counter++);
	c.path = path_join(js->path, c.name);
	if (make_fifo(js, &c, err) < 0) {
		client_deinit(js, &c);
		return err_while(err, "opening the job server for a stage");
	}
	*ret = c;
	return 0;
}

int jobserver_open(struct jobserver *js, uint64_t stage, const char **ret_dir, struct err *err)
{
	struct client c;

	if (js->idle.n)
		c = js->idle.v[--js->idle.n];
	else if (make_client(js, &c, err) < 0)
		return -1;
	c.stage = stage;
	*ret_dir = c.path;
	array_push(&js->clients, c);
	return 0;
}

/* A stage may change its fifo's mode, or put another one in its place: it is his. */
static bool is_as_made(const struct jobserver *js, const struct client *c)
{
	_cleanup_free_ char *at = path_join(c->name, JOBSERVER_FILE);
	struct stat ours, there;

	return fstat(c->fd, &ours) == 0 &&
	       fstatat(js->dir.fd, at, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       there.st_dev == ours.st_dev && there.st_ino == ours.st_ino &&
	       (ours.st_mode & 07777) == 0600;
}

void jobserver_close(struct jobserver *js, uint64_t stage, struct jobserver_end *ret)
{
	struct client *c = find(js, stage);

	*ret = (struct jobserver_end){ 0 };
	if (!c)
		return;
	c->end.kept = lent(c);
	*ret = c->end;
	if (c->cut || !is_as_made(js, c)) {
		client_deinit(js, c);
	} else {
		while (take_out(c, INT_MAX) > 0)
			;
		c->given = 0;
		c->end = (struct jobserver_end){ 0 };
		array_push(&js->idle, *c);
	}
	*c = js->clients.v[--js->clients.n];
}

int jobserver_new(const char *store_dir, struct jobserver **ret, struct err *err)
{
	struct jobserver *js = alloc(sizeof(*js));

	js->parent_fd = js->epoll_fd = -1;
	js->work = path_join(store_dir, "work");
	if (fs_make_dirs(AT_FDCWD, js->work, 0700, err) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, js->work, &js->parent_fd, err), js->work, err) < 0) {
		jobserver_free(js);
		return -1;
	}
	js->epoll_fd = failpoint("jobs-queue") ? -1 : epoll_create1(EPOLL_CLOEXEC);
	if (js->epoll_fd < 0) {
		err_sys(err, ERR_IO, "cannot make an event queue");
		jobserver_free(js);
		return -1;
	}
	*ret = js;
	return 0;
}

struct jobserver *jobserver_free(struct jobserver *js)
{
	if (!js)
		return NULL;
	for (size_t i = 0; i < js->clients.n; i++)
		client_deinit(js, &js->clients.v[i]);
	for (size_t i = 0; i < js->idle.n; i++)
		client_deinit(js, &js->idle.v[i]);
	array_deinit(&js->clients);
	array_deinit(&js->idle);
	tmpdir_deinit(&js->dir);
	fs_close(js->epoll_fd);
	fs_close(js->parent_fd);
	free(js->work);
	free(js->path);
	free(js);
	return NULL;
}
