// fd_fdstat_set_flags: flags that can be changed, and those that cannot.
#include "check.h"

void run(void) {
    fdstat stat;
    u32 fd = OPEN("file", 0, READ | WRITE);
    EXPECT(SUCCESS, fd_fdstat_set_flags(fd, APPEND));
    EXPECT(SUCCESS, fd_fdstat_get(fd, &stat));
    THAT(stat.flags == APPEND);
    iovec data = {"more", 4};
    EXPECT(SUCCESS, fd_write(fd, &data, 1, &size));
    filestat attributes;
    EXPECT(SUCCESS, fd_filestat_get(fd, &attributes));
    THAT(attributes.size == 12);
    EXPECT(SUCCESS, fd_fdstat_set_flags(fd, 0));
    EXPECT(SUCCESS, fd_fdstat_get(fd, &stat));
    THAT(stat.flags == 0);
    EXPECT(INVAL, fd_fdstat_set_flags(fd, 2));   // dsync
    EXPECT(INVAL, fd_fdstat_set_flags(fd, 16));  // sync
    EXPECT(BADF, fd_fdstat_set_flags(MISSING, 0));
    EXPECT(BADF, fd_fdstat_set_flags(ROOT, 0));
}
