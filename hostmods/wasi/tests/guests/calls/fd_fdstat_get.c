// fd_fdstat_get: types, flags and rights.
#include "check.h"

void run(void) {
    fdstat stat;
    EXPECT(SUCCESS, fd_fdstat_get(ROOT, &stat));
    THAT(stat.type == 3 && stat.flags == 0 && stat.rights && stat.inheriting);
    THAT(!(stat.rights & (1 << 2)));  // a directory cannot seek
    u32 fd = open_at(__LINE__, P("file"), 0, READ | WRITE, APPEND);
    EXPECT(SUCCESS, fd_fdstat_get(fd, &stat));
    THAT(stat.type == 4 && stat.flags == APPEND && (stat.rights & READ) && (stat.rights & WRITE));
    fd = OPEN("file", 0, READ);
    EXPECT(SUCCESS, fd_fdstat_get(fd, &stat));
    THAT((stat.rights & READ) && !(stat.rights & WRITE));
    fd = OPEN("file", 0, WRITE);
    EXPECT(SUCCESS, fd_fdstat_get(fd, &stat));
    THAT(!(stat.rights & READ) && (stat.rights & WRITE));
    EXPECT(BADF, fd_fdstat_get(MISSING, &stat));
}
