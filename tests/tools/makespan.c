/*
 * usage: makespan GRAPH SLOTS
 * How long the engine takes for a recorded graph on so many processors, in virtual time: "MAKESPAN
 * CRITICAL WORK" in microseconds. CRITICAL is the longest path, WORK the sum of all; no schedule is
 * shorter than the longer of CRITICAL and WORK/SLOTS. Lines of GRAPH: ADDRESS MICROSECONDS NEED….
 * The engine knows the durations from a first run, as it does from the last one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/str.h"
#include "fakes/world.h"

struct stage_line {
	char *address;
	int64_t us, path_us; /* path_us: to its end */
	struct buf needs;    /* as inputs of the document */
	ARRAY(size_t) deps;
};

struct graph {
	ARRAY(struct stage_line) lines;
	struct map *index, *durations;
};

static void read_line(struct graph *g, char *text)
{
	char *save = NULL, *word = strtok_r(text, " \n", &save);
	struct stage_line *line;
	size_t n = 0;

	if (!word || word[0] == '#')
		return;
	line = array_add(&g->lines);
	line->address = str_dup(word);
	line->us = strtoll(strtok_r(NULL, " \n", &save), NULL, 10);
	line->needs = BUF_INIT(1 << 20);
	line->path_us = line->us;
	while ((word = strtok_r(NULL, " \n", &save))) {
		size_t dep = (size_t)(uintptr_t)map_get(g->index, word);

		if (!dep)
			continue; /* pinned, or in no plan */
		buf_fmt(&line->needs, "%s{'at':'i%zu','from':{'$stage':'%s','path':'o'}}",
		        n ? "," : "", n, word);
		n++;
		if (g->lines.v[dep - 1].path_us + line->us > line->path_us)
			line->path_us = g->lines.v[dep - 1].path_us + line->us;
	}
	map_set(g->index, line->address, (void *)(uintptr_t)g->lines.n);
}

static int read_graph(struct graph *g, const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return -1;
	g->index = map_new();
	g->durations = map_new();
	while (getline(&text, &size, f) > 0)
		read_line(g, text);
	for (size_t i = 0; i < g->lines.n; i++)
		map_set(g->durations, g->lines.v[i].address, &g->lines.v[i].us);
	free(text);
	fclose(f);
	return g->lines.n ? 0 : -1;
}

static void load(struct world *w, const struct graph *g)
{
	struct buf stages = BUF_INIT(64 << 20);

	for (size_t i = 0; i < g->lines.n; i++) {
		const struct stage_line *line = &g->lines.v[i];

		buf_fmt(&stages,
		        "%s{'address':'%s','target':'t','variant':'v','name':'n%zu','kind':'run',"
		        "'where':'graph:%zu','options':{'argv':['make','%s'],'outputs':['o'],"
		        "'inputs':[%s]}}",
		        i ? "," : "[", line->address, i, i + 1, line->address,
		        buf_text(&line->needs));
	}
	buf_add_str(&stages, "]");
	fixture_load_parts(&w->f, buf_text(&stages), "");
	world_plan(w, "*");
	buf_deinit(&stages);
}

int main(int argc, char **argv)
{
	struct graph g = { 0 };
	struct fake_pace pace = { 0 };
	struct world w;
	int64_t critical = 0, work = 0;

	if (argc != 3 || read_graph(&g, argv[1]) < 0) {
		fputs("usage: makespan GRAPH SLOTS\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < g.lines.n; i++) {
		work += g.lines.v[i].us;
		critical = g.lines.v[i].path_us > critical ? g.lines.v[i].path_us : critical;
	}
	world_init(&w);
	pace.durations = g.durations;
	pace.processors = strtoul(argv[2], NULL, 10);
	w.fake.pace = &pace;
	w.request.jobs = (int)pace.processors;
	load(&w, &g);
	world_must_run(&w);
	w.f.facts.epoch++; /* everything is other work now, and its durations are known */
	load(&w, &g);
	pace.now_us = 0;
	world_must_run(&w);
	printf("%.0f %lld %lld\n", pace.now_us, (long long)critical, (long long)work);
	world_deinit(&w);
	return 0;
}
