/* The names of what Kiln calls in libcurl. */
#define CURL_DISABLE_TYPECHECK
#include "external/curl_calls.h"

#include <stddef.h>

#include "base/alloc.h"
#include "external/late.h"

/* Its interface has stood since 2006. */
static const struct late_library library = { "libcurl.so.4", "libcurl, which fetches files",
	                                     "libcurl4" };

static const struct late_call calls[] = {
	{ "curl_easy_init", offsetof(struct curl_calls, easy_init) },
	{ "curl_easy_setopt", offsetof(struct curl_calls, easy_setopt) },
	{ "curl_easy_getinfo", offsetof(struct curl_calls, easy_getinfo) },
	{ "curl_easy_perform", offsetof(struct curl_calls, easy_perform) },
	{ "curl_easy_strerror", offsetof(struct curl_calls, easy_strerror) },
	{ "curl_easy_cleanup", offsetof(struct curl_calls, easy_cleanup) },
	{ "curl_slist_append", offsetof(struct curl_calls, slist_append) },
	{ "curl_slist_free_all", offsetof(struct curl_calls, slist_free_all) },
	{ "curl_url", offsetof(struct curl_calls, url) },
	{ "curl_url_set", offsetof(struct curl_calls, url_set) },
	{ "curl_url_get", offsetof(struct curl_calls, url_get) },
	{ "curl_url_cleanup", offsetof(struct curl_calls, url_cleanup) },
	{ "curl_free", offsetof(struct curl_calls, free) },
};

int curl_calls_load(struct curl_calls *ret, struct err *err)
{
	return late_load(&library, calls, ARRAY_LEN(calls), ret, err);
}
