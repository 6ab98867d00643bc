#ifndef KILN_HOST_CLOCK_H
#define KILN_HOST_CLOCK_H

#include <stdint.h>

/*
 * The only place where the clock is read. Nothing that is hashed or signed as content depends on
 * it. With KILN_CLOCK=SECONDS in the environment the wall clock stands still at that time.
 */
int64_t clock_wall_us(void); /* since 1970 */
int64_t clock_real_us(void); /* the same, never held: to compare with files' times */
int64_t clock_mono_us(void); /* since some fixed point; never goes back, never held */

#endif
