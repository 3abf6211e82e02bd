// fd_allocate: growing a file, and what cannot grow.
#include "check.h"

void run(void) {
    // Other runtimes refuse this call altogether, so these are our own answers.
    filestat stat;
    u32 fd = OPEN("new", CREAT, READ | WRITE);
    EXPECT(SUCCESS, fd_allocate(fd, 10, 90));
    EXPECT(SUCCESS, fd_filestat_get(fd, &stat));
    THAT(stat.size == 100);
    EXPECT(SUCCESS, fd_allocate(fd, 0, 5));
    EXPECT(SUCCESS, fd_filestat_get(fd, &stat));
    THAT(stat.size == 100);
    EXPECT(INVAL, fd_allocate(fd, 0, 0));
    EXPECT(FBIG, fd_allocate(fd, ~0ull >> 1, 1));
    EXPECT(BADF, fd_allocate(MISSING, 0, 1));
    EXPECT(BADF, fd_allocate(ROOT, 0, 1));
    EXPECT(BADF, fd_allocate(1, 0, 1));
    EXPECT(BADF, fd_allocate(OPEN("file", 0, READ), 0, 100));
    EXPECT(SUCCESS, path_open(RO, 0, P("file"), 0, READ, 0, 0, &fd));
    EXPECT(PERM, fd_allocate(fd, 0, 100));
}
