#ifndef KILN_RECIPE_MEMO_H
#define KILN_RECIPE_MEMO_H

#include "model/recipe_doc.h"
#include "recipe/recipe.h"
#include "snapshot/kept.h"

/*
 * What a recipe was evaluated to, so that it is evaluated again only when something that it saw has
 * changed: its files and those that it read (by content), what it looked for, folders that it listed, the
 * first lines of scripts, the options that it was given, the program. A recipe sees nothing else, but for what it asks of git and of
 * HEAD: such a one is always evaluated.
 *
 * STORE/snapshots/NAME.recipe ("kilnrcp1"; snapshot/kept.h): what was printed, the document, the stages with
 * what they were lowered to. At 100,000 stages it is read in a tenth of the time that evaluating takes.
 */
struct recipe_memo {
	int store_fd;       /* -1: there is no store yet, or not one of this user's alone */
	struct kept file;   /* what a recipe that was taken from it borrows from */
	struct buf printed; /* by a recipe that is evaluated */
	const char *said;   /* by one that was found, each text ended by a NUL */
	size_t said_n;
	bool found;
};

/* Of a store's folder, which need not be there. Nothing is made, nothing fails. */
void recipe_memo_init(struct recipe_memo *memo, const char *store_dir);
/* The recipe outlives no texts of it. */
void recipe_memo_deinit(struct recipe_memo *memo);

/* Takes a recipe's document, a new reference, then its stages, which are those of *ret from then on. False
 * where it is to be evaluated. */
bool recipe_memo_find(struct recipe_memo *memo, const struct recipe_request *request,
                      json_t **ret_document);
bool recipe_memo_take_stages(struct recipe_memo *memo, struct arena *arena, struct recipe *ret);
/* Says again what the one that was taken printed. */
void recipe_memo_say(const struct recipe_memo *memo, const struct recipe_request *request);
/* Keeps what was evaluated by `request`, whose `printed` was the memo's; does nothing for one that was
 * found. The store is there now. */
void recipe_memo_keep(struct recipe_memo *memo, const char *store_dir,
                      const struct recipe_request *request, const struct recipe *recipe);

#endif
