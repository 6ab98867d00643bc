#ifndef KILN_TESTS_FUZZ_H
#define KILN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls for every input. A property that does not hold aborts by bug_on(). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
