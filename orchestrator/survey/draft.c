/* The recipe that `kiln init` writes. Comments say where each value comes from. */
#include "survey/draft.h"
#include "base/str.h"

#include <string.h>

#include "survey/surveyor.h"

enum { COMMENT_AT = 44 }; /* the column that comments behind a value begin at */

struct draft {
	struct survey *s;
	struct buf *out;
};

static void end_line(struct draft *d, size_t began, const char *comment)
{
	size_t width = d->out->n - began;

	if (comment)
		buf_fmt(d->out, "%*s -- %s", width < COMMENT_AT ? (int)(COMMENT_AT - width) : 0, "",
		        comment);
	buf_add_char(d->out, '\n');
}

static void add_field(struct draft *d, int indent, const char *name, const char *value,
                      const char *comment)
{
	size_t began = d->out->n;

	buf_fmt(d->out, "%*s%s = %s,", indent, "", name, value);
	end_line(d, began, comment);
}

static void add_version(struct draft *d)
{
	struct survey *s = d->s;
	const char *tags = s->tags ? s->tags : "v[0-9]*";

	add_field(d, 2, "version",
	          arena_fmt(s->arena, "git.version { tag = %s }", survey_quote(s, tags)),
	          s->tags ? "a tag is a release, commits behind it are snapshots" :
	                    arena_fmt(s->arena, "%s: `git tag v%s` makes the first release",
	                              s->other_tag ? "no tag reads as a version" : "no tag yet",
	                              s->version ? s->version : "1.0.0"));
}

static void add_license(struct draft *d)
{
	struct survey *s = d->s;

	if (s->license)
		add_field(d, 2, "license", survey_quote(s, s->license),
		          s->license_from ? arena_fmt(s->arena, "see %s", s->license_from) : NULL);
	else
		add_field(d, 2, "license", "\"LicenseRef-unknown\"",
		          "not recognised: an SPDX expression, as in \"MIT\"");
}

static void add_build(struct draft *d)
{
	buf_fmt(d->out, "  build = %s.build {\n", d->s->builder);
	for (size_t i = 0; i < d->s->fields.n; i++) {
		const struct survey_field *f = &d->s->fields.v[i];

		add_field(d, 4, f->name, f->value, f->comment);
	}
	buf_add_str(d->out, "  },\n");
}

static void add_files(struct draft *d)
{
	struct survey *s = d->s;
	const char *documents = survey_list(s, &s->documents);

	if (s->documents.n == 0 && s->pages.n == 0)
		return;
	if (s->pages.n > 0) {
		size_t n = strlen(documents);

		documents = arena_fmt(s->arena, "%.*s%s man = %s }",
		                      (int)(s->documents.n ? n - 2 : n - 1), documents,
		                      s->documents.n ? "," : "", survey_list(s, &s->pages));
	}
	add_field(d, 2, "files", documents, NULL);
}

static void add_run(struct draft *d, const struct training_run *run)
{
	buf_fmt(d->out, "    %s = run { bin %s%s", run->name, survey_quote(d->s, run->bin),
	        run->arguments);
	if (run->stdin_file)
		buf_fmt(d->out, ", stdin = file %s", survey_quote(d->s, run->stdin_file));
	buf_add_str(d->out, " },\n");
}

static void add_training(struct draft *d, const struct training *t)
{
	buf_fmt(d->out, "  -- %s\n", t->says);
	if (t->work)
		add_field(d, 2, "work",
		          arena_fmt(d->s->arena, "folder %s", survey_quote(d->s, t->work)),
		          "where the files of the runs lie");
	buf_add_str(d->out, "  train = {\n");
	for (size_t i = 0; i < t->train.n; i++)
		add_run(d, &t->train.v[i]);
	buf_add_str(d->out,
	            "  },\n  holdout = { -- other data: every variant must print the same\n");
	for (size_t i = 0; i < t->holdout.n; i++)
		add_run(d, &t->holdout.v[i]);
	buf_add_str(d->out, "  },\n  optimize = fdo { lto = \"thin\", pgo = true, bolt = \"auto\", "
	                    "ship = \"pgo+lto+bolt\" },\n");
}

void draft_write(struct survey *s, const char *triple, const struct training *training,
                 struct buf *ret)
{
	struct draft d = { s, ret };

	buf_fmt(ret,
	        "-- How %s is built and released.\n"
	        "--   kiln build --variant plain    builds it in a pinned image\n"
	        "--   kiln release --snapshot       makes a signed release of this commit\n"
	        "return release {\n  api = 1,\n",
	        s->name);
	add_field(&d, 2, "name", survey_quote(s, s->name), NULL);
	add_version(&d);
	add_license(&d);
	add_field(&d, 2, "source", "checkout {}", "what git tracks here");
	add_build(&d);
	if (s->packages.n)
		add_field(&d, 2, "add", survey_list(s, &s->packages),
		          "Debian packages that the build needs");
	add_field(&d, 2, "targets", arena_fmt(s->arena, "{ %s }", survey_quote(s, triple)),
	          "`kiln plan --targets` lists others");
	if (training)
		add_training(&d, training);
	add_files(&d);
	add_field(&d, 2, "packages", "{ archive { \"tar.zst\" } }",
	          "also: deb { maintainer = \"NAME <MAIL>\" }");
	buf_add_str(ret, "}\n");
}
