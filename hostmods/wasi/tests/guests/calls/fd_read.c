// fd_read: reading on, from files and streams.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ);
    iovec two[2] = {{bytes, 2}, {bytes + 2, 3}}, one = buffer(100);
    EXPECT(SUCCESS, fd_read(fd, two, 2, &size));
    THAT(holds("conte", 5));
    EXPECT(SUCCESS, fd_read(fd, &one, 1, &size));
    THAT(holds("nt\n", 3));
    EXPECT(SUCCESS, fd_read(fd, &one, 1, &size));
    THAT(size == 0);
    EXPECT(SUCCESS, fd_read(0, &one, 1, &size));
    THAT(holds("input", 5));
    EXPECT(SUCCESS, fd_read(0, &one, 1, &size));
    THAT(size == 0);
    EXPECT(BADF, fd_read(1, &one, 1, &size));
    EXPECT(BADF, fd_read(OPEN("file", 0, WRITE), &one, 1, &size));
    EXPECT(BADF, fd_read(MISSING, &one, 1, &size));
    EXPECT(BADF, fd_read(ROOT, &one, 1, &size));
}
