// clock_res_get: clocks that there are and clocks that there are not.
#include "check.h"

void run(void) {
    u64 time = 0;
    for (u32 id = 0; id < 2; id++) {
        EXPECT(SUCCESS, clock_res_get(id, &time));
        THAT(time > 0);
    }
    EXPECT(BADF, clock_res_get(2, &time));
    EXPECT(BADF, clock_res_get(3, &time));
}
