/* The lab of executor tests. */
#include "fakes/lab.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/path.h"
#include "fakes/rootfs.h"
#include "host/fs.h"
#include "sandbox/spec.h"
#include "store/place.h"

static struct lab the_lab;

int lab_main(int (*run)(void))
{
	struct err err = ERR_INIT;
	int failed;

	if (runner_server_start(&the_lab.server, &err) < 0) {
		fprintf(stderr, "%s\n", err.cause);
		return 1;
	}
	failed = run();
	runner_server_stop(the_lab.server);
	return failed;
}

int lab_setup(void **state)
{
	struct lab *lab = &the_lab;
	struct err err = ERR_INIT;
	struct executor_local_options options = { .server = lab->server, .slots = 2 };
	const char *runtime = getenv("KILN_TEST_RUNTIME");
	_cleanup_free_ char *root = NULL;

	umask(022);
	lab->runtime = sandbox_find(runtime ? runtime : "bwrap");
	assert_non_null(lab->runtime);
	strcpy(lab->dir, "/var/tmp/kiln-test-XXXXXX");
	assert_non_null(mkdtemp(lab->dir));
	memset(lab->image.bytes, 0xab, sizeof(lab->image.bytes));
	lab->images = path_join(lab->dir, "images");
	root = str_fmt("%s/%s/root", lab->images, DIGEST_TEXT(&lab->image));
	if (fake_rootfs_make(root, &err) < 0 || blobs_open(lab->dir, &lab->blobs, &err) < 0 ||
	    lab->runtime->probe(&lab->userns_fd, &err) < 0)
		fail_msg("%s; %s", err.cause, err.hint);
	*state = lab;
	options.store_dir = lab->dir;
	options.images_dir = lab->images;
	options.runtime = lab->runtime;
	options.userns_fd = lab->userns_fd;
	if (executor_local_new(&options, &lab->executor, &err) < 0)
		fail_msg("%s", err.cause);
	lab->arena = arena_new();
	return 0;
}

int lab_teardown(void **state)
{
	struct lab *lab = *state;
	struct err err = ERR_INIT;

	lab->executor->ops->free(lab->executor);
	blobs_free(lab->blobs);
	if (lab->userns_fd)
		close(lab->userns_fd);
	arena_free(lab->arena);
	free(lab->images);
	assert_int_equal(fs_remove_tree(AT_FDCWD, lab->dir, &err), 0);
	return 0;
}

void lab_compose(struct lab *lab, const struct lab_input *inputs, size_t n, struct action *action)
{
	struct blob_ref *root = arena_alloc(lab->arena, sizeof(*root));
	ARRAY(struct placement) list = { 0 };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		struct placement *p = array_add(&list);

		p->at = inputs[i].at;
		p->node.kind = NODE_FILE;
		p->node.name = "";
		assert_int_equal(blobs_put(lab->blobs, inputs[i].text, strlen(inputs[i].text),
		                           &p->node.ref, &err),
		                 0);
	}
	if (place_compose(lab->blobs, list.v, list.n, root, &err) < 0)
		fail_msg("%s", err.cause);
	array_deinit(&list);
	action->input_root = root;
}

void lab_submit(struct lab *lab, struct action *action, int64_t timeout_ms, uint64_t token)
{
	static struct action_env env[] = { { "HOME", "/tmp" },
		                           { "PATH", "/usr/bin:/bin" },
		                           { "SOURCE_DATE_EPOCH", "1700000000" } };
	struct buf bytes = BUF_INIT(1 << 20);
	struct blob_ref ref;
	struct exec_request request = { .action = &ref.digest,
		                        .address = "test/plain/stage",
		                        .epoch = 1700000000,
		                        .timeout_ms = timeout_ms,
		                        .memory = lab->memory,
		                        .disk = lab->disk,
		                        .processes = lab->processes,
		                        .jobs = 3,
		                        .nice = lab->nice,
		                        .network = lab->network,
		                        .jobs_dir = lab->jobs_dir,
		                        .jobs_style =
		                                lab->jobs_dir ? JOBSERVER_PIPE : JOBSERVER_NONE,
		                        .token = token };
	struct err err = ERR_INIT;

	if (!action->builtin)
		action->image = &lab->image;
	action->arch = "amd64";
	if (!action->env) {
		action->env = env;
		action->n_env = ARRAY_LEN(env);
	}
	if (!action->workdir)
		action->workdir = "";
	if (!action->input_root)
		lab_compose(lab, NULL, 0, action);
	action_encode(action, &bytes);
	assert_int_equal(blobs_put(lab->blobs, bytes.p, bytes.n, &ref, &err), 0);
	buf_deinit(&bytes);
	request.action_size = ref.size;
	if (lab->executor->ops->submit(lab->executor, &request, &err) < 0)
		fail_msg("%s", err.cause);
}

void lab_wait(struct lab *lab, struct exec_completion *ret)
{
	struct err err = ERR_INIT;
	int rc = lab->executor->ops->wait(lab->executor, lab->arena, 60000, ret, &err);

	if (rc != 0)
		fail_msg("wait: %d %s", rc, err.cause);
}

void lab_carry_out(struct lab *lab, struct action *action, struct exec_completion *ret)
{
	lab_submit(lab, action, 0, 1);
	lab_wait(lab, ret);
	if (ret->status == EXEC_BROKEN)
		fail_msg("%s %s %s", ret->err.cause, ret->err.trail, ret->err.hint);
}

const char *lab_text(struct lab *lab, const struct blob_ref *ref)
{
	struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	const char *copy;

	assert_int_equal(blobs_read(lab->blobs, ref, &text, &err), 0);
	copy = arena_str(lab->arena, buf_text(&text));
	buf_deinit(&text);
	return copy;
}

void lab_run(struct lab *lab, const char *script, struct exec_completion *ret)
{
	struct action action = { .argv = LAB_LIST("sh", "-c", script), .n_argv = 3 };

	lab_submit(lab, &action, 30000, 1);
	lab_wait(lab, ret);
	if (ret->status == EXEC_BROKEN)
		fail_msg("%s; %s", ret->err.cause, ret->err.hint);
}

const char *lab_out(struct lab *lab, const char *script)
{
	struct exec_completion c;

	lab_run(lab, script, &c);
	if (c.status != EXEC_OK)
		fail_msg("%s: %s", c.why, lab_text(lab, &c.result.log));
	return lab_text(lab, &c.result.out);
}

void lab_assert_no_work(struct lab *lab)
{
	_cleanup_free_ char *work = path_join(lab->dir, "work");
	struct fs_names places = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(fs_list(AT_FDCWD, work, &places, &err), 0);
	for (size_t i = 0; i < places.names.n; i++) {
		_cleanup_free_ char *place = path_join(work, places.names.v[i]);
		struct fs_names names = { 0 };

		/* A runner's, who waits for another stage, or it has ended meanwhile. */
		if (fs_list(AT_FDCWD, place, &names, &err) == 0 && names.names.n)
			fail_msg("left behind: %s/%s", place, names.names.v[0]);
		fs_names_deinit(&names);
	}
	fs_names_deinit(&places);
}

bool lab_is_running(const char *text)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	bool found = false;

	while (!found && (entry = readdir(proc))) {
		_cleanup_buf_ struct buf line = BUF_INIT(1 << 16);
		_cleanup_free_ char *path = str_fmt("/proc/%s/cmdline", entry->d_name);
		struct err err = ERR_INIT;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    atoi(entry->d_name) == getpid() || fs_read(AT_FDCWD, path, &line, &err) != 0)
			continue;
		found = line.n && memmem(line.p, line.n, text, strlen(text));
	}
	closedir(proc);
	return found;
}
