// fd_pwrite: writing at a place, with the position left alone.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ | WRITE);
    u64 position;
    iovec two[2] = {{"AB", 2}, {"C", 1}}, all = buffer(20);
    EXPECT(SUCCESS, fd_pwrite(fd, two, 2, 7, &size));
    THAT(size == 3);
    EXPECT(SUCCESS, fd_pwrite(fd, two, 1, 12, &size));
    EXPECT(SUCCESS, fd_tell(fd, &position));
    THAT(position == 0);
    EXPECT(SUCCESS, fd_read(fd, &all, 1, &size));
    THAT(holds("contentABC\0\0AB", 14));
    EXPECT(INVAL, fd_pwrite(fd, two, 1, ~0ull, &size));
    EXPECT(BADF, fd_pwrite(OPEN("file", 0, READ), two, 1, 0, &size));
    EXPECT(BADF, fd_pwrite(MISSING, two, 1, 0, &size));
    EXPECT(BADF, fd_pwrite(ROOT, two, 1, 0, &size));
    EXPECT(SPIPE, fd_pwrite(1, two, 1, 0, &size));
}
