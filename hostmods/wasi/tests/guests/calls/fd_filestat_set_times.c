// fd_filestat_set_times: times that are set, and those that are left.
#include "check.h"

void run(void) {
    filestat stat;
    u32 fd = OPEN("file", 0, READ | WRITE);
    EXPECT(SUCCESS, fd_filestat_set_times(fd, 1000000000, 2000000000, 1 | 4));
    EXPECT(SUCCESS, fd_filestat_get(fd, &stat));
    THAT(stat.atim == 1000000000 && stat.mtim == 2000000000);
    EXPECT(SUCCESS, fd_filestat_set_times(fd, 5, 3000000000, 4));
    EXPECT(SUCCESS, fd_filestat_get(fd, &stat));
    THAT(stat.atim == 1000000000 && stat.mtim == 3000000000);
    EXPECT(SUCCESS, fd_filestat_set_times(fd, 0, 0, 8));
    EXPECT(SUCCESS, fd_filestat_get(fd, &stat));
    THAT(stat.mtim > 1577836800000000000ull);
    EXPECT(INVAL, fd_filestat_set_times(fd, 0, 0, 1 | 2));
    EXPECT(INVAL, fd_filestat_set_times(fd, 0, 0, 4 | 8));
    EXPECT(BADF, fd_filestat_set_times(MISSING, 0, 0, 1));
    EXPECT(BADF, fd_filestat_set_times(0, 0, 0, 1));
    EXPECT(SUCCESS, path_open(RO, 0, P("file"), 0, READ, 0, 0, &fd));
    EXPECT(PERM, fd_filestat_set_times(fd, 0, 0, 1));
}
