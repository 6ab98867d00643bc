/* Cargo: the manifest at the root. */
#include "base/str.h"
#include "survey/surveyor.h"

static const char *recognise(const struct survey *s)
{
	return survey_has(s, "Cargo.toml") ? "Cargo.toml" : NULL;
}

static int look(struct survey *s, struct err *err)
{
	(void)s;
	return err_set(err, ERR_INPUT, "cargo projects are not built yet");
}

const struct surveyor surveyor_cargo = { "cargo", "cargo", recognise, look };
