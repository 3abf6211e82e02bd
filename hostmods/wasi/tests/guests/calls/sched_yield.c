// sched_yield: going on.
#include "check.h"

void run(void) {
    EXPECT(SUCCESS, sched_yield());
}
