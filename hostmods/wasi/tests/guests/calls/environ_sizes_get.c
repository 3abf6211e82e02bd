// environ_sizes_get: how many variables there are, and their bytes.
#include "check.h"

void run(void) {
    u32 count = 0;
    EXPECT(SUCCESS, environ_sizes_get(&count, &size));
    THAT(count == 1 && size == 4);
}
