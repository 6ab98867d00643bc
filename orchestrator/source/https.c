/* One file by address and digest. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "external/http.h"
#include "host/fs.h"
#include "source/fetcher.h"

/* "https://user:token@host/": it would stand in lock and provenance. */
static bool has_user(const char *url)
{
	const char *host = strstr(url, "://");
	size_t n = host ? strcspn(host + 3, "/?#") : 0;

	return n > 0 && memchr(host + 3, '@', n) != NULL;
}

static int https_key(const struct fetch *fetch, json_t *key, bool *ret_pinned, struct err *err)
{
	struct digest digest;
	const char *url;

	if (fetch_str(fetch, "url", &url, err) < 0 ||
	    fetch_digest(fetch, "sha256", &digest, err) < 0)
		return -1;
	if (digest_is_none(&digest)) {
		err_set(err, ERR_INPUT, "%s: the source \"%s\" has no sha256", fetch->where,
		        fetch->request->id);
		return err_hint(err, "name the digest of the file you mean: sha256 = \"…\"");
	}
	if (http_check_url(url, err) < 0)
		return err_while(err, "reading the source \"%s\" (%s)", fetch->request->id,
		                 fetch->where);
	if (has_user(url)) {
		err_set(err, ERR_INPUT,
		        "%s: the address of the source \"%s\" names a user or a password",
		        fetch->where, fetch->request->id);
		return err_hint(err,
		                "addresses stand in kiln.lock and in the provenance: serve the "
		                "file without, its sha256 is what counts");
	}
	/* The address is no part of the content: a file moves, its digest does not. */
	fetch_set_digest(key, "sha256", &digest);
	*ret_pinned = true;
	return 0;
}

static int https_run(const struct fetch *fetch, struct tree_node *ret_node, json_t *fact,
                     struct err *err)
{
	struct work work;
	struct http_request request = { .work = &work };
	_cleanup_free_ char *path = NULL;
	_cleanup_fd_ int parent = -1, file = -1;
	struct tmpdir dir;
	struct blob_ref ref;
	int rc;

	if (fetch_str(fetch, "url", &request.url, err) < 0 ||
	    fetch_digest(fetch, "sha256", &request.sha256, err) < 0)
		return -1;
	if (fetch->request->offline) {
		err_set(err, ERR_IO,
		        "%s: the source \"%s\" is not in the store, and --offline "
		        "forbids to fetch %s",
		        fetch->where, fetch->request->id, request.url);
		return err_hint(err, "run once without --offline");
	}
	if (fetch_tmpdir(fetch, &dir, &parent, &path, err) < 0)
		return -1;
	work_begin(&work, fetch->log, "fetching %s", request.url);
	rc = tmpfile_open(dir.fd, request.url, &file, err);
	if (rc == 0)
		rc = http_fetch(&request, file, err);
	work_end(&work, rc);
	if (rc == 0 && lseek(file, 0, SEEK_SET) < 0)
		rc = err_sys(err, ERR_IO, "cannot read again what %s sent", request.url);
	if (rc == 0)
		rc = blobs_put_fd(store_blobs(fetch->store), file, request.url, &ref, err);
	tmpdir_deinit(&dir);
	if (rc < 0)
		return -1;
	*ret_node = (struct tree_node){ .kind = NODE_FILE, .ref = ref };
	json_object_set_new(fact, "uri", json_string(request.url));
	fetch_set_digest(fact, "digest", &ref.digest);
	return 0;
}

const struct fetcher fetcher_https = { "https", true, https_key, https_run };
