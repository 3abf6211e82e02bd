// fd_datasync: files that are written out, and what is no file.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ | WRITE);
    EXPECT(SUCCESS, fd_datasync(fd));
    EXPECT(BADF, fd_datasync(MISSING));
    EXPECT(BADF, fd_datasync(0));
}
