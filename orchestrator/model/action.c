/*
 * The canonical action: sorted, then packed by protobuf-c. What is decoded is encoded again and
 * compared, so that no two documents share a meaning but differ in their key.
 */
#include "model/action.h"

#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/messages.h"

static int env_cmp(const void *a, const void *b)
{
	return strcmp(((const struct action_env *)a)->name, ((const struct action_env *)b)->name);
}

static int output_cmp(const void *a, const void *b)
{
	return strcmp(((const struct action_output *)a)->path,
	              ((const struct action_output *)b)->path);
}

static int int_cmp(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Mostly it is sorted. */
static void sort(void *v, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
	const char *p = v;

	for (size_t i = 1; i < n; i++)
		if (cmp(p + (i - 1) * size, p + i * size) > 0) {
			qsort(v, n, size, cmp);
			return;
		}
}

void action_sort(struct action *action)
{
	sort(action->env, action->n_env, sizeof(*action->env), env_cmp);
	for (size_t i = 1; i < action->n_env; i++)
		bug_on(str_eq(action->env[i - 1].name, action->env[i].name));
	sort(action->outputs, action->n_outputs, sizeof(*action->outputs), output_cmp);
	for (size_t i = 0; i < action->n_outputs; i++)
		sort(action->outputs[i].exclude, action->outputs[i].n_exclude, sizeof(char *),
		     str_cmp_ptr);
	sort(action->exit_codes, action->n_exit_codes, sizeof(int), int_cmp);
	sort(action->reject, action->n_reject, sizeof(char *), str_cmp_ptr);
}

static void fill_env(const struct action *action, struct arena *arena, Kiln__V1__Action *message)
{
	Kiln__V1__EnvironmentVariable *vars = arena_array(arena, action->n_env, sizeof(*vars));

	message->n_environment = action->n_env;
	message->environment = arena_array(arena, action->n_env, sizeof(void *));
	for (size_t i = 0; i < action->n_env; i++) {
		kiln__v1__environment_variable__init(&vars[i]);
		vars[i].name = (char *)action->env[i].name;
		vars[i].value = (char *)action->env[i].value;
		message->environment[i] = &vars[i];
	}
}

static void fill_outputs(const struct action *action, struct arena *arena,
                         Kiln__V1__Action *message)
{
	Kiln__V1__Output *outputs = arena_array(arena, action->n_outputs, sizeof(*outputs));

	message->n_outputs = action->n_outputs;
	message->outputs = arena_array(arena, action->n_outputs, sizeof(void *));
	for (size_t i = 0; i < action->n_outputs; i++) {
		const struct action_output *from = &action->outputs[i];

		kiln__v1__output__init(&outputs[i]);
		outputs[i].path = (char *)from->path;
		outputs[i].n_exclude = from->n_exclude;
		outputs[i].exclude = (char **)from->exclude;
		outputs[i].non_empty = from->non_empty;
		message->outputs[i] = &outputs[i];
	}
}

void action_encode(struct action *action, struct buf *buf)
{
	struct arena *arena = arena_new();
	Kiln__V1__Action message = KILN__V1__ACTION__INIT;
	const struct blob_ref none = { 0 };
	struct message_digest root;
	char image[DIGEST_HEX_SIZE];

	action_sort(action);
	message.n_argv = action->n_argv;
	message.argv = (char **)action->argv;
	fill_env(action, arena, &message);
	message.working_directory = (char *)(action->workdir ? action->workdir : "");
	fill_outputs(action, arena, &message);
	message_digest_fill(&root, action->input_root ? action->input_root : &none);
	message.input_root = &root.message;
	if (action->image && !digest_is_none(action->image))
		message.image = digest_hex(action->image, image);
	message.architecture = (char *)(action->arch ? action->arch : "");
	message.builtin = (char *)(action->builtin ? action->builtin : "");
	message.fixed_addresses = action->fixed_addresses;
	message.n_exit_codes = action->n_exit_codes;
	message.exit_codes = action->exit_codes;
	message.n_reject = action->n_reject;
	message.reject = (char **)action->reject;
	message_pack(&message.base, buf);
	arena_free(arena);
}

static const char **read_texts(struct arena *arena, char **texts, size_t n)
{
	const char **copy = arena_array(arena, n, sizeof(*copy));

	for (size_t i = 0; i < n; i++)
		copy[i] = arena_str(arena, texts[i]);
	return copy;
}

static void read_lists(struct arena *arena, const Kiln__V1__Action *message, struct action *action)
{
	action->n_argv = message->n_argv;
	action->argv = read_texts(arena, message->argv, message->n_argv);
	action->n_env = message->n_environment;
	action->env = arena_array(arena, action->n_env, sizeof(*action->env));
	for (size_t i = 0; i < action->n_env; i++) {
		action->env[i].name = arena_str(arena, message->environment[i]->name);
		action->env[i].value = arena_str(arena, message->environment[i]->value);
	}
	action->n_outputs = message->n_outputs;
	action->outputs = arena_array(arena, action->n_outputs, sizeof(*action->outputs));
	for (size_t i = 0; i < action->n_outputs; i++) {
		const Kiln__V1__Output *from = message->outputs[i];

		action->outputs[i].path = arena_str(arena, from->path);
		action->outputs[i].exclude = read_texts(arena, from->exclude, from->n_exclude);
		action->outputs[i].n_exclude = from->n_exclude;
		action->outputs[i].non_empty = from->non_empty;
	}
	action->n_exit_codes = message->n_exit_codes;
	action->exit_codes = arena_dup(arena, message->exit_codes,
	                               message->n_exit_codes * sizeof(*action->exit_codes));
	action->n_reject = message->n_reject;
	action->reject = read_texts(arena, message->reject, message->n_reject);
}

/* Why a message is no action, or NULL. */
static const char *read_action(struct arena *arena, const Kiln__V1__Action *message,
                               struct action *action)
{
	struct blob_ref root;
	struct digest image;

	*action = (struct action){ 0 };
	read_lists(arena, message, action);
	action->workdir = arena_str(arena, message->working_directory);
	action->arch = arena_str(arena, message->architecture);
	action->builtin = message->builtin[0] ? arena_str(arena, message->builtin) : NULL;
	action->fixed_addresses = message->fixed_addresses;
	if (!message_digest_read(message->input_root, &root))
		return "its input root is no digest";
	action->input_root = arena_dup(arena, &root, sizeof(root));
	if (message->image[0] && !digest_parse(message->image, &image))
		return "its image is no digest";
	if (message->image[0])
		action->image = arena_dup(arena, &image, sizeof(image));
	if (!path_is_tree(action->workdir))
		return "its working directory is no path below the work folder";
	for (size_t i = 1; i < action->n_env; i++)
		if (strcmp(action->env[i - 1].name, action->env[i].name) >= 0)
			return "its environment is not sorted";
	for (size_t i = 0; i < action->n_outputs; i++)
		if (!path_is_tree(action->outputs[i].path))
			return "an output is no path below the work folder";
	return NULL;
}

int action_decode(struct arena *arena, struct str bytes, struct action *ret, struct err *err)
{
	Kiln__V1__Action *message =
		kiln__v1__action__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
	_cleanup_buf_ struct buf again = BUF_INIT(bytes.n);
	struct action action;
	const char *fault;

	if (!message)
		return err_set(err, ERR_IO, "an action document is corrupt");
	fault = read_action(arena, message, &action);
	kiln__v1__action__free_unpacked(message, NULL);
	if (fault)
		return err_set(err, ERR_IO, "an action document is malformed: %s", fault);
	action_encode(&action, &again);
	if (again.overflow || !str_same(buf_str(&again), bytes))
		return err_set(err, ERR_IO, "an action document is not canonical");
	*ret = action;
	return 0;
}
