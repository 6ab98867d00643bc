/* Which of a Makefile's targets are programs for users. */
#include "survey/programs.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "base/str.h"
#include "survey/surveyor.h"

/* Names of files that are no programs, or that no rule's target could be. */
static bool is_no_program(const char *name)
{
	static const char *const ends[] = { ".o",  ".a",     ".so",   ".lo",  ".la", ".h",  ".c",
		                            ".1",  ".dll",   ".pc",   ".txt", ".md", ".gz", ".html",
		                            ".js", ".dylib", ".wasm", ".exe", ".bc", ".cc", NULL };

	for (size_t i = 0; ends[i]; i++)
		if (str_ends(name, ends[i]))
			return true;
	return strpbrk(name, "%*?$()'\"`|;&<>=@") || str_ends(name, ".") ||
	       (str_starts(path_base(name), "lib") && strchr(name, '.')) || strstr(name, ".so.") ||
	       name[0] == '-' || name[0] == '/' || !isalnum((unsigned char)*path_base(name));
}

/* ---- what is linked ----------------------------------------------------------------------- */

/* The file that a recipe line makes which runs a compiler or linker; NULL where it does not. */
static const char *made_by_link(const struct makefile *m, const char *line, const char *target)
{
	static const char *const tools[] = { "$(CC)",   "${CC}",     "$(CXX)",     "${CXX}",
		                             "$(LD)",   "$(LINK",    "$(LD)",      "cc ",
		                             "gcc ",    "clang ",    "g++ ",       "c++ ",
		                             "$(CCLD)", "$(HOSTCC)", "$(CXXLINK)", NULL };
	const char *text = makefile_expand(m, line, target), *word;
	const char *makes = NULL;
	bool compiles = false, links = false, next = false;

	while ((word = makefile_word(m, &text))) {
		if (next || (str_starts(word, "-o") && word[2]))
			makes = next ? word : word + 2;
		next = str_eq(word, "-o");
		compiles |= str_eq(word, "-c") || str_eq(word, "-S") || str_eq(word, "-E") ||
		            str_eq(word, "-shared") || str_eq(word, "-MM");
	}
	for (size_t i = 0; tools[i]; i++)
		links |= strstr(line, tools[i]) != NULL;
	return links && !compiles ? makes : NULL;
}

/* "prog: prog.o util.o" without a recipe: make has a rule of its own. */
static bool is_linked_by_make(const struct makefile *m, const struct make_rule *rule,
                              const char *target)
{
	static const char *const sources[] = { ".o", ".c", ".cc", ".cpp", NULL };

	for (size_t i = 0; rule->recipe.n == 0 && sources[i]; i++) {
		_cleanup_free_ char *source = str_fmt("%s%s", target, sources[i]);

		if (makefile_has_word(m, rule->needs, source))
			return true;
	}
	return false;
}

static void find_linked(const struct makefile *m, struct survey_words *linked)
{
	for (size_t i = 0; i < m->rules.n; i++) {
		const struct make_rule *rule = &m->rules.v[i];
		const char *targets = rule->targets, *target;

		while ((target = makefile_word(m, &targets))) {
			if (is_no_program(target))
				continue;
			if (is_linked_by_make(m, rule, target))
				survey_add(linked, target);
			for (size_t k = 0; k < rule->recipe.n; k++) {
				const char *made = made_by_link(m, rule->recipe.v[k], target);

				if (made && !is_no_program(made))
					survey_add(linked, made);
			}
		}
	}
}

/* ---- what is installed -------------------------------------------------------------------- */

/* The words of "install -m 755 A B DIR" without options; true where the line copies files. */
static bool read_copy(const struct makefile *m, const char *line, struct survey_words *words)
{
	const char *text, *word, *tool;

	line += strspn(line, "@-+ \t");
	text = makefile_expand(m, line, NULL);
	word = makefile_word(m, &text);
	tool = word ? path_base(word) : "";
	if (word && str_eq(tool, "libtool"))
		tool = "install";
	if (!str_eq(tool, "install") && !str_eq(tool, "cp") && !str_eq(tool, "ginstall") &&
	    !str_starts(line, "$(INSTALL") && !str_starts(line, "${INSTALL"))
		return false;
	if (!str_eq(tool, "install") && !str_eq(tool, "cp") && !str_eq(tool, "ginstall") && word)
		array_push(words, word);
	while ((word = makefile_word(m, &text))) {
		if (str_eq(word, "-d") || str_eq(word, "-D") || str_eq(word, ";"))
			return str_eq(word, "-D") ? true : words->n > 1;
		if (str_eq(word, "-m") || str_eq(word, "-o") || str_eq(word, "-g"))
			makefile_word(m, &text);
		else if (word[0] != '-')
			array_push(words, word);
	}
	return words->n >= 2;
}

/* Whether a recipe line's last word is a folder for programs. */
static bool goes_to_bin(const char *line)
{
	_cleanup_free_ char *low = str_dup(line);

	for (char *p = low; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return strstr(low, "bin") && !strstr(low, "man/") && !strstr(low, "man1");
}

static bool is_install(const char *target)
{
	return str_starts(target, "install") || str_eq(target, "do-install");
}

/* A rule that makes a link, or a copy, of another program. */
static bool is_other_name(const struct makefile *m, const struct make_rule *rule)
{
	for (size_t i = 0; i < rule->recipe.n; i++) {
		const char *text = makefile_expand(m, rule->recipe.v[i], NULL), *word;

		text += strspn(text, "@-+ \t");
		word = makefile_word(m, &text);
		if (word && (str_eq(path_base(word), "ln") || str_eq(path_base(word), "cp")))
			return true;
	}
	return false;
}

/* A program has a rule, or is needed by one; a file that git tracks is a script. */
static bool is_made(const struct survey *s, const struct makefile *m, const char *dir,
                    const char *name)
{
	_cleanup_free_ char *path = dir[0] ? path_join(dir, name) : str_dup(name);

	if (survey_has(s, path))
		return false;
	for (size_t i = 0; i < m->rules.n; i++)
		if (makefile_has_word(m, m->rules.v[i].targets, name))
			return !is_other_name(m, &m->rules.v[i]);
	for (size_t i = 0; i < m->rules.n; i++)
		if (makefile_has_word(m, m->rules.v[i].needs, name))
			return true;
	return false;
}

static void take_installed(const struct survey *s, const struct makefile *m, const char *dir,
                           const char *word, struct survey_words *installed)
{
	if (str_starts(word, "./"))
		word += 2;
	if (!is_no_program(word) && is_made(s, m, dir, word))
		survey_add(installed, word);
}

static void find_installed(const struct survey *s, const struct makefile *m, const char *dir,
                           struct survey_words *installed)
{
	for (size_t i = 0; i < m->rules.n; i++) {
		const struct make_rule *rule = &m->rules.v[i];
		const char *targets = rule->targets, *target = makefile_word(m, &targets);

		if (!target || !is_install(target))
			continue;
		for (size_t k = 0; k < rule->recipe.n; k++) {
			struct survey_words words = { 0 };

			if (goes_to_bin(rule->recipe.v[k]) &&
			    read_copy(m, rule->recipe.v[k], &words))
				for (size_t w = 0; w + 1 < words.n; w++)
					take_installed(s, m, dir, words.v[w], installed);
			array_deinit(&words);
		}
	}
}

/* ---- the choice --------------------------------------------------------------------------- */

/* What the first rule wants, through rules that only name others ("all: programs"). */
static void find_wanted(const struct makefile *m, const char *target,
                        const struct survey_words *linked, int depth, struct survey_words *wanted)
{
	if (depth > 4)
		return;
	if (survey_knows(linked, target))
		survey_add(wanted, target);
	for (size_t i = 0; i < m->rules.n; i++) {
		const char *needs = m->rules.v[i].needs, *need;

		if (!makefile_has_word(m, m->rules.v[i].targets, target))
			continue;
		while ((need = makefile_word(m, &needs)))
			find_wanted(m, need, linked, depth + 1, wanted);
	}
}

static const char *first_target(const struct makefile *m)
{
	for (size_t i = 0; i < m->rules.n; i++) {
		const char *targets = m->rules.v[i].targets;
		const char *target = makefile_word(m, &targets);

		if (target && target[0] != '.' && !strchr(target, '%'))
			return target;
	}
	return NULL;
}

static void take_for_users(const struct survey_words *from, struct survey_words *to)
{
	for (size_t i = 0; i < from->n; i++)
		if (!survey_is_for_developers(from->v[i]))
			survey_add(to, from->v[i]);
}

void programs_find(struct survey *s, const struct makefile *m, const char *dir,
                   struct survey_words *ret)
{
	struct survey_words linked = { 0 }, wanted = { 0 };
	const char *first = first_target(m);

	find_installed(s, m, dir, ret);
	find_linked(m, &linked);
	if (ret->n == 0 && first)
		find_wanted(m, first, &linked, 0, &wanted);
	if (ret->n == 0)
		take_for_users(&wanted, ret);
	if (ret->n == 0)
		take_for_users(&linked, ret);
	array_deinit(&linked);
	array_deinit(&wanted);
}
