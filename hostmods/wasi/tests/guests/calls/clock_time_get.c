// clock_time_get: time that goes on; clocks that there are not.
#include "check.h"

void run(void) {
    u64 one, other;
    EXPECT(SUCCESS, clock_time_get(0, 1, &one));
    THAT(one > 1577836800000000000ull);  // 2020
    EXPECT(SUCCESS, clock_time_get(1, 1, &one));
    EXPECT(SUCCESS, clock_time_get(1, 1000000, &other));
    THAT(other >= one);
    EXPECT(BADF, clock_time_get(2, 1, &one));
    EXPECT(BADF, clock_time_get(3, 1, &one));
}
