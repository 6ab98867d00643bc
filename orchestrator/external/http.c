/*
 * Downloads with libcurl's easy interface. A resumed transfer trusts nothing: the digest of the
 * whole file decides, and when it is wrong after a resumption the file is fetched once more. Where
 * bytes belong is decided when the first of them comes, by the last of the heads before it: those of
 * redirections and interim answers say nothing.
 */
#define CURL_DISABLE_TYPECHECK
#include "external/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "external/crypto.h"
#include "external/curl_calls.h"
#include "host/fs.h"

enum {
	TRIES = 5,
	TRIES_MOST = 50,
	PAUSE_MS = 500,
	PAUSE_MOST_MS = 30000,
	STALL_MS = 30000,
	REDIRECTS = 10
};

static const uint64_t size_most = (uint64_t)16 << 30;

/* One file on its way. */
struct transfer {
	struct curl_calls calls;
	CURL *curl;
	const struct http_request *request;
	int fd;
	uint64_t have; /* bytes in the file */
	uint64_t most;
	bool resumed; /* part of the file came in an earlier try */
	char *etag;   /* of the first answer, when it is a strong one */
	long status;  /* of the last answer */
	int64_t from; /* where its Content-Range begins; -1 without one */
	bool begun;   /* it was decided where its body belongs */
	bool body;    /* the answer's body belongs to the file */
	bool astray;  /* a part of the file, but not the one that was asked for */
	bool too_large;
	struct err fault; /* of writing */
	char text[CURL_ERROR_SIZE];
};

static bool is_loopback(const char *host)
{
	return str_eq(host, "localhost") || str_eq(host, "[::1]") || str_eq(host, "::1") ||
	       (str_starts(host, "127.") && strspn(host, "0123456789.") == strlen(host));
}

/* *ret_plain: http to a loopback address. */
static int read_url(const struct curl_calls *calls, const char *url, bool *ret_plain,
                    struct err *err)
{
	char *scheme = NULL, *host = NULL;
	CURLU *parsed = calls->url();
	bool https, plain;

	bug_on(!parsed);
	if (calls->url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    calls->url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		scheme = NULL;
	else if (calls->url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		host = NULL;
	https = scheme && host && str_eq(scheme, "https");
	plain = scheme && host && str_eq(scheme, "http") && is_loopback(host);
	calls->free(scheme);
	calls->free(host);
	calls->url_cleanup(parsed);
	if (!https && !plain)
		return err_set(err, ERR_INPUT, "\"%s\" is no https address", url);
	*ret_plain = plain;
	return 0;
}

int http_check_url(const char *url, struct err *err)
{
	struct curl_calls calls;
	bool plain;

	return curl_calls_load(&calls, err) < 0 ? -1 : read_url(&calls, url, &plain, err);
}

/* "Content-Range: bytes 150000-299999/300000" */
static int64_t range_begin(const char *p, size_t n)
{
	_cleanup_free_ char *text = str_dup_n(p, n);
	const char *digits = text + strcspn(text, "0123456789");
	char *end;
	long long from;

	errno = 0;
	from = strtoll(digits, &end, 10);
	return strcasestr(text, "bytes") && end > digits && *end == '-' && !errno ? from : -1;
}

static void begin_body(struct transfer *transfer)
{
	transfer->begun = true;
	if (transfer->status == 200) {
		transfer->have = 0; /* the whole file (again) */
		transfer->resumed = false;
	}
	transfer->astray = transfer->status == 206 && transfer->from != (int64_t)transfer->have;
	transfer->body = transfer->status == 200 || (transfer->status == 206 && !transfer->astray);
}

static size_t take_header(char *p, size_t size, size_t n, void *data)
{
	struct transfer *transfer = data;
	size_t length = size * n;

	if (length > 5 && strncasecmp(p, "HTTP/", 5) == 0) {
		const char *blank = memchr(p, ' ', length);

		transfer->status = blank ? strtol(blank, NULL, 10) : 0;
		transfer->from = -1;
	}
	if (length > 14 && strncasecmp(p, "content-range:", 14) == 0)
		transfer->from = range_begin(p + 14, length - 14);
	if (length > 6 && strncasecmp(p, "etag:", 5) == 0 && transfer->status == 200) {
		while (length > 5 && (p[length - 1] == '\n' || p[length - 1] == '\r'))
			length--;
		for (p += 5, length -= 5; length > 0 && *p == ' '; length--)
			p++;
		free(transfer->etag);
		transfer->etag = *p == '"' ? str_dup_n(p, length) : NULL;
	}
	return size * n;
}

static size_t take_body(char *p, size_t size, size_t n, void *data)
{
	struct transfer *transfer = data;
	size_t length = size * n, done = 0;

	if (!transfer->begun)
		begin_body(transfer);
	if (transfer->astray)
		return 0;
	if (!transfer->body)
		return length; /* the page that comes with an error */
	if (transfer->have + length > transfer->most) {
		transfer->too_large = true;
		return 0;
	}
	if (transfer->have == 0 && ftruncate(transfer->fd, 0) < 0) {
		err_sys(&transfer->fault, ERR_IO, "cannot empty the file");
		return 0;
	}
	while (done < length) {
		ssize_t w = pwrite(transfer->fd, p + done, length - done,
		                   (off_t)(transfer->have + done));

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			err_sys(&transfer->fault, ERR_IO, "cannot write what %s sent",
			        transfer->request->url);
			return 0;
		}
		done += (size_t)w;
	}
	transfer->have += length;
	return length;
}

/* Before anything is sent: a redirection may lead from a server of this machine to an https address,
 * but not to plain http elsewhere. */
static int check_target(void *data, char *ip, char *local_ip, int port, int local_port)
{
	struct transfer *transfer = data;
	struct err ignored = ERR_INIT;
	char *url = NULL;

	(void)ip, (void)local_ip, (void)port, (void)local_port;
	if (transfer->calls.easy_getinfo(transfer->curl, CURLINFO_EFFECTIVE_URL, &url) ==
	            CURLE_OK &&
	    url && http_check_url(url, &ignored) == 0)
		return CURL_PREREQFUNC_OK;
	err_set(&transfer->fault, ERR_INPUT, "%s leads to %s, which is no https address",
	        transfer->request->url, url ? url : "an unknown address");
	return CURL_PREREQFUNC_ABORT;
}

/* About once a second, and whenever something came. */
static int on_progress(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total,
                       curl_off_t up)
{
	const struct transfer *transfer = data;
	struct work *work = transfer->request->work;

	(void)up_total, (void)up;
	if (transfer->body && total > 0)
		work->total = transfer->have + (uint64_t)(total - now);
	work->bytes = transfer->have;
	work_goes_on(work);
	return 0;
}

static void set_options(CURL *curl, struct transfer *transfer, bool plain)
{
	const struct http_request *request = transfer->request;
	__typeof__(&curl_easy_setopt) set = transfer->calls.easy_setopt;
	int64_t stall = request->stall_ms ? request->stall_ms : STALL_MS;

	set(curl, CURLOPT_URL, request->url);
	set(curl, CURLOPT_PROTOCOLS_STR, plain ? "http,https" : "https");
	set(curl, CURLOPT_REDIR_PROTOCOLS_STR, plain ? "http,https" : "https");
	if (plain)
		set(curl, CURLOPT_NOPROXY, "*");
	set(curl, CURLOPT_PREREQFUNCTION, check_target);
	set(curl, CURLOPT_PREREQDATA, transfer);
	set(curl, CURLOPT_FOLLOWLOCATION, 1L);
	set(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	set(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS);
	set(curl, CURLOPT_NOSIGNAL, 1L);
	set(curl, CURLOPT_USERAGENT, "kiln");
	set(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)stall);
	set(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	set(curl, CURLOPT_LOW_SPEED_TIME, (long)(stall < 1000 ? 1 : stall / 1000));
	set(curl, CURLOPT_HEADERFUNCTION, take_header);
	set(curl, CURLOPT_HEADERDATA, transfer);
	set(curl, CURLOPT_WRITEFUNCTION, take_body);
	set(curl, CURLOPT_WRITEDATA, transfer);
	set(curl, CURLOPT_ERRORBUFFER, transfer->text);
	if (request->work) {
		set(curl, CURLOPT_NOPROGRESS, 0L);
		set(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
		set(curl, CURLOPT_XFERINFODATA, transfer);
	}
}

static CURLcode perform(struct transfer *transfer, bool plain)
{
	const struct curl_calls *calls = &transfer->calls;
	CURL *curl = calls->easy_init();
	struct curl_slist *headers = NULL;
	_cleanup_free_ char *range = NULL, *condition = NULL;
	CURLcode code;

	bug_on(!curl);
	transfer->text[0] = '\0';
	transfer->status = 0;
	transfer->from = -1;
	transfer->begun = transfer->body = transfer->astray = false;
	transfer->curl = curl;
	set_options(curl, transfer, plain);
	/* Not CURLOPT_RESUME_FROM: a server without ranges sends the whole file, which is fine. */
	if (transfer->have > 0) {
		range = str_fmt("%llu-", (unsigned long long)transfer->have);
		calls->easy_setopt(curl, CURLOPT_RANGE, range);
		transfer->resumed = true;
		if (transfer->etag) {
			condition = str_fmt("If-Range: %s", transfer->etag);
			headers = calls->slist_append(headers, condition);
			calls->easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
		}
	}
	code = calls->easy_perform(curl);
	if (code == CURLE_OK && !transfer->begun)
		begin_body(transfer); /* an empty one */
	calls->slist_free_all(headers);
	calls->easy_cleanup(curl);
	return code;
}

static bool is_transient(CURLcode code, long status)
{
	switch (code) {
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_PARTIAL_FILE:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return true;
	case CURLE_OK:
		return status == 408 || status == 425 || status == 429 || status >= 500;
	default:
		return false;
	}
}

static int answer_fault(const struct transfer *transfer, CURLcode code, struct err *err)
{
	const char *url = transfer->request->url;
	const char *text = transfer->text[0] ? transfer->text : transfer->calls.easy_strerror(code);

	if (transfer->fault.code != ERR_NONE) {
		*err = transfer->fault;
		return -1;
	}
	if (transfer->too_large)
		return err_set(err, ERR_INPUT, "%s is larger than %llu bytes", url,
		               (unsigned long long)transfer->most);
	if (code == CURLE_OK && !is_transient(code, transfer->status)) {
		err_set(err, ERR_INPUT, "%s answers with status %ld", url, transfer->status);
		return err_hint(err,
		                "check the address: the server does not hand out the file there");
	}
	if (code == CURLE_OK) {
		err_set(err, ERR_IO, "%s answers with status %ld", url, transfer->status);
		return err_hint(err, "the server is in trouble: try again later");
	}
	err_set(err, ERR_IO, "cannot fetch %s: %s (%llu bytes arrived)", url, text,
	        (unsigned long long)transfer->have);
	return err_hint(err, "check the network and try again; with --offline Kiln uses only what "
	                     "its store holds");
}

static void rest(int64_t ms)
{
	struct timespec left = { ms / 1000, (ms % 1000) * 1000000 };

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Tries until the file is whole, no byte arrives any more, or a repetition is pointless. */
static int download(struct transfer *transfer, bool plain, struct err *err)
{
	const struct http_request *request = transfer->request;
	int tries = request->tries ? request->tries : TRIES, failed = 0;
	int64_t pause = request->pause_ms ? request->pause_ms : PAUSE_MS;

	for (int all = 1;; all++) {
		uint64_t before = transfer->have;
		CURLcode code = perform(transfer, plain);

		if (code == CURLE_OK && transfer->body)
			return 0;
		if (transfer->astray || (code == CURLE_OK && transfer->status == 416)) {
			transfer->have = 0; /* what is here is no part of that file: begin again */
			code = CURLE_PARTIAL_FILE;
		}
		failed = transfer->have > before ? 1 : failed + 1;
		if (failed >= tries || all >= TRIES_MOST || !is_transient(code, transfer->status) ||
		    transfer->fault.code != ERR_NONE || transfer->too_large)
			return answer_fault(transfer, code, err);
		rest(pause);
		pause = pause * 2 < PAUSE_MOST_MS ? pause * 2 : PAUSE_MOST_MS;
	}
}

static int check_digest(struct transfer *transfer, bool *ret_equal, struct blob_ref *ret_have,
                        struct err *err)
{
	if (lseek(transfer->fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot read again what %s sent",
		               transfer->request->url);
	if (digest_of_fd(transfer->fd, transfer->request->url, ret_have, err) < 0)
		return -1;
	*ret_equal = digest_is_none(&transfer->request->sha256) ||
	             digest_eq(&transfer->request->sha256, &ret_have->digest);
	return 0;
}

static int fetch(struct transfer *transfer, bool plain, struct err *err)
{
	bool equal = false, mixed = true;
	struct blob_ref got;

	for (int i = 0; i < 2 && !equal && mixed; i++) {
		if (download(transfer, plain, err) < 0)
			return -1;
		/* An empty file brings no body: nothing was written yet. */
		if (transfer->have == 0 && ftruncate(transfer->fd, 0) < 0)
			return err_sys(err, ERR_IO, "cannot empty the file");
		if (check_digest(transfer, &equal, &got, err) < 0)
			return -1;
		mixed = transfer->resumed;
		transfer->have = 0;
		transfer->resumed = false;
	}
	if (equal)
		return 0;
	err_set(err, ERR_INPUT,
	        "%s is not the pinned file: pinned sha256:%s, got sha256:%s (%llu "
	        "bytes)",
	        transfer->request->url, DIGEST_TEXT(&transfer->request->sha256),
	        DIGEST_TEXT(&got.digest), (unsigned long long)got.size);
	return err_hint(err, "find out why the file changed before you change the pin");
}

int http_fetch(const struct http_request *request, int fd, struct err *err)
{
	struct transfer transfer = { .request = request,
		                     .fd = fd,
		                     .most = request->most ? request->most : size_most };
	bool plain = false;
	int rc;

	if (curl_calls_load(&transfer.calls, err) < 0 ||
	    read_url(&transfer.calls, request->url, &plain, err) < 0)
		return -1;
	rc = fetch(&transfer, plain, err);
	free(transfer.etag);
	return rc;
}
