/* The command table: one line a command, in the order help shows them. */
#include "cli/command.h"

extern const struct command cmd_init, cmd_release, cmd_build, cmd_plan, cmd_explain, cmd_verify,
	cmd_lock, cmd_train, cmd_get, cmd_log, cmd_shell, cmd_sign, cmd_keygen, cmd_image_build,
	cmd_image_ls, cmd_image_export, cmd_image_import, cmd_store_stats, cmd_store_gc,
	cmd_store_fsck, cmd_doctor, cmd_completion, cmd_complete, cmd_annotations, cmd_help,
	cmd_version;

const struct command *const commands[] = {
	&cmd_init,        &cmd_build,        &cmd_release,
	&cmd_verify,      &cmd_doctor,       &cmd_plan,
	&cmd_explain,     &cmd_lock,         &cmd_train,
	&cmd_get,         &cmd_log,          &cmd_shell,
	&cmd_sign,        &cmd_keygen,       &cmd_image_build,
	&cmd_image_ls,    &cmd_image_export, &cmd_image_import,
	&cmd_store_stats, &cmd_store_gc,     &cmd_store_fsck,
	&cmd_completion,  &cmd_complete,     &cmd_annotations,
	&cmd_help,        &cmd_version,      NULL,
};
