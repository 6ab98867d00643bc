#ifndef KILN_EXTERNAL_CURL_CALLS_H
#define KILN_EXTERNAL_CURL_CALLS_H

#include <curl/curl.h>

#include "base/err.h"

/* libcurl, loaded when something is to be fetched (external/late.h): it brings thirty libraries. */
struct curl_calls {
	__typeof__(&curl_easy_init) easy_init;
	__typeof__(&curl_easy_setopt) easy_setopt;
	__typeof__(&curl_easy_getinfo) easy_getinfo;
	__typeof__(&curl_easy_perform) easy_perform;
	__typeof__(&curl_easy_strerror) easy_strerror;
	__typeof__(&curl_easy_cleanup) easy_cleanup;
	__typeof__(&curl_slist_append) slist_append;
	__typeof__(&curl_slist_free_all) slist_free_all;
	__typeof__(&curl_url) url;
	__typeof__(&curl_url_set) url_set;
	__typeof__(&curl_url_get) url_get;
	__typeof__(&curl_url_cleanup) url_cleanup;
	__typeof__(&curl_free) free;
};

/* Where it is missing: ERR_MACHINE. */
int curl_calls_load(struct curl_calls *ret, struct err *err);

#endif
