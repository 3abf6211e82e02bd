// fd_sync: files that are written out, and what is no file.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ | WRITE);
    EXPECT(SUCCESS, fd_sync(fd));
    EXPECT(BADF, fd_sync(MISSING));
    EXPECT(BADF, fd_sync(1));
}
