// environ_get: the variables, each ended by a NUL.
#include "check.h"

void run(void) {
    u8 *starts[4];
    u32 count;
    EXPECT(SUCCESS, environ_sizes_get(&count, &size));
    EXPECT(SUCCESS, environ_get(starts, bytes));
    THAT(starts[0] == bytes);
    THAT(holds("A=1", 4));
}
