// fd_renumber: a descriptor in the place of another.
#include "check.h"

void run(void) {
    u32 from = OPEN("file", 0, READ), to = OPEN("dir", DIRECTORY, READ);
    iovec one = buffer(3);
    EXPECT(SUCCESS, fd_renumber(from, to));
    EXPECT(BADF, fd_read(from, &one, 1, &size));
    EXPECT(SUCCESS, fd_read(to, &one, 1, &size));
    THAT(holds("con", 3));
    EXPECT(SUCCESS, fd_renumber(to, to));
    EXPECT(BADF, fd_renumber(to, MISSING));
    EXPECT(BADF, fd_renumber(MISSING, to));
}
