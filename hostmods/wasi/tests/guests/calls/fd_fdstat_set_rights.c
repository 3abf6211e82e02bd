// fd_fdstat_set_rights: rights cannot be given up.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ);
    EXPECT(NOTSUP, fd_fdstat_set_rights(fd, 0, 0));
    EXPECT(NOTSUP, fd_fdstat_set_rights(ROOT, 0, 0));
    EXPECT(BADF, fd_fdstat_set_rights(MISSING, 0, 0));
    EXPECT(BADF, fd_fdstat_set_rights(0, 0, 0));
}
