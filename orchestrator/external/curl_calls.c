/* The names of what Kiln calls in libcurl. */
#define CURL_DISABLE_TYPECHECK
#include "external/curl_calls.h"

#include <dlfcn.h>
#include <stddef.h>

#include "base/alloc.h"

/* The name of its interface, which has stood since 2006. */
static const char library[] = "libcurl.so.4";

static const struct {
	const char *name;
	size_t at;
} calls[] = {
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
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		void *call = handle ? dlsym(handle, calls[i].name) : NULL;

		if (!call) {
			err_set(err, ERR_MACHINE, "cannot load libcurl, which fetches files: %s",
			        dlerror());
			return err_hint(err, "sudo apt-get install libcurl4");
		}
		*(void **)((char *)ret + calls[i].at) = call;
	}
	return 0; /* the handle stays open: libcurl is there until the process ends */
}
