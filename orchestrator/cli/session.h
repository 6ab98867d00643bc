#ifndef KILN_CLI_SESSION_H
#define KILN_CLI_SESSION_H

#include "base/array.h"
#include "cli/command.h"
#include "engine/engine.h"
#include "image/image.h"
#include "model/facts.h"
#include "model/recipe_doc.h"
#include "plan/plan.h"
#include "recipe/memo.h"
#include "sandbox/spec.h"
#include "store/store.h"

/*
 * What a command that works on a recipe holds: the recipe, the lock, the store, the facts. The one
 * place where concrete parts (executor, event sinks) are chosen; the runtime is in runtime.c.
 */
struct session_image {
	const char *name;
	struct image image;
	const char *compiler;
	enum jobserver_style jobs_style; /* how its programs are told of the job server */
};

struct session {
	struct cli *cli;
	struct arena *arena;
	char *project;     /* root folder: kiln.lock, .kiln/ */
	char *recipe_path; /* below project */
	char *recipe_dir;  /* absolute folder of the recipe */
	char *lock_path;
	json_t *lock;              /* never NULL; empty where there is no file */
	struct digest lock_digest; /* of the file as it was read */
	bool has_lock;
	json_t *document;
	struct recipe recipe;
	struct recipe_memo memo; /* what the recipe may borrow from */
	struct store *store;
	struct facts facts;
	json_t *leaf_facts; /* id → what the fetcher said */
	ARRAY(struct session_image) images;
	const struct sandbox_runtime *runtime;
	int userns_fd;      /* what the runtime's probe gave, or 0 */
	const char *probed; /* what says that it worked before, where it was not probed; or NULL */
	struct executor *executor;
	const struct err *end; /* how the command ends: who called says it there */
	/* What the last run of these words found out, until a run takes it; or NULL. */
	struct ledger *ledger;
	struct snapshot_record *record; /* the store's; NULL: there will be no snapshot */
	bool offline, update, paranoid;
	bool committed;    /* what HEAD holds counts, not what lies there */
	bool snapshot;     /* … even where that is no version */
	json_t *set;       /* --set: texts by name */
	const char *typed; /* the recipe as the command line names it, or NULL */
	bool lock_must_be; /* --lock names one that is to be read, not made */
	bool unseen;       /* see struct plan_request */
	const char *mirror, *runtime_name;
};

/* Options that every command working on a recipe takes; end a table with SESSION_OPTIONS, {0}. */
#define SESSION_OPTIONS                                                                            \
	{ "--lock", "FILE", "the lock; default: kiln.lock at the project's root", false },         \
		{ "--set", "NAME=VALUE", "an option of the recipe", true },                        \
		{ "--offline", NULL, "fetch nothing", false },                                     \
		{ "--paranoid", NULL,                                                              \
		  "hash all content of the store that is used, and copy all inputs; not images",   \
		  false },                                                                         \
		{ "--mirror", "URL", "Debian mirror for images and sources", false },              \
	{                                                                                          \
		"--runtime", "RUNTIME",                                                            \
			"sandbox runtime: bwrap, podman, or host (debugging, unpinned)", false     \
	}

/* Recipe found and evaluated, lock read, store open. `operand` may be NULL. */
int session_open(struct cli *cli, const struct command_args *args, const char *operand,
                 struct session **ret, struct err *err);
struct session *session_close(struct session *session);
/* Evaluates a recipe, or takes what it was evaluated to, and reads its document, which *ret borrows from,
 * as it does from the memo; the kinds of stages are filled in here. Nothing is made or written. */
int session_read_recipe(struct arena *arena, struct recipe_request *request,
                        struct recipe_memo *memo, json_t **ret_document, struct recipe *ret,
                        struct err *err);
/* Whether an operand names a recipe: a folder, or what reads like a path. */
bool session_is_recipe(const char *operand);
/* Refuses targets, a variant or stages of the command line that the recipe does not have, before
 * anything is paid for. */
int session_check_words(struct session *session, const char *variant, const char *const *until,
                        struct err *err);
/* Sources fetched, images there, pins and probe read: facts are whole. */
int session_prepare(struct session *session, struct err *err);
/* Takes in sources again that were taken in by their stamps alone, so that their content is there (struct
 * engine_request). */
int session_take_sources(void *session, struct err *err);
int session_plan(struct session *session, enum plan_purpose purpose, const char *variant,
                 const char *const *until, struct plan **ret, struct err *err);

/* What leads another command from where this one was started to the same recipe and store: "-C",
 * DIR, …, ended by NULL. */
const char *const *session_words_again(const struct session *session);

struct session_run_options {
	bool keep_going, fail_fast, dev;
	const char *events_file; /* JSON lines are written there too; NULL: not */
	const char *trace_file;  /* and a trace there */
};
int session_run(struct session *session, const struct plan *plan,
                const struct session_run_options *options, struct engine_result *ret,
                struct err *err);

/* Splits operands into the recipe (a folder, or what reads like a path) and stage addresses, which
 * stand behind those of --until; the command has that option. */
const char *session_operand(const struct command_args *args, const char ***ret_stages,
                            struct arena *arena);

static inline struct session *session_free(struct session *session)
{
	return session_close(session);
}
DEFINE_CLEANUP(struct session, session)
#define _cleanup_session_ _cleanup_(session_cleanup)

#endif
