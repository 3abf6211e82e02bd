// fd_write: writing on, to files and streams.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ | WRITE);
    iovec two[2] = {{"AB", 2}, {"C", 1}}, all = buffer(20);
    EXPECT(SUCCESS, fd_write(fd, two, 2, &size));
    THAT(size == 3);
    EXPECT(SUCCESS, fd_write(fd, two, 0, &size));
    THAT(size == 0);
    EXPECT(SUCCESS, fd_pread(fd, &all, 1, 0, &size));
    THAT(holds("ABCtent\n", 8));
    fd = open_at(__LINE__, P("file"), 0, READ | WRITE, APPEND);
    EXPECT(SUCCESS, fd_write(fd, two, 1, &size));
    EXPECT(SUCCESS, fd_pread(fd, &all, 1, 8, &size));
    THAT(holds("AB", 2));
    EXPECT(SUCCESS, fd_write(1, two, 2, &size));
    THAT(size == 3);
    EXPECT(SUCCESS, fd_write(2, two, 1, &size));
    EXPECT(BADF, fd_write(0, two, 1, &size));
    EXPECT(BADF, fd_write(OPEN("file", 0, READ), two, 1, &size));
    EXPECT(BADF, fd_write(MISSING, two, 1, &size));
    EXPECT(BADF, fd_write(ROOT, two, 1, &size));
}
