#ifndef KILN_EVIDENCE_PAGE_H
#define KILN_EVIDENCE_PAGE_H

#include "base/buf.h"
#include "external/json.h"

/*
 * report.html: one self-contained page (no script, nothing loaded) for whoever is handed the
 * folder: what ships for which target and why, every file with its digest, what it was made of,
 * and how to check it. Built from the documents that lie beside it.
 */
void page_write(const json_t *manifest, const json_t *verdict, const json_t *statement,
                struct buf *buf);

#endif
