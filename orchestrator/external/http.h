#ifndef KILN_EXTERNAL_HTTP_H
#define KILN_EXTERNAL_HTTP_H

#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/log.h"

/*
 * Files over https, by digest (libcurl). Plain http is taken from a loopback address alone, for
 * tests and local servers; no other scheme at all. A transfer that breaks is taken up where it
 * ended and tried again with growing pauses; what no repetition mends fails at once.
 */
struct http_request {
	const char *url;
	struct digest sha256; /* what the file must be; none: anything */
	uint64_t most;        /* bytes; 0: 16 GiB */
	int tries;            /* in a row without a new byte; 0: 5 */
	int64_t pause_ms;     /* before the second try, then doubled; 0: 500 */
	int64_t stall_ms;     /* without a byte; 0: 30 s */
	struct work *work;    /* is told how far it is; or NULL */
};

/* Whether the address may be asked at all: else ERR_INPUT. */
int http_check_url(const char *url, struct err *err);
/*
 * Writes the file into `fd` (empty, open for reading and writing). Another digest than the pinned
 * one, an address that is not there or refused is ERR_INPUT; a dead network, a stalled or broken
 * transfer after all tries is ERR_IO.
 */
int http_fetch(const struct http_request *request, int fd, struct err *err);

#endif
