// hello: counts words and greets the most frequent one.
//   hello [-n COUNT] [FILE]...   (standard input without a file)
// Small on purpose: the quickest real program that goes through a whole profiled release.
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct word {
	char *text;
	unsigned long count;
	struct word *next;
};

struct table {
	struct word **bucket;
	size_t buckets, words;
	unsigned long lines, total;
};

static void *need(void *p)
{
	if (p)
		return p;
	fputs("hello: out of memory\n", stderr);
	exit(2);
}

static size_t hash(const char *s)
{
	size_t h = 1469598103u;

	while (*s)
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h;
}

static void grow(struct table *t)
{
	size_t wider = t->buckets ? t->buckets * 2 : 64;
	struct word **bucket = need(calloc(wider, sizeof *bucket));

	for (size_t i = 0; i < t->buckets; i++)
		for (struct word *w = t->bucket[i], *next; w; w = next) {
			size_t at = hash(w->text) % wider;

			next = w->next;
			w->next = bucket[at];
			bucket[at] = w;
		}
	free(t->bucket);
	t->bucket = bucket;
	t->buckets = wider;
}

static void count(struct table *t, const char *text)
{
	if (t->words >= t->buckets)
		grow(t);
	struct word **at = &t->bucket[hash(text) % t->buckets], *w;

	t->total++;
	for (w = *at; w; w = w->next)
		if (strcmp(w->text, text) == 0) {
			w->count++;
			return;
		}
	w = need(malloc(sizeof *w));
	w->text = need(strdup(text));
	w->count = 1;
	w->next = *at;
	*at = w;
	t->words++;
}

static void read_words(struct table *t, FILE *in)
{
	char text[128];
	size_t n = 0;
	int c;

	do {
		c = getc(in);
		if (isalpha(c)) {
			if (n + 1 < sizeof text)
				text[n++] = (char)tolower(c);
			continue;
		}
		if (n) {
			text[n] = '\0';
			count(t, text);
			n = 0;
		}
		if (c == '\n')
			t->lines++;
	} while (c != EOF);
}

static int by_count(const void *a, const void *b)
{
	const struct word *x = *(struct word *const *)a, *y = *(struct word *const *)b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->text, y->text);
}

static void report(const struct table *t, size_t most)
{
	struct word **all = need(malloc((t->words + 1) * sizeof *all));
	size_t n = 0;

	for (size_t i = 0; i < t->buckets; i++)
		for (struct word *w = t->bucket[i]; w; w = w->next)
			all[n++] = w;
	qsort(all, n, sizeof *all, by_count);
	printf("hello, %s!\n", n ? all[0]->text : "world");
	printf("%lu lines, %lu words, %zu different\n", t->lines, t->total, t->words);
	for (size_t i = 0; i < n && i < most; i++)
		printf("%8lu %s\n", all[i]->count, all[i]->text);
	free(all);
}

int main(int argc, char **argv)
{
	struct table t = { 0 };
	size_t most = 5;
	int i = 1;

	if (i + 1 < argc && strcmp(argv[i], "-n") == 0) {
		most = strtoul(argv[i + 1], NULL, 10);
		i += 2;
	}
	if (i == argc)
		read_words(&t, stdin);
	for (; i < argc; i++) {
		FILE *in = fopen(argv[i], "r");

		if (!in) {
			fprintf(stderr, "hello: %s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		read_words(&t, in);
		fclose(in);
	}
	report(&t, most);
	for (size_t k = 0; k < t.buckets; k++)
		for (struct word *w = t.bucket[k], *next; w; w = next) {
			next = w->next;
			free(w->text);
			free(w);
		}
	free(t.bucket);
	return 0;
}
