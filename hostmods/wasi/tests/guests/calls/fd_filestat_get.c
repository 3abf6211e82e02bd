// fd_filestat_get: attributes of files, directories and streams.
#include "check.h"

void run(void) {
    filestat one, other;
    u32 fd = OPEN("file", 0, READ);
    EXPECT(SUCCESS, fd_filestat_get(fd, &one));
    THAT(one.type == 4 && one.size == 8 && one.links == 1);
    EXPECT(SUCCESS, path_filestat_get(ROOT, 0, P("file"), &other));
    THAT(one.ino == other.ino && one.dev == other.dev && one.mtim == other.mtim);
    EXPECT(SUCCESS, fd_filestat_get(ROOT, &other));
    THAT(other.type == 3 && other.ino != one.ino);
    EXPECT(SUCCESS, fd_filestat_get(0, &one));
    THAT(one.size == 0);
    EXPECT(BADF, fd_filestat_get(MISSING, &one));
}
