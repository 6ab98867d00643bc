/*
 * Stage addresses as people type them: the whole TARGET/VARIANT/STAGE, a glob over it, or the
 * shortest form that means one stage: trailing parts ("pgo+lto/rebuild"), with a target that may
 * be cut short ("aarch64/pgo+lto/rebuild").
 */
#include "base/str.h"
#include "plan/plan.h"

static bool has_glob(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

/* Whether `typed` is the parts of `address` from some part on; the first part may be a prefix. */
bool plan_address_matches(const char *typed, const char *address)
{
	const char *slash = strchr(typed, '/');

	if (str_eq(typed, address) || (has_glob(typed) && str_glob(typed, address)))
		return true;
	for (const char *p = address; p; p = strchr(p, '/') ? strchr(p, '/') + 1 : NULL) {
		if (str_eq(p, typed) || (has_glob(typed) && str_glob(typed, p)))
			return true;
	}
	if (slash && strncmp(typed, address, (size_t)(slash - typed)) == 0) {
		const char *rest = strchr(address, '/');

		return rest && (str_eq(rest, slash) || (has_glob(slash) && str_glob(slash, rest)));
	}
	return false;
}

int plan_find_stage(const struct stage *stages, size_t n, const char *typed,
                    const struct stage **ret, struct err *err)
{
	_cleanup_buf_ struct buf names = BUF_INIT(1200);
	const struct stage *found = NULL;
	size_t hits = 0;

	for (size_t i = 0; i < n; i++) {
		if (str_eq(stages[i].address, typed)) {
			*ret = &stages[i];
			return 0;
		}
		if (!plan_address_matches(typed, stages[i].address))
			continue;
		found = &stages[i];
		buf_fmt(&names, "\n  %s", found->address);
		hits++;
	}
	if (hits == 0)
		return err_set(err, ERR_USAGE, "no stage matches \"%s\"; `kiln plan` lists them",
		               typed);
	if (hits > 1)
		return err_set(err, ERR_USAGE, "\"%s\" means several stages, name one:%s", typed,
		               buf_text(&names));
	*ret = found;
	return 0;
}
