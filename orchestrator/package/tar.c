/* tar@1: one root folder, sorted, nobody's name in it. */
#include "base/path.h"
#include "package/members.h"
#include "package/packager.h"

/* Everything lies in the one folder `root`. */
static int check_root(const struct package_members *members, const char *root, struct err *err)
{
	for (size_t i = 0; i < members->list.n; i++) {
		const struct package_member *member = &members->list.v[i];

		if (!path_is_below(member->path, root))
			return err_set(err, ERR_INPUT, "%s lies outside the archive's folder %s",
			               member->path, root);
		if (str_eq(member->path, root) && member->kind != ARCHIVE_DIR)
			return err_set(err, ERR_INPUT,
			               "%s is not a folder: an archive has one at "
			               "its root",
			               root);
	}
	return 0;
}

int package_tar(int dirfd, const json_t *parameters, int64_t epoch, struct err *err)
{
	static const char *const known[] = { "root", "modes", NULL };
	struct package_members members;
	const char *root;
	int rc;

	if (json_only_members(parameters, known, "tar", err) < 0 ||
	    json_get_str(parameters, "root", "tar", &root, err) < 0)
		return -1;
	if (!path_is_tree(root) || root[0] == '\0' || strchr(root, '/'))
		return err_set(err, ERR_INPUT, "the archive's folder \"%s\" is no folder name",
		               root);
	if (package_members_read(dirfd, "tree", json_object_get(parameters, "modes"), root,
	                         &members, err) < 0)
		return err_while(err, "packing %s", root);
	rc = check_root(&members, root, err);
	if (rc == 0)
		rc = package_members_tar(dirfd, "tree", &members, "", epoch, MEMBERS_ANY, "out.tar",
		                         err);
	package_members_deinit(&members);
	return rc < 0 ? err_while(err, "packing %s", root) : 0;
}
