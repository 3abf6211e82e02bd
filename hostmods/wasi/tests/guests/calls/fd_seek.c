// fd_seek: from the start, from here, from the end.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ);
    u64 position = 0;
    EXPECT(SUCCESS, fd_seek(fd, 3, 0, &position));
    THAT(position == 3);
    EXPECT(SUCCESS, fd_seek(fd, -1, 1, &position));
    THAT(position == 2);
    EXPECT(SUCCESS, fd_seek(fd, -1, 2, &position));
    THAT(position == 7);
    EXPECT(SUCCESS, fd_seek(fd, 1000, 0, &position));
    THAT(position == 1000);
    EXPECT(INVAL, fd_seek(fd, -1, 0, &position));
    EXPECT(INVAL, fd_seek(fd, -9, 2, &position));
    EXPECT(BADF, fd_seek(ROOT, 0, 0, &position));
    EXPECT(BADF, fd_seek(MISSING, 0, 0, &position));
    EXPECT(SPIPE, fd_seek(0, 0, 0, &position));
    EXPECT(SPIPE, fd_seek(1, 0, 1, &position));
}
