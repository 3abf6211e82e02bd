// random_get: bytes that differ, as many as asked for.
#include "check.h"

void run(void) {
    u64 *words = (u64 *)bytes;
    EXPECT(SUCCESS, random_get(bytes, 24));
    THAT(words[0] != words[1] && words[1] != words[2] && words[3] == 0);
    EXPECT(SUCCESS, random_get(bytes, 0));
}
