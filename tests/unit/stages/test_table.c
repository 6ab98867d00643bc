/* The contract of every stage kind, over the whole table. */
#include "fakes/fixture.h"

#include "base/str.h"
#include "exec/builtin.h"
#include "stages/stage.h"

static void sorted_and_found(void **state)
{
	(void)state;
	for (size_t i = 0; stage_kinds[i]; i++) {
		const struct stage_kind *kind = stage_kinds[i];

		assert_ptr_equal(stage_kind_find(kind->name), kind);
		assert_non_null(kind->lower);
		assert_true(strlen(kind->doc) > 10);
		if (i > 0)
			assert_true(strcmp(stage_kinds[i - 1]->name, kind->name) < 0);
		/* Lua says stage.profdata_merge: letters and single dashes. */
		for (const char *p = kind->name; *p; p++)
			assert_true((*p >= 'a' && *p <= 'z') ||
			            (*p == '-' && p > kind->name && p[1] && p[1] != '-'));
	}
	assert_null(stage_kind_find("no such kind"));
	assert_null(stage_kind_find(""));
}

static void check_fields(const char *kind, const struct schema_field *fields)
{
	for (; fields->name; fields++) {
		if (!fields->doc || strlen(fields->doc) < 4)
			fail_msg("%s.%s says nothing of itself", kind, fields->name);
		for (const struct schema_field *other = fields + 1; other->name; other++)
			if (str_eq(other->name, fields->name))
				fail_msg("%s.%s stands there twice", kind, fields->name);
		if (fields->values && fields->type != SCHEMA_STRING)
			fail_msg("%s.%s: only texts have listed values", kind, fields->name);
		if ((fields->type == SCHEMA_OBJECT || fields->type == SCHEMA_OBJECTS) &&
		    !fields->fields)
			fail_msg("%s.%s: an object of what?", kind, fields->name);
		if (fields->fields)
			check_fields(fields->name, fields->fields);
	}
}

static void fields_are_documented(void **state)
{
	(void)state;
	check_fields("common", stage_common_fields);
	for (size_t i = 0; stage_kinds[i]; i++) {
		check_fields(stage_kinds[i]->name, stage_kinds[i]->fields);
		for (const struct schema_field *f = stage_kinds[i]->fields; f->name; f++)
			for (const struct schema_field *c = stage_common_fields; c->name; c++)
				if (str_eq(f->name, c->name))
					fail_msg("%s.%s hides the common field",
					         stage_kinds[i]->name, f->name);
	}
}

/* ---- lowering every kind with as little as it takes --------------------------------------- */

static json_t *minimal_object(const struct schema_field *fields);

static json_t *minimal_value(const struct schema_field *f)
{
	switch (f->type) {
	case SCHEMA_STRING:
		return json_string(f->values ? f->values[0] : "text");
	case SCHEMA_INT:
		return json_integer(1);
	case SCHEMA_BOOL:
		return json_true();
	case SCHEMA_STRINGS:
	case SCHEMA_OUTPUTS:
		return fixture_json("['text']");
	case SCHEMA_INTS:
		return fixture_json("[1]");
	case SCHEMA_MAP:
		return fixture_json("{'Name':'text'}");
	case SCHEMA_REF:
		return fixture_json("{'$stage':'t/v/other','path':'out/file'}");
	case SCHEMA_REFS:
		return fixture_json("[{'$stage':'t/v/other','path':'out/file'}]");
	case SCHEMA_OBJECT:
		return minimal_object(f->fields);
	case SCHEMA_OBJECTS:
		return json_pack("[o]", minimal_object(f->fields));
	default:
		return json_object();
	}
}

static json_t *minimal_object(const struct schema_field *fields)
{
	json_t *object = json_object();

	for (; fields->name; fields++)
		/* A smoke stage needs one of two; so do a workload and a command. */
		if (fields->required || str_eq(fields->name, "expected") ||
		    str_eq(fields->name, "binary") || str_eq(fields->name, "name"))
			json_object_set_new(object, fields->name, minimal_value(fields));
	return object;
}

static struct stage stage_of(const char *kind, const json_t *options)
{
	return (struct stage){ .address = "t/v/s",
		               .target = "t",
		               .variant = "v",
		               .name = "s",
		               .kind = kind,
		               .where = "recipe.lua:1",
		               .options = options };
}

/* What a lowered stage is, as bytes: its encoded action and everything beside it. */
static void bytes_of(const struct stage *stage, struct buf *bytes)
{
	struct arena *arena = arena_new();
	struct stage_lowered lowered;
	struct err err = ERR_INIT;

	must(stage_lower(stage, arena, &lowered, &err), &err);
	fixture_show(&lowered, bytes);
	if (lowered.action.builtin && !builtin_find(lowered.action.builtin))
		fail_msg("%s asks for %s, which there is not", stage->kind, lowered.action.builtin);
	lowered.action.arch = "amd64";
	action_encode(&lowered.action, bytes);
	assert_false(bytes->overflow);
	arena_free(arena);
}

static void minimal_options_lower_the_same_twice(void **state)
{
	(void)state;
	for (size_t i = 0; stage_kinds[i]; i++) {
		json_t *options = minimal_object(stage_kinds[i]->fields);
		json_t *before = json_deep_copy(options);
		struct stage stage = stage_of(stage_kinds[i]->name, options);
		struct buf a = BUF_INIT(1 << 16), b = BUF_INIT(1 << 16);

		bytes_of(&stage, &a);
		bytes_of(&stage, &b);
		assert_int_equal(a.n, b.n);
		assert_memory_equal(buf_text(&a), buf_text(&b), a.n);
		assert_true(json_equal(options, before));
		assert_true(strstr(buf_text(&a), "argv ") || strstr(buf_text(&a), "builtin "));
		buf_deinit(&a);
		buf_deinit(&b);
		json_decref(options);
		json_decref(before);
	}
}

/* Whatever an option holds, the kind refuses it or lowers it to something that can be encoded. */
static void wrong_types_are_refused(void **state)
{
	static const char *const wrongs[] = { "null", "[]",  "{}",      "-1",   "[null]",
		                              "[{}]", "[7]", "{'a':7}", "true", "1.5" };

	(void)state;
	for (size_t i = 0; stage_kinds[i]; i++)
		for (const struct schema_field *f = stage_kinds[i]->fields; f->name; f++)
			for (size_t w = 0; w < ARRAY_LEN(wrongs); w++) {
				json_t *options = minimal_object(stage_kinds[i]->fields);
				struct arena *arena = arena_new();
				struct stage stage = stage_of(stage_kinds[i]->name, options);
				struct buf bytes = BUF_INIT(1 << 16);
				struct stage_lowered lowered;
				struct err err = ERR_INIT;

				json_object_set_new(
					options, f->name,
					json_loads(wrongs[w][0] == '{' && wrongs[w][1] == '\'' ?
				                           "{\"a\":7}" :
				                           wrongs[w],
				                   JSON_DECODE_ANY, NULL));
				if (stage_lower(&stage, arena, &lowered, &err) == 0) {
					lowered.action.arch = "amd64";
					action_encode(&lowered.action, &bytes);
				} else {
					assert_int_equal(err.code, ERR_INPUT);
					assert_contains(err.cause, "recipe.lua:1");
				}
				buf_deinit(&bytes);
				arena_free(arena);
				json_decref(options);
			}
}

/* A misspelt or missing option is refused by name. */
static void fields_are_checked(void **state)
{
	(void)state;
	for (size_t i = 0; stage_kinds[i]; i++)
		for (const struct schema_field *f = stage_kinds[i]->fields; f->name; f++) {
			json_t *options = minimal_object(stage_kinds[i]->fields);
			struct arena *arena = arena_new();
			struct stage stage = stage_of(stage_kinds[i]->name, options);
			struct stage_lowered lowered;
			struct err err = ERR_INIT;

			if (f->required) {
				json_object_del(options, f->name);
				assert_int_equal(stage_lower(&stage, arena, &lowered, &err), -1);
				assert_contains(err.cause, f->name);
				json_object_set_new(options, f->name, minimal_value(f));
				err = ERR_INIT;
			}
			json_object_set_new(options, "no_such_option", json_true());
			assert_int_equal(stage_lower(&stage, arena, &lowered, &err), -1);
			assert_contains(err.cause, "no_such_option");
			arena_free(arena);
			json_decref(options);
		}
}

/* Options that are still text are read when the stage is lowered. */
static void options_may_be_text(void **state)
{
	struct stage stage = stage_of("run", NULL);
	struct arena *arena = arena_new();
	struct stage_lowered lowered;
	struct err err = ERR_INIT;

	(void)state;
	stage.text = "{\"argv\":[\"cc\",7],\"outputs\":[\"o\"]}";
	must(stage_lower(&stage, arena, &lowered, &err), &err);
	assert_int_equal(lowered.action.n_argv, 2);
	assert_string_equal(lowered.action.argv[1], "7");
	stage.text = "[]";
	assert_int_equal(stage_lower(&stage, arena, &lowered, &err), -1);
	assert_contains(err.cause, "recipe.lua:1: t/v/s: its options are no JSON object");
	arena_free(arena);
}

/* Only what a plan may lower anew keeps its text. */
static void options_are_taken_once(void **state)
{
	struct stage run = stage_of("run", NULL), smoke = stage_of("smoke", NULL);
	struct arena *arena = arena_new();

	(void)state;
	stage_take_options(
		&run, str_of("{\"argv\":[\"cc\"],\"image\":\"other\",\"outputs\":[\"o\"]}"), arena);
	assert_string_equal(run.lowered->action.argv[0], "cc");
	assert_string_equal(stage_image(&run), "other");
	assert_null(run.text);
	assert_null(stage_options(&run));
	stage_take_options(&smoke,
	                   str_of("{\"cases\":[\"c\"],\"candidate\":[{\"$stage\":\"t/v/a\","
	                          "\"path\":\"@stdout\"}],\"expected\":[\"0\"]}"),
	                   arena);
	assert_non_null(smoke.lowered);
	assert_contains(smoke.text, "\"expected\"");
	arena_free(arena);
}

/* What cannot be lowered is refused by who needs it lowered. */
static void wrong_options_stay_text(void **state)
{
	struct stage stage = stage_of("run", NULL);
	struct arena *arena = arena_new();
	struct stage_lowered lowered;
	struct err err = ERR_INIT;

	(void)state;
	stage_take_options(&stage, str_of("{\"argv\":[],\"outputs\":[]}"), arena);
	assert_null(stage.lowered);
	assert_null(stage_image(&stage));
	assert_int_equal(stage_lower(&stage, arena, &lowered, &err), -1);
	assert_contains(err.cause, "argv must name a command");
	arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_and_found),
		cmocka_unit_test(fields_are_documented),
		cmocka_unit_test(minimal_options_lower_the_same_twice),
		cmocka_unit_test(wrong_types_are_refused),
		cmocka_unit_test(fields_are_checked),
		cmocka_unit_test(options_may_be_text),
		cmocka_unit_test(options_are_taken_once),
		cmocka_unit_test(wrong_options_stay_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
