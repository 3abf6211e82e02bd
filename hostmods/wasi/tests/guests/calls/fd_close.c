// fd_close: closing everything, once.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ), again;
    EXPECT(SUCCESS, fd_close(fd));
    EXPECT(BADF, fd_close(fd));
    again = OPEN("file", 0, READ);
    THAT(again == fd);  // the lowest number that is free
    EXPECT(SUCCESS, fd_close(0));
    EXPECT(BADF, fd_read(0, 0, 0, &size));
    EXPECT(SUCCESS, fd_close(RO));
    EXPECT(BADF, fd_close(RO));
    EXPECT(BADF, fd_close(MISSING));
    EXPECT(BADF, fd_close(~0u));
}
