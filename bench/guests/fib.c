/* fib(n) by the naive double recursion: nothing but calls, compares and adds.
 * Clang would turn one of the two calls into a loop; it is told not to, so that the guest does what its name says. */
#include "guest.h"

#ifdef __clang__
__attribute__((disable_tail_calls))
#endif
static NOINLINE int32_t fib(int32_t n) {
    return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

EXPORT(run) int64_t run(int32_t n) {
    return fib(n);
}
