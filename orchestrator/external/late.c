/* Libraries by dlopen(3): see the header. */
#include "external/late.h"

#include <dlfcn.h>

#include "base/alloc.h"

int late_load(const struct late_library *library, const struct late_call *calls, size_t n,
              void *table, struct err *err)
{
	void *handle = dlopen(library->file, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; i < n; i++) {
		void *call = handle ? dlsym(handle, calls[i].name) : NULL;

		if (!call) {
			err_set(err, ERR_MACHINE, "cannot load %s: %s", library->does, dlerror());
			return err_hint(err, "sudo apt-get install %s", library->package);
		}
		*(void **)((char *)table + calls[i].at) = call;
	}
	return 0; /* the handle stays open: the library is there until the process ends */
}
