/*
 * smoke@2: an optimised program must say what the reference says. Each case compares two captured
 * outputs line by line after the filters that the recipe declared for what varies in it (dates,
 * times, addresses); the first difference fails the stage with both lines in sight. Where the
 * reference's output was pinned, its digest takes the place of the reference.
 *
 * kiln.json: {"cases":[{"name","candidate":PATH,"reference":PATH | "expected":SHA256,
 *                       "filters":[{"drop_lines":GLOB} | {"regex":ERE,"replace":TEXT}]}],
 *             "label":TEXT}
 * Writes smoke.json: {"cases":{NAME: sha256 of the filtered bytes}}.
 */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/path.h"
#include "exec/builtin.h"
#include "external/crypto.h"
#include "external/json.h"
#include "host/fs.h"

enum { PARAMS_MAX = 16 << 20, LINE_MAX_BYTES = 64 << 20, SHOWN_MAX = 160 };

struct filter {
	char *drop; /* a glob over whole lines, or NULL */
	regex_t regex;
	bool has_regex;
	const char *replace; /* \0 to \9 stand for what matched */
};

struct filters {
	ARRAY(struct filter) list;
};

/* A run of the held-out workload. */
struct smoke_case {
	const char *name;
	const char *label; /* what is compared with what, for the message; may be NULL */
	struct filters filters;
};

/* One side of a comparison. */
struct side {
	const char *what; /* "reference" or "candidate" */
	const char *path;
	char *map;
	size_t n, at;
	size_t line;     /* number of the current line in the file, from 1 */
	struct buf text; /* the current line, filtered */
	bool ended;
};

/* ---- filters ------------------------------------------------------------------------------- */

/* In file names `*` stops at a slash; in lines there is nothing to stop at. */
static char *line_glob(const char *glob)
{
	struct buf out = BUF_INIT(2 * strlen(glob) + 1);

	for (; *glob; glob++) {
		buf_add_char(&out, *glob);
		if (*glob == '*' && glob[1] != '*')
			buf_add_char(&out, '*');
		else if (*glob == '*')
			buf_add_char(&out, *++glob);
	}
	return buf_steal(&out);
}

static int add_filter(struct filters *filters, const json_t *json, struct err *err)
{
	const char *drop = json_str_or(json, "drop_lines", NULL);
	const char *regex = json_str_or(json, "regex", NULL);
	struct filter *filter = array_add(&filters->list);
	char why[256];
	int rc;

	if (!drop == !regex)
		return err_set(err, ERR_INPUT,
		               "a smoke filter needs either 'drop_lines' or 'regex'");
	if (drop) {
		filter->drop = line_glob(drop);
		return 0;
	}
	rc = regcomp(&filter->regex, regex, REG_EXTENDED);
	if (rc != 0) {
		regerror(rc, &filter->regex, why, sizeof(why));
		return err_set(err, ERR_INPUT, "the smoke filter's regex '%s' is wrong: %s", regex,
		               why);
	}
	filter->has_regex = true;
	filter->replace = json_str_or(json, "replace", "");
	return 0;
}

static void filters_deinit(struct filters *filters)
{
	for (size_t i = 0; i < filters->list.n; i++) {
		free(filters->list.v[i].drop);
		if (filters->list.v[i].has_regex)
			regfree(&filters->list.v[i].regex);
	}
	array_deinit(&filters->list);
}

static void add_replacement(struct buf *out, const char *replace, const char *text,
                            const regmatch_t *m)
{
	for (; *replace; replace++) {
		if (*replace == '\\' && replace[1] >= '0' && replace[1] <= '9') {
			const regmatch_t *group = &m[*++replace - '0'];

			if (group->rm_so >= 0)
				buf_add(out, text + group->rm_so,
				        (size_t)(group->rm_eo - group->rm_so));
		} else {
			if (*replace == '\\' && replace[1])
				replace++;
			buf_add_char(out, *replace);
		}
	}
}

/*
 * Searches from `at` on, where the caller's line has `left` bytes to go. Where the library can be
 * told the length it does not look for the end anew with every match.
 */
static bool find_match(const regex_t *regex, const char *at, size_t left, regmatch_t m[10],
                       bool at_begin)
{
	int flags = at_begin ? 0 : REG_NOTBOL;

#ifdef REG_STARTEND
	m[0] = (regmatch_t){ 0, (regoff_t)left };
	flags |= REG_STARTEND;
#else
	(void)left;
#endif
	return regexec(regex, at, 10, m, flags) == 0;
}

/* Replaces every match in one line (without its newline). */
static void apply_regex(const struct filter *filter, struct buf *line)
{
	struct buf out = BUF_INIT(LINE_MAX_BYTES);
	const char *begin = buf_text(line), *end = begin + line->n, *at = begin;
	regmatch_t m[10];

	while (find_match(&filter->regex, at, (size_t)(end - at), m, at == begin)) {
		buf_add(&out, at, (size_t)m[0].rm_so);
		add_replacement(&out, filter->replace, at, m);
		at += m[0].rm_eo;
		if (m[0].rm_so != m[0].rm_eo)
			continue;
		if (!*at)
			break;
		buf_add_char(&out, *at++);
	}
	buf_add(&out, at, (size_t)(end - at));
	out.overflow = out.overflow || line->overflow;
	buf_deinit(line);
	*line = out;
}

/* Filters the line in place. False: it is dropped. Lines with a NUL byte are left as they are. */
static bool apply(const struct filters *filters, struct buf *line)
{
	if (memchr(buf_text(line), '\0', line->n))
		return true;
	for (size_t i = 0; i < filters->list.n; i++) {
		const struct filter *filter = &filters->list.v[i];

		if (filter->drop && str_glob(filter->drop, buf_text(line)))
			return false;
		if (filter->has_regex)
			apply_regex(filter, line);
	}
	return true;
}

/* ---- comparing ----------------------------------------------------------------------------- */

static int open_side(struct side *side, int dir_fd, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int rc = fs_open_beneath(dir_fd, side->path, O_RDONLY, 0, true, &fd, err);

	if (rc > 0)
		return err_set(err, ERR_INPUT, "the smoke case's %s %s is not there", side->what,
		               side->path);
	if (rc < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "cannot read %s", side->path);
	side->n = (size_t)st.st_size;
	if (side->n) {
		side->map = mmap(NULL, side->n, PROT_READ, MAP_PRIVATE, fd, 0);
		if (side->map == MAP_FAILED) {
			side->map = NULL;
			return err_sys(err, ERR_IO, "cannot read %s", side->path);
		}
	}
	return 0;
}

static void close_side(struct side *side)
{
	if (side->map)
		munmap(side->map, side->n);
	buf_deinit(&side->text);
}

/* Moves to the next line that the filters keep; a last line without newline is another line than
 * one with it. */
static int next_line(struct side *side, const struct filters *filters, struct err *err)
{
	while (side->at < side->n) {
		const char *from = side->map + side->at;
		const char *end = memchr(from, '\n', side->n - side->at);
		size_t n = end ? (size_t)(end - from) : side->n - side->at;
		bool kept;

		side->at += n + (end ? 1 : 0);
		side->line++;
		buf_deinit(&side->text);
		side->text = BUF_INIT(LINE_MAX_BYTES);
		buf_add(&side->text, from, n);
		kept = apply(filters, &side->text);
		if (end)
			buf_add_char(&side->text, '\n');
		if (side->text.overflow)
			return err_set(err, ERR_STAGE, "line %zu of %s is larger than %d bytes",
			               side->line, side->path, LINE_MAX_BYTES);
		if (kept)
			return 0;
	}
	side->ended = true;
	return 0;
}

/* What people see of a line. */
static void show(struct buf *out, const struct side *side)
{
	const char *text = buf_text(&side->text);
	size_t n = side->text.n < SHOWN_MAX ? side->text.n : SHOWN_MAX;
	_cleanup_free_ char *shown = NULL;

	if (side->ended) {
		buf_fmt(out, "(ends after line %zu)", side->line);
		return;
	}
	if (n && text[n - 1] == '\n')
		n--;
	shown = str_escape((struct str){ text, n });
	buf_add_str(out, shown);
	if (side->text.n > SHOWN_MAX)
		buf_add_str(out, "…");
	if (!side->text.n || text[side->text.n - 1] != '\n')
		buf_add_str(out, " (no newline at the end)");
}

static int differs(const struct smoke_case *c, const struct side *ref, const struct side *cand,
                   struct err *err)
{
	_cleanup_buf_ struct buf a = BUF_INIT(4096);
	_cleanup_buf_ struct buf b = BUF_INIT(4096);

	show(&a, ref);
	show(&b, cand);
	err_set(err, ERR_STAGE,
	        "smoke case '%s' differs at line %zu%s%s%s:\n  reference: %s\n  candidate: %s",
	        c->name, cand->ended ? ref->line : cand->line, c->label ? " (" : "",
	        c->label ? c->label : "", c->label ? ")" : "", buf_text(&a), buf_text(&b));
	return err_hint(err, "if this line varies from run to run, add a filter to the recipe "
	                     "(drop_lines or regex), or fix the workload; if not, the optimised "
	                     "program is wrong");
}

static int compare(const struct smoke_case *c, struct side *ref, struct side *cand,
                   struct digest *ret, struct err *err)
{
	struct hasher *hasher = hasher_new();
	int rc = 0;

	while (rc == 0) {
		if (next_line(ref, &c->filters, err) < 0 || next_line(cand, &c->filters, err) < 0)
			rc = -1;
		else if (ref->ended && cand->ended)
			break;
		else if (ref->ended || cand->ended ||
		         !str_same(buf_str(&ref->text), buf_str(&cand->text)))
			rc = differs(c, ref, cand, err);
		else
			hasher_add(hasher, ref->text.p, ref->text.n);
	}
	if (rc == 0)
		hasher_finish(hasher, ret);
	hasher_free(hasher);
	return rc;
}

/* Opens the reference and compares line by line. */
static int check_reference(const struct smoke_case *c, const json_t *json, int dir_fd,
                           struct side *cand, struct digest *ret, struct err *err)
{
	struct side ref = { .what = "reference", .text = BUF_INIT(0) };
	int rc = json_get_str(json, "reference", "the smoke case", &ref.path, err);

	if (rc == 0)
		rc = open_side(&ref, dir_fd, err);
	if (rc == 0)
		rc = compare(c, &ref, cand, ret, err);
	close_side(&ref);
	return rc;
}

static int hash_side(const struct smoke_case *c, struct side *side, struct digest *ret,
                     struct err *err)
{
	struct hasher *hasher = hasher_new();
	int rc;

	while ((rc = next_line(side, &c->filters, err)) == 0 && !side->ended)
		hasher_add(hasher, side->text.p, side->text.n);
	if (rc == 0)
		hasher_finish(hasher, ret);
	hasher_free(hasher);
	return rc;
}

/* Compares with what was pinned; the reference's text is not there to be shown. */
static int check_expected(const struct smoke_case *c, const char *expected, struct side *cand,
                          struct digest *ret, struct err *err)
{
	struct digest pinned;

	if (!digest_parse(expected, &pinned))
		return err_set(err, ERR_INPUT,
		               "the pinned output of smoke case '%s' is no SHA-256: %s", c->name,
		               expected);
	if (hash_side(c, cand, ret, err) < 0)
		return -1;
	if (digest_eq(&pinned, ret))
		return 0;
	err_set(err, ERR_STAGE,
	        "smoke case '%s' prints something else than the verdict in the lock says: pinned "
	        "sha256:%s, printed sha256:%s (%zu lines)",
	        c->name, expected, DIGEST_TEXT(ret), cand->line);
	return err_hint(err, "find out why it differs: `kiln lock` compares with the plain build "
	                     "line by line, and accepts the new output");
}

static int check_case(const struct smoke_case *c, const json_t *json, int dir_fd, json_t *cases,
                      FILE *out, struct err *err)
{
	struct side cand = { .what = "candidate", .text = BUF_INIT(0) };
	const char *expected = json_str_or(json, "expected", NULL);
	struct digest digest;
	int rc = json_get_str(json, "candidate", "the smoke case", &cand.path, err);

	if (rc == 0)
		rc = open_side(&cand, dir_fd, err);
	if (rc == 0)
		rc = expected ? check_expected(c, expected, &cand, &digest, err) :
		                check_reference(c, json, dir_fd, &cand, &digest, err);
	if (rc == 0) {
		json_object_set_new(cases, c->name, json_string(DIGEST_TEXT(&digest)));
		fprintf(out, "same: %s (%zu lines%s)\n", c->name, cand.line,
		        expected ? ", as pinned" : "");
	}
	close_side(&cand);
	return rc;
}

static int run_case(const json_t *json, int dir_fd, const char *label, json_t *cases, FILE *out,
                    struct err *err)
{
	struct smoke_case c = { .label = label };
	json_t *filter;
	size_t i;
	int rc = json_get_str(json, "name", "the smoke case", &c.name, err);

	if (rc == 0 && json_object_get(cases, c.name))
		rc = err_set(err, ERR_INPUT, "two smoke cases are named '%s'", c.name);
	json_array_foreach (json_object_get(json, "filters"), i, filter)
		if (rc == 0)
			rc = add_filter(&c.filters, filter, err);
	if (rc == 0)
		rc = check_case(&c, json, dir_fd, cases, out, err);
	filters_deinit(&c.filters);
	return rc;
}

static int run_cases(const json_t *params, int dir_fd, FILE *out, struct err *err)
{
	_cleanup_json_ json_t *document = json_object();
	_cleanup_buf_ struct buf text = BUF_INIT(PARAMS_MAX);
	const char *label = json_str_or(params, "label", NULL);
	json_t *cases = json_object();
	json_t *list, *item;
	size_t i;

	json_object_set_new(document, "cases", cases);
	if (json_get_array(params, "cases", BUILTIN_PARAMS, &list, err) < 0)
		return -1;
	if (!json_array_size(list))
		return err_set(err, ERR_INPUT, "a smoke stage without cases proves nothing");
	json_array_foreach (list, i, item)
		if (run_case(item, dir_fd, label, cases, out, err) < 0)
			return -1;
	json_write_canonical(document, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT, "the smoke test has too many cases");
	return fs_write_file(dir_fd, "smoke.json", buf_text(&text), text.n, 0644, false, err);
}

static int smoke_run(int dir_fd, const char *const *argv, FILE *out, struct err *err)
{
	_cleanup_json_ json_t *params = NULL;
	int rc = json_read_file(dir_fd, BUILTIN_PARAMS, &params, err);

	(void)argv;
	if (rc > 0)
		return err_set(err, ERR_INPUT, "%s is missing", BUILTIN_PARAMS);
	return rc == 0 ? run_cases(params, dir_fd, out, err) : rc;
}

const struct builtin builtin_smoke = { .name = "smoke", .version = 2, .run = smoke_run };
