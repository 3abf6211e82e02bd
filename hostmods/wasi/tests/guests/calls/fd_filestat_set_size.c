// fd_filestat_set_size: cutting and growing, and what cannot.
#include "check.h"

void run(void) {
    filestat stat;
    u32 fd = OPEN("file", 0, READ | WRITE);
    EXPECT(SUCCESS, fd_filestat_set_size(fd, 3));
    EXPECT(SUCCESS, fd_filestat_get(fd, &stat));
    THAT(stat.size == 3);
    EXPECT(SUCCESS, fd_filestat_set_size(fd, 6));
    iovec all = buffer(10);
    EXPECT(SUCCESS, fd_pread(fd, &all, 1, 0, &size));
    THAT(holds("con\0\0\0", 6));
    EXPECT(INVAL, fd_filestat_set_size(fd, ~0ull));
    EXPECT(INVAL, fd_filestat_set_size(OPEN("file", 0, READ), 1));
    EXPECT(BADF, fd_filestat_set_size(MISSING, 1));
    EXPECT(BADF, fd_filestat_set_size(ROOT, 1));
    EXPECT(BADF, fd_filestat_set_size(1, 1));
}
