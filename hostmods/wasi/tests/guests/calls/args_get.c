// args_get: the arguments, each ended by a NUL.
#include "check.h"

void run(void) {
    u32 count;
    u8 *starts[4];
    EXPECT(SUCCESS, args_sizes_get(&count, &size));
    THAT(count == 2 && size == 8);
    EXPECT(SUCCESS, args_get(starts, bytes));
    THAT(starts[0] == bytes && starts[1] == bytes + 5);
    THAT(holds("prog\0-x", 8));
}
