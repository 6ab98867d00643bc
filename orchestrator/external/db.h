#ifndef KILN_EXTERNAL_DB_H
#define KILN_EXTERNAL_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/alloc.h"
#include "base/err.h"
#include "base/str.h"

/*
 * A database in one file, by SQLite: write-ahead log, so that readers never wait and a kill or a
 * power loss leaves whole transactions; other writers are waited for. A handle belongs to the
 * process that opened it and never crosses a fork.
 */
struct db;
struct db_stmt;

/* Outcome of db_step: a row is there to read. */
enum { DB_ROW = 1 };

/* Opens or makes it. A file that is no database, is read-only or cannot grow is ERR_IO. */
int db_open(const char *path, struct db **ret, struct err *err);
struct db *db_close(struct db *db); /* its statements must be freed before */

/* Runs statements that return nothing; the text is a constant of the program. */
int db_exec(struct db *db, const char *sql, struct err *err);
/* The number that a file carries for its owner (0 in a new one). */
int db_get_version(struct db *db, int *ret, struct err *err);
int db_set_version(struct db *db, int version, struct err *err);

/* For many reads: the file is locked once and not for each. Ends with db_rollback. */
int db_begin_reading(struct db *db, struct err *err);
/* A transaction that may write. Roll back after any failure in it. */
int db_begin(struct db *db, struct err *err);
int db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db);

int db_prepare(struct db *db, const char *sql, struct db_stmt **ret, struct err *err);
struct db_stmt *db_stmt_free(struct db_stmt *stmt);

/* Parameters count from 1; text and bytes are copied. */
void db_bind_int(struct db_stmt *stmt, int at, int64_t value);
void db_bind_text(struct db_stmt *stmt, int at, const char *text);
void db_bind_bytes(struct db_stmt *stmt, int at, const void *p, size_t n);

/* Goes to the next row. Returns 0 when there is none: the statement is ready to be used anew. */
int db_step(struct db_stmt *stmt, struct err *err);
/* For statements without rows: steps to the end. */
int db_run(struct db_stmt *stmt, struct err *err);
/* Ready to be used anew, parameters forgotten. */
void db_reset(struct db_stmt *stmt);

/* Columns of the row count from 0; views are valid until the next step or reset. */
int64_t db_int(struct db_stmt *stmt, int at);
const char *db_text(struct db_stmt *stmt, int at); /* "" for NULL */
struct str db_bytes(struct db_stmt *stmt, int at);

#endif
