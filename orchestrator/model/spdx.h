#ifndef KILN_MODEL_SPDX_H
#define KILN_MODEL_SPDX_H

#include <stdbool.h>

/*
 * License expressions by the grammar of the SPDX specification 2.3, annex D: identifiers, "+",
 * LicenseRef- and DocumentRef-, WITH, AND, OR, parentheses. Whether an identifier is on SPDX's list is
 * not looked at: the list grows. Returns NULL, or what is wrong: static words that go on after the
 * expression ("… is no SPDX expression: it ends where a license should stand").
 */
const char *spdx_fault(const char *expression);

#endif
