// args_sizes_get: how many arguments there are, and their bytes.
#include "check.h"

void run(void) {
    u32 count = 0;
    EXPECT(SUCCESS, args_sizes_get(&count, &size));
    THAT(count == 2 && size == 8);
}
