#ifndef KILN_SURVEY_TRAINING_H
#define KILN_SURVEY_TRAINING_H

#include "survey/survey.h"

/*
 * A sketch of a training workload, from what a project measures or tests itself with. Files of one
 * kind are split: most train, some are held out, none does both.
 */
struct training_run {
	const char *name;
	const char *bin;
	const char *arguments;  /* Lua behind the program: `, file "x", "-n"`; or "" */
	const char *stdin_file; /* or NULL */
};

enum training_worth {
	TRAINING_BENCHMARKS, /* what the project measures itself by: likely the right thing */
	TRAINING_TESTS,      /* tests go into corners that users seldom see */
	TRAINING_NOTHING,    /* the program says what it is, and that is all */
};

struct training {
	enum training_worth worth;
	const char *work; /* folder of the files; NULL: none is needed */
	const char *says; /* a sentence on how representative it is likely to be */
	ARRAY(struct training_run) train, holdout;
};

/* The folder with the data that a sketch would take; NULL: there is none. */
const char *training_folder(struct survey *s);
/* Always gives a sketch that can be run. */
void training_sketch(struct survey *s, struct training *ret);
void training_deinit(struct training *training);

#endif
