// fd_pread: reading at a place, with the position left alone.
#include "check.h"

void run(void) {
    u32 fd = OPEN("file", 0, READ);
    u64 position;
    iovec two[2] = {{bytes, 2}, {bytes + 2, 10}}, one = buffer(3);
    EXPECT(SUCCESS, fd_pread(fd, two, 2, 1, &size));
    THAT(holds("ontent\n", 7));
    EXPECT(SUCCESS, fd_pread(fd, &one, 1, 100, &size));
    THAT(size == 0);
    EXPECT(SUCCESS, fd_pread(fd, &one, 0, 0, &size));
    THAT(size == 0);
    EXPECT(SUCCESS, fd_tell(fd, &position));
    THAT(position == 0);
    EXPECT(INVAL, fd_pread(fd, &one, 1, ~0ull, &size));
    EXPECT(BADF, fd_pread(OPEN("file", 0, WRITE), &one, 1, 0, &size));
    EXPECT(BADF, fd_pread(MISSING, &one, 1, 0, &size));
    EXPECT(BADF, fd_pread(ROOT, &one, 1, 0, &size));
    EXPECT(SPIPE, fd_pread(0, &one, 1, 0, &size));
}
