/* Source package descriptions, changelogs and apt-get's file lines, as an archive may bring them. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "source/deb.h"
#include "source/dsc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = { (const char *)data, size };
	struct debs debs = { 0 };
	struct dsc dsc = { 0 };
	struct err err = ERR_INIT;
	int64_t date = -1;

	if (dsc_parse(text, "input", &dsc, &err) == 0)
		for (size_t i = 0; i < dsc.files.n; i++)
			bug_on(path_tree_fault(dsc.files.v[i].name) ||
			       strchr(dsc.files.v[i].name, '/') || dsc.files.v[i].name[0] == '-');
	else
		bug_on(err.code == ERR_NONE || !err.cause[0]);
	dsc_deinit(&dsc);
	err_clear(&err);
	if (changelog_date(text, "input", &date, &err) == 0)
		bug_on(date < 0);
	if (debs_add_uri_line(&debs, text))
		for (size_t i = 0; i < debs.list.n; i++)
			free(deb_spec(&debs.list.v[i]));
	debs_deinit(&debs);
	return 0;
}
