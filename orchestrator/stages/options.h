#ifndef KILN_STAGES_OPTIONS_H
#define KILN_STAGES_OPTIONS_H

#include "base/arena.h"
#include "base/array.h"
#include "model/stage.h"

/*
 * Building a lowered stage out of options. A `struct lowering` collects in growing arrays and is
 * frozen into the arena by lowering_finish; on failure lowering_deinit drops it.
 */
struct lowering {
	const struct stage *stage;
	struct arena *arena;
	ARRAY(const char *) argv;
	ARRAY(struct action_env) env;
	ARRAY(struct action_output) outputs;
	ARRAY(struct stage_input) inputs;
	ARRAY(const char *) reject;
	ARRAY(int) exit_codes;
	struct stage_needs needs;
	struct stage_lowered out;
};

/* Starts with the options that every kind takes (inputs, env, image, timeout, …). */
int lowering_begin(struct lowering *lowering, const struct stage *stage, struct arena *arena,
                   struct err *err);
void lowering_deinit(struct lowering *lowering);
/* Moves everything into *ret. */
void lowering_finish(struct lowering *lowering, struct stage_lowered *ret);

void lower_arg(struct lowering *lowering, const char *arg);
void lower_env(struct lowering *lowering, const char *name, const char *value);
void lower_output(struct lowering *lowering, const char *path, bool non_empty);
void lower_reject(struct lowering *lowering, const char *text);
void lower_input(struct lowering *lowering, const char *at, struct ref from);
/* Places a small file of text; the text is copied. */
void lower_text(struct lowering *lowering, const char *at, const char *text);
/* Places a JSON document as kiln.json, canonical bytes: the parameters of a builtin. */
void lower_parameters(struct lowering *lowering, const json_t *parameters);

/* Options of the stage. Missing ones give NULL, 0 or false. */
const char *option_str(const struct lowering *lowering, const char *name);
int64_t option_int(const struct lowering *lowering, const char *name, int64_t fallback);
bool option_bool(const struct lowering *lowering, const char *name);
const json_t *option_list(const struct lowering *lowering, const char *name);
/* A value that the kind's schema says is a ref (SCHEMA_REF, SCHEMA_REFS); an option by its name. */
struct ref lower_ref(const struct lowering *lowering, const json_t *value);
struct ref option_ref(const struct lowering *lowering, const char *name);
/* Adds each string of a list option as an argument. */
void lower_args_of(struct lowering *lowering, const char *name);
/* Refuses, with the stage's place and address in front. */
int lower_refuse(const struct lowering *lowering, struct err *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
